package revoke

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/secret"
)

// A Command is a sink that runs a program with the key, without a line end, on
// its standard input; never in its arguments or its environment, which other
// users and its children can see. Status 0 means that it took the key. What it
// prints goes to Log, with the key masked.
type Command struct {
	oneWay
	Args []string // program and arguments
	Program
	// Text is what the program is given; nil: the key.
	Text func(key string) []byte
}

// Ready looks for the program.
func (c *Command) Ready(context.Context) error {
	if len(c.Args) == 0 {
		return fmt.Errorf("no command to give the key to")
	}
	_, err := exec.LookPath(c.Args[0])
	return err
}

// Deliver runs the program.
func (c *Command) Deliver(ctx context.Context, key secret.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	p := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	p.Env, p.Dir, p.WaitDelay = c.Env, c.Dir, 5*time.Second
	text := []byte(key.Reveal())
	if c.Text != nil {
		text = c.Text(key.Reveal())
	}
	p.Stdin = bytes.NewReader(text)
	words := &bounded{most: maxCommandOutput}
	p.Stdout, p.Stderr = words, words
	err := p.Run()
	if text := mask(words.String(), key); text != "" && c.Log != nil {
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		_, _ = io.WriteString(c.Log, text)
	}
	var status *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status) && status.Exited(): // it says itself that it failed
		return fmt.Errorf("the command that was to take the key failed: %w", err)
	}
	return fmt.Errorf("the command that was to take the key did not come to its end: %w: %w", ErrUncertain, err)
}

// mask hides a key, also as base64, in a program's words.
func mask(text string, key secret.Secret) string {
	_, half, _ := strings.Cut(key.Reveal(), ".")
	for _, hidden := range []string{key.Reveal(), half, base64.StdEncoding.EncodeToString([]byte(key.Reveal()))} {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, "****")
		}
	}
	return text
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	most int
	mu   sync.Mutex
	b    bytes.Buffer
}

func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := w.most - w.b.Len(); room > 0 {
		w.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// String returns what was kept; of words that were cut off the end goes, too,
// which may be a part of a key that mask would not see.
func (w *bounded) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.b.Len() < w.most {
		return w.b.String()
	}
	return w.b.String()[:w.most-256] + "…"
}
