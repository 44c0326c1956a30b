package revoke

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/secret"
)

const (
	// commandTime bounds a command that is given a key.
	commandTime = 5 * time.Minute
	// maxCommandOutput bounds what is kept of its words.
	maxCommandOutput = 64 << 10
)

// A Command is a sink that runs a program with the key, without a line end, on
// its standard input; never in its arguments or its environment, which other
// users and its children can see. Status 0 means that it took the key. What it
// prints goes to Log, with the key masked.
type Command struct {
	oneWay
	Args []string // program and arguments
	Env  []string // nil: this process's own
	Log  io.Writer
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
	p.Env = c.Env
	p.Stdin = strings.NewReader(key.Reveal())
	p.WaitDelay = 5 * time.Second
	words := &bounded{}
	p.Stdout, p.Stderr = words, words
	err := p.Run()
	if text := mask(words.String(), key); text != "" && c.Log != nil {
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		_, _ = io.WriteString(c.Log, text)
	}
	if err != nil {
		return fmt.Errorf("the command that was to take the key failed: %w", err)
	}
	return nil
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
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := maxCommandOutput - w.b.Len(); room > 0 {
		w.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// String returns what was kept; of words that were cut off the end goes, too,
// which may be a part of a key that mask would not see.
func (w *bounded) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.b.Len() < maxCommandOutput {
		return w.b.String()
	}
	return w.b.String()[:maxCommandOutput-256] + "…"
}

// GitHubSecret is a sink that sets a secret of GitHub Actions by the gh program,
// which reads it from its standard input and encrypts it for GitHub. An empty
// repo is the one of the current folder; a nil env is this process's own.
func GitHubSecret(name, repo string, env []string, log io.Writer) (*Command, error) {
	if !envName.MatchString(name) {
		return nil, fmt.Errorf("%q is no name for a secret of GitHub Actions", show(name))
	}
	if strings.HasPrefix(repo, "-") {
		return nil, fmt.Errorf("%q is no repository: write OWNER/NAME", show(repo))
	}
	args := []string{"gh", "secret", "set", name}
	if repo != "" {
		args = append(args, "--repo", repo)
	}
	return &Command{Args: args, Env: env, Log: log}, nil
}
