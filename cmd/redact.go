package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/redact"
)

// The statuses of shells for a command that could not be run.
const (
	exitCannotRun = 126
	exitNotFound  = 127
	exitSignal    = 128 // and the signal's number
)

func newRedact(env Env) *cobra.Command {
	var least level[finding.Confidence, *finding.Confidence]
	c := &cobra.Command{
		Use:   "redact [-- COMMAND [ARGUMENT...]]",
		Short: "Pass text on with every key masked",
		Long: `Redact copies standard input to standard output and masks every key in it, encoded
ones too. With a command behind --, it runs that and masks what it writes to its
standard output and its standard error, each on its own.

Text goes out as it comes, after 40 ms at the latest, but for the end of a line that
may hold a part of a key: that waits for what follows. Text that is encoded too deeply
to be searched is withheld, and a line in the output says so. The command's exit
status is kept, signals are handed on to it, and its input is left alone. What it
writes is a pipe to it, so it may leave out colours and progress bars.`,
		Example: `  kubectl logs deploy/api | b10lint redact
  b10lint redact -- make test
  cat session.log | b10lint redact`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() < 0 && len(args) > 0 {
				return usage("b10lint redact -- "+args[0]+" …", "put -- before the command to run")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return redactCommand(env, least.value, args)
			}
			w := redact.NewWriter(env.Stdout, least.value)
			_, err := io.CopyBuffer(writerOnly{w}, readerOnly{env.Stdin}, make([]byte, 64<<10))
			return failed(errors.Join(err, w.Close()))
		},
	}
	c.Flags().Var(&least, "min-confidence", "mask what is a key with at least this confidence")
	return c
}

// The two keep io.CopyBuffer from taking a way around its buffer.
type (
	writerOnly struct{ io.Writer }
	readerOnly struct{ io.Reader }
)

// redactCommand runs a command and keeps its exit status.
func redactCommand(env Env, least finding.Confidence, args []string) error {
	stdout, stderr := redact.NewWriter(env.Stdout, least), redact.NewWriter(env.Stderr, least)
	child := exec.Command(args[0], args[1:]...)
	child.Env = env.Environ()
	child.Stdin, child.Stdout, child.Stderr = env.Stdin, writerOnly{stdout}, writerOnly{stderr}
	// Signals that end this program by default are the command's to answer, and a
	// shell must not hear of an end before what was held has gone out.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded()...)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		code := exitCannotRun
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNotFound
		}
		return errors.Join(&exitError{code: code, err: fmt.Errorf("redact: %w", err), hints: []string{"check the command's spelling and that it may be run"}},
			stdout.Close(), stderr.Close())
	}
	ended := make(chan struct{})
	defer close(ended)
	// A terminal sends its signals to every program of the foreground itself.
	terminal := isTerminal(env.Stdin) || isTerminal(env.Stdout) || isTerminal(env.Stderr)
	go func() {
		for {
			select {
			case s := <-signals:
				if !(terminal || alwaysShared) || !fromKeyboard(s) {
					_ = child.Process.Signal(s)
				}
			case <-ended:
				return
			}
		}
	}()
	err := child.Wait()
	if closed := errors.Join(stdout.Close(), stderr.Close()); closed != nil {
		return failed(closed)
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return silent(statusOf(exit.ProcessState))
	}
	return failed(err)
}
