package revoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/b10lint/b10lint/secret"
)

// A Stored is a sink that is one entry of a store behind a program that reads values as
// well: a Kubernetes Secret by kubectl, a variable of GitLab by glab.
type Stored struct {
	Spec SinkSpec
	// get returns the value. exists is false where there is no entry yet; readable is
	// false for an entry that can be set and not read.
	get func(ctx context.Context) (value []byte, exists, readable bool, err error)
	// set puts value in the place of old; nil means no entry, before or after.
	set func(ctx context.Context, old, value []byte) error

	before, after []byte
	sent          bool
}

// String names the entry.
func (e *Stored) String() string { return e.Spec.String() }

// Ready reads the entry, for which the program and the permission must be there.
func (e *Stored) Ready(ctx context.Context) error {
	_, _, _, err := e.get(ctx)
	return err
}

// Held returns the value that a delivery would replace.
func (e *Stored) Held(ctx context.Context) ([]byte, error) {
	value, _, _, err := e.get(ctx)
	return value, err
}

// Deliver sets the entry.
func (e *Stored) Deliver(ctx context.Context, key secret.Secret) error {
	old, exists, readable, err := e.get(ctx)
	if err != nil {
		return err
	}
	switch {
	case !exists:
		old = nil
	case readable && old == nil:
		old = []byte{}
	}
	if !e.sent {
		e.before = old
	}
	e.sent, e.after = true, []byte(key.Reveal())
	return e.set(ctx, old, e.after)
}

// Read looks for the key in the entry.
func (e *Stored) Read(ctx context.Context, prefix string) (key secret.Secret, ok, readable bool, err error) {
	value, _, readable, err := e.get(ctx)
	if err != nil || !readable {
		return secret.Secret{}, false, err != nil, err
	}
	key, ok = findKey(value, prefix)
	return key, ok, true, nil
}

// Restore sets the entry to what it was before Deliver, unless it is another value now.
func (e *Stored) Restore(ctx context.Context) (undone bool, err error) {
	if !e.sent {
		return false, nil
	}
	now, exists, readable, err := e.get(ctx)
	switch {
	case err != nil || !readable:
		return false, err
	case bytes.Equal(now, e.before) && exists == (e.before != nil):
		return true, nil
	case !bytes.Equal(now, e.after):
		return false, fmt.Errorf("%s was changed by someone else", e.Spec)
	}
	err = e.set(ctx, now, e.before)
	return err == nil, err
}

const (
	// commandTime bounds a command that is given a key.
	commandTime = 5 * time.Minute
	// maxCommandOutput bounds what is kept of its words.
	maxCommandOutput = 64 << 10
	// maxListing bounds what is read of a program that lists or reads entries.
	maxListing = 64 << 20
)

// A Program is how sinks run other programs: in a folder, with an environment. What is
// nil or empty is this process's own.
type Program struct {
	Env []string
	Dir string
	Log io.Writer // what commands that are given a key print, with the key masked
}

// longWord is what may be a key, or its base64, in the words of a program.
var longWord = regexp.MustCompile(`[A-Za-z0-9+/=]{24,}`)

// run runs a program with a text on its standard input and returns what it writes. The
// error holds its last words and neither the input nor the output.
func (p Program) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Env, c.Dir, c.WaitDelay = p.Env, p.Dir, 5*time.Second
	c.Stdin = bytes.NewReader(stdin)
	out, words := &bounded{most: maxListing}, &bounded{most: maxCommandOutput}
	c.Stdout, c.Stderr = out, words
	err := c.Run()
	if err == nil && out.b.Len() >= maxListing {
		return nil, fmt.Errorf("%s: its output is larger than %d bytes", args[0], maxListing)
	}
	if err == nil {
		return out.b.Bytes(), nil
	}
	text := longWord.ReplaceAllString(strings.TrimSpace(words.String()), "****")
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	var status *exec.ExitError
	if !errors.As(err, &status) || !status.Exited() {
		err = fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	return nil, fmt.Errorf("%s %s: %w: %s", args[0], args[1], err, show(text))
}
