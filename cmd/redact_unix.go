//go:build unix

package cmd

import (
	"os"
	"syscall"
)

// alwaysShared says that a console sends its signals to every program, also
// where none of the streams is one.
const alwaysShared = false

// forwarded are the signals that are handed on to a command.
func forwarded() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}
}

// fromKeyboard reports whether a terminal sends s to the whole foreground.
func fromKeyboard(s os.Signal) bool {
	return s == syscall.SIGINT || s == syscall.SIGQUIT || s == syscall.SIGWINCH
}

// statusOf is the exit status that a shell would give.
func statusOf(p *os.ProcessState) int {
	if w, ok := p.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return exitSignal + int(w.Signal())
	}
	return p.ExitCode()
}
