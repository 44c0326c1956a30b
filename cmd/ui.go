package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/redact"
	"github.com/b10lint/b10lint/scanner"
)

// The rules of the terminal:
//   - standard output is for the report and nothing else;
//   - talk goes to standard error as "b10lint: error:", "warning:", "note:" or "hint:",
//     without a capital or a full stop;
//   - progress is one line on standard error, on a terminal only, after the first
//     second, and is gone when the run ends;
//   - colour is used on a terminal unless NO_COLOR is set or TERM is dumb, and elsewhere
//     with FORCE_COLOR; --color has the last word.

// A UI talks to the person.
type UI struct {
	env       Env
	colorFlag choice
	mu        sync.Mutex
}

// NewUI returns a UI that talks on the standard error of env.
func NewUI(env Env) *UI {
	return &UI{env: env, colorFlag: choice{"auto", []string{"auto", "always", "never"}}}
}

func (u *UI) error(text string, hints ...string) { u.say("error", text, hints) }

func (u *UI) warn(text string, hints ...string) { u.say("warning", text, hints) }

// info says what was done; it is neither an error nor a warning.
func (u *UI) info(text string) { u.say("note", text, nil) }

func (u *UI) say(kind, text string, hints []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	// What was typed or read may be in a message, and a key in that.
	w := redact.NewWriter(u.env.Stderr, finding.LowConfidence)
	defer w.Close()
	fmt.Fprintf(w, "b10lint: %s: %s\n", kind, text)
	for _, h := range hints {
		if h != "" {
			fmt.Fprintf(w, "b10lint: hint: %s\n", h)
		}
	}
}

// color reports whether to colour what goes to w.
func (u *UI) color(w io.Writer) bool {
	switch u.colorFlag.value {
	case "always":
		return true
	case "never":
		return false
	}
	if u.env.get("NO_COLOR") != "" {
		return false
	}
	if force := u.env.get("FORCE_COLOR"); force != "" {
		return force != "0" && force != "false"
	}
	return u.env.get("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// progress shows what a scan has read until stop is called.
func (u *UI) progress(p *scanner.Progress, quiet bool) (stop func()) {
	if quiet || !isTerminal(u.env.Stderr) {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		wait := time.NewTimer(time.Second)
		defer wait.Stop()
		shown := false
		for {
			select {
			case <-quit:
				if shown {
					fmt.Fprint(u.env.Stderr, "\r\x1b[K")
				}
				return
			case <-wait.C:
				shown = true
				line := fmt.Sprintf("scanning: %d files", p.Files.Load())
				if n := p.Objects.Load(); n > 0 {
					line += fmt.Sprintf(", %d objects", n)
				}
				line += fmt.Sprintf(", %.1f MB", float64(p.Bytes.Load())/1e6)
				if n := p.Hits.Load(); n > 0 {
					line += fmt.Sprintf(", %d matches", n)
				}
				fmt.Fprint(u.env.Stderr, "\r\x1b[K"+line)
				wait.Reset(100 * time.Millisecond)
			}
		}
	}()
	return sync.OnceFunc(func() { close(quit); <-gone })
}

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
