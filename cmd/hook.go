package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/shell"
)

// The hooks that b10lint can be, and the one that a bare repository wants.
var (
	workHooks = []string{"pre-commit", "commit-msg", "pre-push"}
	bareHooks = []string{"pre-receive"}
)

// allHooks are the hooks that git runs in a work tree, which a folder for all
// repositories must hand on.
var allHooks = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg",
	"post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "post-rewrite", "sendemail-validate", "reference-transaction",
	"pre-auto-gc", "post-index-change", "fsmonitor-watchman",
}

func unknownHook(name string) error {
	known := append(slices.Clone(workHooks), bareHooks...)
	return usage(didYouMean(name, "", known)+"the hooks are "+strings.Join(known, ", "), "unknown hook %q", name)
}

// hookOptions are the flags of hook install and hook uninstall.
type hookOptions struct {
	global bool
	only   []string
}

func newHook(env Env, ui *UI) *cobra.Command {
	o := &hookOptions{}
	c := &cobra.Command{
		Use:   "hook",
		Short: "Install, remove and run git hooks",
		Long: `Hook lets git run b10lint: a commit, a message or a push that contains a key is blocked. With
pre-commit (pre-commit.com) this is not needed: see docs/ci.md.`,
		Example: "  b10lint hook install\n  b10lint hook uninstall",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	install := &cobra.Command{
		Use:   "install",
		Short: "Install the git hooks of this repository",
		Long: `Install writes the hooks pre-commit, commit-msg and pre-push, in a bare repository
pre-receive, to the folder where git looks for hooks: core.hooksPath if it is set; linked
work trees share them. Another hook is never changed; then nothing is installed, and the line
to add to it is shown, or what to add to the configuration of husky, lefthook or
pre-commit.

With --global git is configured to look for the hooks of every repository in one folder; those
run b10lint first and then the repository's own hook.`,
		Example: "  b10lint hook install\n  b10lint hook install --hook pre-commit\n  b10lint hook install --global",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return o.install(env) },
	}
	uninstall := &cobra.Command{
		Use:     "uninstall",
		Short:   "Remove the git hooks that install wrote",
		Example: "  b10lint hook uninstall\n  b10lint hook uninstall --global",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return o.uninstall(env) },
	}
	for _, sub := range []*cobra.Command{install, uninstall} {
		sub.Flags().BoolVar(&o.global, "global", false, "for every repository of this user")
		sub.Flags().StringArrayVar(&o.only, "hook", nil, "this hook alone: pre-commit, commit-msg, pre-push or pre-receive; repeatable")
	}
	c.AddCommand(install, uninstall, newHookRun(env, ui))
	return c
}

func (o *hookOptions) install(env Env) error {
	t, err := o.target(env, true)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	var others []string
	for _, name := range t.names {
		if owner, err := hookOwner(filepath.Join(t.dir, name)); err != nil {
			return failed(err)
		} else if owner == anotherHook {
			others = append(others, name)
		}
	}
	if m := managerOf(t.dir, others); m != nil {
		return m.refuse(env, t)
	}
	if len(others) > 0 {
		e := &exitError{code: ExitUsage, err: fmt.Errorf("%s: there is another hook already (%s); nothing was installed", t.dir, strings.Join(others, ", "))}
		for _, name := range others {
			e.hints = append(e.hints, "add this line to "+name+": "+hookLine(name)+" || exit")
		}
		if len(others) < len(t.names) {
			e.hints = append(e.hints, "or install the rest with --hook NAME")
		}
		return e
	}
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return failed(err)
	}
	for _, name := range t.names {
		path, script, verb := filepath.Join(t.dir, name), hookScript(name, program, t.chained), "installed"
		switch old, err := os.ReadFile(path); {
		case err == nil && string(old) == script:
			verb = "already installed"
		case err == nil:
			verb = "updated"
		}
		if err := writeHook(path, script); err != nil {
			return failed(err)
		}
		fmt.Fprintf(env.Stdout, "%s %s\n", verb, path)
	}
	if !t.chained {
		return nil
	}
	// Every repository keeps its other hooks; then git is pointed here.
	for _, name := range allHooks {
		path := filepath.Join(t.dir, name)
		owner, err := hookOwner(path)
		if err == nil && owner == noHook && !slices.Contains(t.names, name) {
			err = writeHook(path, hookScript(name, "", true))
		}
		if err != nil {
			return failed(err)
		}
	}
	_, err = git{env: env, dir: "."}.run("config", "--global", "core.hooksPath", t.dir)
	return failed(err)
}

func (o *hookOptions) uninstall(env Env) error {
	t, err := o.target(env, false)
	if err != nil {
		return err
	}
	whole := t.chained && len(o.only) == 0 // the folder and its setting go, too
	if whole {
		t.names = append(slices.Clone(allHooks), bareHooks...)
	}
	removed := 0
	for _, name := range t.names {
		path := filepath.Join(t.dir, name)
		owner, err := hookOwner(path)
		if err == nil && owner != ourHook {
			continue
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			return failed(err)
		}
		removed++
		if !t.chained || slices.Contains(workHooks, name) {
			fmt.Fprintf(env.Stdout, "removed %s\n", path)
		}
	}
	if removed == 0 {
		fmt.Fprintf(env.Stdout, "no hook of b10lint's in %s\n", t.dir)
	}
	if whole {
		// Fails when it was not set; that is as it should be.
		_, _ = git{env: env, dir: "."}.run("config", "--global", "--unset", "core.hooksPath")
		_ = os.Remove(t.dir) // if it is empty
	}
	return nil
}

// A hookTarget is where hooks are put, and which.
type hookTarget struct {
	dir   string // of the hooks, absolute
	names []string
	// chained says that the folder replaces the hooks of every repository, which must
	// keep working.
	chained bool
}

// target finds the folder of the hooks: git's for this repository, or with --global
// the one that core.hooksPath names for all of the user's repositories, else one of
// b10lint's own.
func (o *hookOptions) target(env Env, installing bool) (t hookTarget, err error) {
	known := append(slices.Clone(workHooks), bareHooks...)
	for _, name := range o.only {
		if !slices.Contains(known, name) {
			return t, unknownHook(name)
		}
	}
	t.names = workHooks
	if len(o.only) > 0 {
		t.names = o.only
	}
	if !o.global {
		out, err := git{env: env, dir: ".", bare: true, userHooks: true}.run("rev-parse", "--is-bare-repository", "--git-path", "hooks")
		if err != nil {
			return t, usage("go to the repository, or use --global", "%w", err)
		}
		bare, dir, _ := strings.Cut(out, "\n")
		if bare == "true" && len(o.only) == 0 {
			t.names = bareHooks
		}
		t.dir, err = filepath.Abs(dir)
		return t, failed(err)
	}
	base := env.get("XDG_CONFIG_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return t, failed(err)
		}
		base = filepath.Join(home, ".config")
	}
	own := filepath.Join(base, "b10lint", "hooks")
	set, err := git{env: env, dir: "."}.run("config", "--global", "--type=path", "core.hooksPath")
	switch {
	case err != nil || set == "" || filepath.Clean(set) == own:
		t.dir, t.chained = own, true
	case !filepath.IsAbs(set) && installing:
		return t, usage("install in each repository, or set an absolute path",
			"git's global core.hooksPath is %s, another folder in each repository", set)
	default:
		t.dir = set
	}
	return t, nil
}

// Whose a hook is.
type hookOwnerKind int

const (
	noHook hookOwnerKind = iota
	ourHook
	anotherHook
)

// hookMarker is in every hook that b10lint wrote.
const hookMarker = "# Made by b10lint hook install; b10lint hook uninstall removes it."

func hookOwner(path string) (hookOwnerKind, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noHook, nil
	case err != nil:
		return anotherHook, err
	case !info.Mode().IsRegular() || info.Size() > 64<<10:
		return anotherHook, nil
	}
	data, err := os.ReadFile(path)
	if err == nil && bytes.Contains(data, []byte(hookMarker)) {
		return ourHook, nil
	}
	return anotherHook, err
}

// writeHook replaces a hook of ours, or writes a new one; another one that appeared
// in the meantime stays, and is an error.
func writeHook(path, script string) error {
	owner, err := hookOwner(path)
	if err == nil && owner == ourHook {
		err = os.Remove(path)
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = f.WriteString(script)
	return errors.Join(err, f.Close())
}

// hookScript is the text of a hook. program is where b10lint is; without it the
// script only hands on to the repository's own hook, as it does when chained.
//
// pre-push reads what is pushed from its input, which both hooks want, so it is
// kept in a variable in between: it is a few lines of ids and references.
func hookScript(name, program string, chained bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", hookMarker)
	input := chained && name == "pre-push"
	if input {
		b.WriteString("input=$(cat)\n")
	}
	if program != "" {
		fmt.Fprintf(&b, "b10lint=%s\n", shell.Quote(filepath.ToSlash(program)))
		fmt.Fprintf(&b, `if ! [ -x "$b10lint" ] && ! b10lint=$(command -v b10lint); then
	echo "b10lint: error: the hook %s cannot find b10lint, so nothing was scanned" >&2
	echo "b10lint: hint: install it again, or remove this hook: $0" >&2
	exit 1
fi
`, name)
		run := `"$b10lint" hook run ` + name + ` -- "$@"`
		switch {
		case input:
			fmt.Fprintf(&b, "printf '%%s\\n' \"$input\" | %s || exit\n", run)
		case chained:
			b.WriteString(run + " || exit\n")
		default:
			b.WriteString("exec " + run + "\n")
		}
	}
	if chained {
		fmt.Fprintf(&b, "own=$(git rev-parse --git-common-dir)/hooks/%s\n[ -x \"$own\" ] || exit 0\n", name)
		if input {
			b.WriteString("printf '%s\\n' \"$input\" | \"$own\" \"$@\"\n")
		} else {
			b.WriteString("exec \"$own\" \"$@\"\n")
		}
	}
	return b.String()
}
