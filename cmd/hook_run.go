package cmd

import (
	"bytes"
	"cmp"
	"context"

	"github.com/spf13/cobra"
)

func newHookRun(env Env, ui *UI) *cobra.Command {
	return &cobra.Command{
		Use:   "run HOOK [-- ARGUMENT...]",
		Short: "Be a git hook: what install and pre-commit call",
		Long: `Run looks at what the hook is about: pre-commit at what is staged, commit-msg at the
message, pre-push and pre-receive at the commits that are on their way. ARGUMENT and
standard input are what git gives to the hook. A status other than 0 stops git.

Under pre-commit (pre-commit.com), --from-ref and --to-ref choose the commits; when
nothing is staged, as with --all-files in CI, it looks at all files.`,
		Example: "  b10lint hook run pre-commit\n  b10lint hook run commit-msg -- .git/COMMIT_EDITMSG",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			scan, what, err := hookScan(env, args[0], args[1:])
			if err != nil {
				return err
			}
			return runHook(c.Context(), env, ui, scan, what)
		},
	}
}

// hookScan returns the arguments of the scan that a hook stands for, and what is
// stopped by it.
func hookScan(env Env, hook string, args []string) (scan []string, what string, err error) {
	from, to := env.get("PRE_COMMIT_FROM_REF"), env.get("PRE_COMMIT_TO_REF")
	switch {
	case hook == "commit-msg" && len(args) > 0:
		return []string{"scan", "--commit-msg", args[0]}, "commit", nil
	case hook == "commit-msg":
		return nil, "", usage("b10lint hook run commit-msg -- FILE", "the hook commit-msg needs the file with the message")
	case hook == "pre-push" && env.get("PRE_COMMIT") == "" && len(args) > 0:
		return []string{"scan", "--pre-push=" + args[0]}, "push", nil
	case hook == "pre-push" && env.get("PRE_COMMIT") == "":
		return []string{"scan", "--pre-push"}, "push", nil
	case hook == "pre-receive":
		return []string{"scan", "--pre-receive"}, "push", nil
	case hook != "pre-commit" && hook != "pre-push":
		return nil, "", usage("the hooks are pre-commit, commit-msg, pre-push, pre-receive", "b10lint is no hook %q", hook)
	case from != "" && to != "":
		return []string{"scan", "--range", from + ".." + to}, "push", nil
	case hook == "pre-push":
		return []string{"scan", "--range", cmp.Or(to, "HEAD")}, "push", nil
	case env.get("PRE_COMMIT") != "" && nothingStaged(env):
		return []string{"scan", "--no-history"}, "check", nil
	}
	return []string{"scan", "--staged"}, "commit", nil
}

// nothingStaged reports whether the index is as HEAD is. Where git cannot tell, as
// before the first commit, something may be staged.
func nothingStaged(env Env) bool {
	_, err := git(env, ".", "diff", "--cached", "--quiet", "HEAD", "--")
	return err == nil
}

func runHook(ctx context.Context, env Env, ui *UI, scan []string, what string) error {
	// Git shows what a hook prints in one place or the other; standard error is the
	// one for talk. A hook that stops nothing says nothing.
	var out bytes.Buffer
	color := "never"
	if ui.color(env.Stderr) {
		color = "always"
	}
	inner := env
	inner.Args, inner.Stdout = append(scan, "--color", color), &out
	code := Main(ctx, inner)
	if code == ExitClean {
		return nil
	}
	if _, err := env.Stderr.Write(out.Bytes()); err != nil {
		return failed(err)
	}
	var hint []string
	switch code {
	case ExitFindings:
		hint = []string{"take the key out and revoke it: whoever sees it can use it", "to accept it, say why in a comment on its line: b10lint:allow REASON"}
	case ExitIncomplete:
		hint = []string{"not everything could be looked at; git's --no-verify goes on all the same"}
	}
	ui.error("the "+what+" was stopped", hint...)
	return silent(code)
}
