// Package shell writes words and command lines for a shell. It runs nothing.
package shell

import (
	"os"
	"runtime"
	"strings"
)

// plain are the characters that no shell changes. Among them is the separator of
// paths, which on Windows is a backslash: there the reader may use cmd, which knows
// no single quotes.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=@%,:" + string(os.PathSeparator)

// Quote returns s as one word of a POSIX shell: as it is when every shell takes it
// for one word, else in single quotes.
func Quote(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Command returns the program and arguments that run a command line in the shell of
// the system, as the user's own scripts do.
func Command(line string) []string {
	if runtime.GOOS == "windows" {
		return []string{"cmd.exe", "/c", line}
	}
	return []string{"/bin/sh", "-c", line}
}
