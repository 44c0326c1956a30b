// Package shell writes words and command lines for a shell. It runs nothing.
package shell

import (
	"os"
	"runtime"
	"strings"
)

// plain are the characters that no shell changes.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=@%,:"

// Quote returns s as one word of a POSIX shell: as it is when every shell takes it
// for one word, else in single quotes. The separator of paths counts as plain, which on
// Windows is a backslash: there the reader may use cmd, which knows no single quotes.
func Quote(s string) string {
	word := strings.ReplaceAll(s, string(os.PathSeparator), "/")
	if s != "" && strings.Trim(word, plain) == "" {
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
