package cmd

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// gates tries every hook in a repository of its own.
func (d *doctor) gates() error {
	hooks, err := git(d.env, d.root, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return failed(err)
	}
	if !filepath.IsAbs(hooks) {
		hooks = filepath.Join(d.root, hooks)
	}
	dir, err := os.MkdirTemp("", "b10lint-doctor-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	g := &gate{doctor: d, hooks: hooks, work: filepath.Join(dir, "work"), bare: filepath.Join(dir, "bare")}
	if err := g.prepare(); err != nil {
		return failed(err, "doctor needs to make a repository in "+os.TempDir())
	}
	g.try("pre-commit", g.commitKey)
	g.try("commit-msg", g.commitMessage)
	g.try("pre-push", g.push)
	return nil
}

// A gate is the repository that keys are planted in.
type gate struct {
	*doctor
	hooks, work, bare string
	key               string
}

// prepare makes the repository, with this one's hooks and settings, and one to push
// to.
func (g *gate) prepare() error {
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return err
	}
	g.key = fakekey.New(binary.LittleEndian.Uint64(seed[:])).B10()
	for _, args := range [][]string{{"init", "-q", g.work}, {"init", "-q", "--bare", g.bare}} {
		if out, err := g.git("", args...); err != nil {
			return gitError(out, err)
		}
	}
	for _, name := range []string{config.Name, ".pre-commit-config.yaml"} {
		data, err := os.ReadFile(filepath.Join(g.root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(g.work, name), data, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, args := range [][]string{
		{"config", "user.name", "b10lint doctor"}, {"config", "user.email", "doctor@b10lint.invalid"},
		{"config", "commit.gpgSign", "false"}, {"config", "core.hooksPath", g.hooks}, {"remote", "add", "origin", g.bare},
		{"add", "-A"}, {"commit", "-q", "--no-verify", "--allow-empty", "-m", "start"},
	} {
		if out, err := g.git(g.work, args...); err != nil {
			return gitError(out, err)
		}
	}
	return nil
}

func gitError(out string, err error) error {
	return &exitError{code: ExitFailed, err: &plantError{strings.TrimSpace(out), err}}
}

type plantError struct {
	out string
	err error
}

func (p *plantError) Error() string { return "git: " + p.err.Error() + ": " + p.out }
func (p *plantError) Unwrap() error { return p.err }

// git runs git in the planted repository, away from the variables that point to
// another one.
func (g *gate) git(dir string, args ...string) (string, error) {
	c := exec.Command("git", args...)
	c.Dir = dir
	for _, v := range g.env.Environ() {
		if !strings.HasPrefix(v, "GIT_") && !strings.HasPrefix(v, "PRE_COMMIT") {
			c.Env = append(c.Env, v)
		}
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

// try runs one gate twice: without a key it must let things through, with one it
// must name the key and stop them.
func (g *gate) try(hook string, attempt func(key string) (string, error)) {
	info, err := os.Stat(filepath.Join(g.hooks, hook))
	if err != nil || info.IsDir() {
		g.add(checkWarning, hook, "there is no such hook: nothing stops a key here", "b10lint hook install")
		return
	}
	if out, err := attempt(""); err != nil {
		g.add(checkFailed, hook, "it stops what holds no key: "+lastLine(out), "run the hook by hand: "+filepath.Join(g.hooks, hook))
		return
	}
	out, err := attempt(g.key)
	prefix, _, _ := strings.Cut(g.key, ".")
	switch {
	case err == nil:
		g.add(checkFailed, hook, "a made-up key went through", "let the hook run b10lint: b10lint hook run "+hook+` -- "$@" || exit`)
	case !strings.Contains(out, prefix):
		g.add(checkFailed, hook, "it stops, but does not name the key: "+lastLine(out), "")
	default:
		g.add(checkOK, hook, "a made-up key was stopped", "")
	}
}

func (g *gate) commitKey(key string) (string, error) {
	text := "nothing here\n"
	if key != "" {
		text = "BASETEN_API_KEY=" + key + "\n"
	}
	if err := os.WriteFile(filepath.Join(g.work, "planted.txt"), []byte(text), 0o600); err != nil {
		return "", err
	}
	if out, err := g.git(g.work, "add", "planted.txt"); err != nil {
		return out, err
	}
	out, err := g.git(g.work, "commit", "-q", "-m", "planted")
	if key != "" {
		_, _ = g.git(g.work, "reset", "-q", "--hard")
	}
	return out, err
}

func (g *gate) commitMessage(key string) (string, error) {
	return g.git(g.work, "commit", "-q", "--allow-empty", "-m", "planted "+key)
}

// push has a commit go past the other hooks, as --no-verify lets it.
func (g *gate) push(key string) (string, error) {
	if out, err := g.git(g.work, "commit", "-q", "--no-verify", "--allow-empty", "-m", "planted "+key); err != nil {
		return out, err
	}
	return g.git(g.work, "push", "-q", "origin", "HEAD:refs/heads/planted")
}

func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}
