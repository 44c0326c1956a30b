package cmd

import (
	"errors"
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// The exit statuses, the same for every command and format. docs/exit-codes.md
// repeats them; a test compares the two.
const (
	ExitClean       = 0   // everything was read, nothing at or above --fail-on
	ExitFindings    = 1   // findings; they outrank problems
	ExitUsage       = 2   // bad command line or config
	ExitIncomplete  = 3   // something could not be read, asked or revoked, and no findings
	ExitFailed      = 4   // the tool or the provider failed
	ExitInterrupted = 130 // interrupted; what was found so far was reported
)

// An exitError carries the exit status, and what to do about it.
type exitError struct {
	code  int
	err   error
	hints []string
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// silent is the error of a run whose report has said everything; nil for ExitClean.
func silent(code int) error {
	if code == ExitClean {
		return nil
	}
	return &exitError{code: code, err: errors.New("")}
}

// usage is the error of a bad command line.
func usage(hint, format string, args ...any) error {
	return &exitError{code: ExitUsage, err: fmt.Errorf(format, args...), hints: []string{hint}}
}

// failed is the error of a tool, disk or provider that does not work; nil for nil.
func failed(err error, hints ...string) error {
	if err == nil {
		return nil
	}
	return &exitError{code: ExitFailed, err: err, hints: hints}
}

// status returns the exit status of a run that was reported; findings says that some are
// at or above --fail-on.
func status(r finding.Report, findings bool) int {
	switch {
	case r.Summary.Interrupted:
		return ExitInterrupted
	case findings:
		return ExitFindings
	case !r.Summary.Complete:
		return ExitIncomplete
	}
	return ExitClean
}
