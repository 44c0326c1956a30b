package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// canAsk reports whether a person can be asked: standard input is a terminal, and is
// not read for something else, which taken says.
func (e Env) canAsk(taken bool) bool { return !taken && isTerminal(e.Stdin) }

// ask puts a question on standard error and returns the line that is typed, without
// white space around it. The end of the input (Ctrl-D) is an empty answer. Ctrl-C ends
// the wait with ExitInterrupted; undone then says what was not done. Callers take only
// the very word that they ask for as consent.
func (e Env) ask(ctx context.Context, question, undone string) (string, error) {
	fmt.Fprint(e.Stderr, question)
	answered := make(chan string, 1)
	go func() { // a read from a terminal cannot be interrupted: it is left behind
		answer, _ := bufio.NewReader(io.LimitReader(e.Stdin, 1024)).ReadString('\n')
		answered <- strings.TrimSpace(answer)
	}()
	select {
	case answer := <-answered:
		return answer, nil
	case <-ctx.Done():
		fmt.Fprintln(e.Stderr)
		return "", &exitError{code: ExitInterrupted, err: errors.New("interrupted: " + undone)}
	}
}
