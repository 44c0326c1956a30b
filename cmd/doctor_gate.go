package cmd

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// gates tries every hook in a repository of its own.
func (d *doctor) gates() error {
	hooks, err := git{env: d.env, dir: d.root, userHooks: true}.run("rev-parse", "--git-path", "hooks")
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
	if err := errors.Join(os.Mkdir(g.work, 0o700), g.prepare()); err != nil {
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
	for _, args := range [][]string{{"init", "-q", "."}, {"init", "-q", "--bare", g.bare}} {
		if err := g.git(args...); err != nil {
			return err
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
		if err := g.git(args...); err != nil {
			return err
		}
	}
	return nil
}

// git runs git in the planted repository. What a hook says comes back in the error.
func (g *gate) git(args ...string) error {
	_, err := git{env: g.env, dir: g.work, made: true}.run(args...)
	return err
}

// try runs one gate twice: without a key it must let things through, with one it
// must name the key and stop them.
func (g *gate) try(hook string, attempt func(key string) error) {
	info, err := os.Stat(filepath.Join(g.hooks, hook))
	if err != nil || info.IsDir() {
		g.add(checkWarning, hook, "there is no such hook: nothing stops a key here", "b10lint hook install")
		return
	}
	if err := attempt(""); err != nil {
		g.add(checkFailed, hook, "it stops what holds no key: "+lastLine(err), "run the hook by hand: "+filepath.Join(g.hooks, hook))
		return
	}
	err = attempt(g.key)
	prefix, _, _ := strings.Cut(g.key, ".")
	switch {
	case err == nil:
		g.add(checkFailed, hook, "a made-up key went through", "let the hook run b10lint: b10lint hook run "+hook+` -- "$@" || exit`)
	case !strings.Contains(err.Error(), prefix):
		g.add(checkFailed, hook, "it stops, but does not name the key: "+lastLine(err), "")
	default:
		g.add(checkOK, hook, "a made-up key was stopped", "")
	}
}

func (g *gate) commitKey(key string) error {
	text := "nothing here\n"
	if key != "" {
		text = "BASETEN_API_KEY=" + key + "\n"
	}
	if err := os.WriteFile(filepath.Join(g.work, "planted.txt"), []byte(text), 0o600); err != nil {
		return err
	}
	if err := g.git("add", "planted.txt"); err != nil {
		return err
	}
	err := g.git("commit", "-q", "-m", "planted")
	if key != "" {
		_ = g.git("reset", "-q", "--hard")
	}
	return err
}

func (g *gate) commitMessage(key string) error {
	return g.git("commit", "-q", "--allow-empty", "-m", "planted "+key)
}

// push has a commit go past the other hooks, as --no-verify lets it.
func (g *gate) push(key string) error {
	if err := g.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "planted "+key); err != nil {
		return err
	}
	return g.git("push", "-q", "origin", "HEAD:refs/heads/planted")
}

func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return lines[len(lines)-1]
}
