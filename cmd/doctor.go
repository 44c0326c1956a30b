package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// The verdicts of a check.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkFailed  = "FAILED"
	checkSkipped = "skipped"
)

// A check is one line of doctor.
type check struct{ verdict, name, text, hint string }

func newDoctor(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that the hooks work: commit a made-up key in a scratch repository",
		Long: `Doctor creates an empty repository in a temporary folder, with the hooks and settings of this
one, and tries to commit and push a made-up key: a hook that lets it through is broken,
whatever its configuration says. Nothing is left behind, and this repository does not change.

Then it checks who may read ~/.trussrc, whether a credential for Baseten is set, whether a
revocation was left unfinished, whether the clone has the whole history, and whether the
workflows of GitHub Actions fetch it. It opens no network connection.

The exit status is 1 if an installed hook does not block the key, otherwise 0.`,
		Example: "  b10lint doctor",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &doctor{env: env}
			if err := d.run(); err != nil {
				return err
			}
			broken := false
			for _, c := range d.checks {
				broken = broken || c.verdict == checkFailed
				if _, err := fmt.Fprintf(env.Stdout, "%-8s %s: %s\n", c.verdict, c.name, report.Visible(c.text)); err != nil {
					return failed(err)
				}
				if c.hint != "" {
					fmt.Fprintf(env.Stdout, "%-8s   %s\n", "", report.Visible(c.hint))
				}
			}
			if broken {
				return silent(ExitFindings)
			}
			return nil
		},
	}
}

type doctor struct {
	env    Env
	root   string // of the work tree; empty outside of one
	checks []check
}

func (d *doctor) add(verdict, name, text, hint string) {
	d.checks = append(d.checks, check{verdict, name, text, hint})
}

func (d *doctor) run() error {
	root, err := git{env: d.env, dir: "."}.run("rev-parse", "--show-toplevel")
	if err == nil {
		_, err = os.Lstat(filepath.Join(root, ".git")) // an old git takes a folder that only looks like a repository
	}
	if err != nil {
		d.add(checkSkipped, "repository", "this is not a work tree: "+err.Error(), "run it in the repository to check its hooks")
	} else {
		d.root = root
		if err := d.gates(); err != nil {
			return err
		}
		d.repository()
	}
	d.trussrc()
	d.credential()
	d.unfinished()
	return nil
}

// repository checks what the work tree has: settings that are understood, its whole
// history, and workflows that fetch it.
func (d *doctor) repository() {
	_, err := config.Load(filepath.Join(d.root, config.Name))
	var at *config.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add(checkOK, config.Name, "not there; every default holds", "")
	case errors.As(err, &at):
		d.add(checkFailed, config.Name, at.Error(), at.Hint)
	case err != nil:
		d.add(checkFailed, config.Name, err.Error(), "")
	default:
		d.add(checkOK, config.Name, "understood", "")
	}
	shallow, err := git{env: d.env, dir: d.root}.run("rev-parse", "--is-shallow-repository")
	switch {
	case err != nil:
		d.add(checkWarning, "history", err.Error(), "")
	case shallow == "true":
		d.add(checkWarning, "history", "this is a shallow clone: older commits are not there to be scanned",
			"git fetch --unshallow; in GitHub Actions: fetch-depth: 0")
	default:
		d.add(checkOK, "history", "the whole of it is there", "")
	}
	names, _ := filepath.Glob(filepath.Join(d.root, ".github", "workflows", "*.y*ml"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(data), "b10lint") {
			continue
		}
		rel := ".github/workflows/" + filepath.Base(name)
		if strings.Contains(string(data), "actions/checkout") && !strings.Contains(string(data), "fetch-depth: 0") {
			d.add(checkWarning, rel, "checks out one commit, so b10lint cannot see the history",
				"add to actions/checkout: with: fetch-depth: 0")
			continue
		}
		d.add(checkOK, rel, "fetches the history", "")
	}
}

// A gate is an empty repository with the hooks and settings of another one, and one to
// push to. Keys are planted in it.
type gate struct {
	*doctor
	hooks, work string
	key         string
}

// gates tries every hook.
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
	g := &gate{doctor: d, hooks: hooks, work: filepath.Join(dir, "work"), key: fakekey.New(rand.Uint64()).B10()}
	bare := filepath.Join(dir, "bare")
	err = os.Mkdir(g.work, 0o700)
	for _, name := range []string{config.Name, ".pre-commit-config.yaml"} {
		if data, readErr := regular.ReadFile(filepath.Join(d.root, name), source.SmallFile); readErr == nil {
			err = errors.Join(err, os.WriteFile(filepath.Join(g.work, name), data, 0o600))
		} else if !errors.Is(readErr, fs.ErrNotExist) {
			err = errors.Join(err, readErr)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "."}, {"init", "-q", "--bare", bare},
		{"config", "user.name", "b10lint doctor"}, {"config", "user.email", "doctor@b10lint.invalid"},
		{"config", "commit.gpgSign", "false"}, {"config", "core.hooksPath", hooks}, {"remote", "add", "origin", bare},
		{"add", "-A"}, {"commit", "-q", "--no-verify", "--allow-empty", "-m", "start"},
	} {
		if err == nil {
			err = g.git(args...)
		}
	}
	if err != nil {
		return failed(err, "doctor needs to make a repository in "+os.TempDir())
	}
	g.try("pre-commit", g.commitKey)
	g.try("commit-msg", func(key string) error {
		return g.git("commit", "-q", "--allow-empty", "-m", "planted "+key)
	})
	g.try("pre-push", func(key string) error { // the commit goes past the other hooks, as --no-verify lets it
		if err := g.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "planted "+key); err != nil {
			return err
		}
		return g.git("push", "-q", "origin", "HEAD:refs/heads/planted")
	})
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
		g.add(checkFailed, hook, "it stops what holds no key: "+lastLine(err),
			"run the hook by hand: "+filepath.Join(g.hooks, hook))
		return
	}
	err = attempt(g.key)
	prefix, _, _ := strings.Cut(g.key, ".")
	switch {
	case err == nil:
		g.add(checkFailed, hook, "a made-up key went through",
			"let the hook run b10lint: b10lint hook run "+hook+` -- "$@" || exit`)
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

func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return lines[len(lines)-1]
}

// trussrc checks who may read the keys of the truss command.
func (d *doctor) trussrc() {
	name := d.env.trussrc()
	if name == "" {
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		d.add(checkOK, name, "not there", "")
		return
	}
	if who := rules.Readers(uint32(info.Mode().Perm())); who != "" && filepath.Separator == '/' {
		d.add(checkWarning, name, fmt.Sprintf("%s can read the keys in it (mode %04o)", who, info.Mode().Perm()), "chmod 600 "+name)
		return
	}
	d.add(checkOK, name, "only its owner can read it", "")
}

// credential says whether verification and revocation could ask Baseten.
func (d *doctor) credential() {
	for _, name := range []string{"BASETEN_API_KEY", "BASETEN_PROFILE"} {
		if d.env.get(name) != "" {
			d.add(checkOK, "credential", "from "+name+"; not tried", "b10lint keys list tries it")
			return
		}
	}
	d.add(checkWarning, "credential", "none in BASETEN_API_KEY: keys can be found, but neither verified nor revoked",
		"set BASETEN_API_KEY to a key that may manage keys, where you need it")
}

// unfinished names the revocations and rotations that did not come to their end.
func (d *doctor) unfinished() {
	dir, err := journalFolder(d.env, "")
	if err != nil {
		return
	}
	pending, err := revoke.Unfinished(dir)
	if err != nil {
		d.add(checkWarning, "journals", "cannot be read: "+err.Error(), "")
	}
	for _, p := range pending {
		d.add(checkWarning, "journals", "a run of "+p.Begun.UTC().Format(time.DateOnly)+" is not finished: "+p.Path, "to finish it: "+p.Resume)
	}
}
