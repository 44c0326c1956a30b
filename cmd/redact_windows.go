package cmd

import "os"

// alwaysShared says that a console sends its signals to every program, also
// where none of the streams is one.
const alwaysShared = true

// forwarded are the signals that are handed on to a command: none, since Windows
// sends Ctrl-C to every program of the console. It is taken here so that this
// program does not end before the command.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

// fromKeyboard reports whether a console sends s to every program.
func fromKeyboard(os.Signal) bool { return true }

// statusOf is the exit status of a command that ended.
func statusOf(p *os.ProcessState) int { return p.ExitCode() }
