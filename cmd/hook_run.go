package cmd

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newHookRun(env Env, ui *UI) *cobra.Command {
	return &cobra.Command{
		Use:   "run HOOK [-- ARGUMENT...]",
		Short: "Be a git hook: what install and pre-commit call",
		Long: `Run scans what the hook is about: pre-commit what is staged, commit-msg the message, pre-push
and pre-receive the commits that are pushed. ARGUMENT and standard input are what git passes to
the hook. A status other than 0 stops git.

Under pre-commit (pre-commit.com), --from-ref and --to-ref choose the commits; when nothing is staged, as with --all-files in CI, it scans all files.`,
		Example: "  b10lint hook run pre-commit\n  b10lint hook run commit-msg -- .git/COMMIT_EDITMSG",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			call, err := hookScan(env, args[0], args[1:])
			if err != nil || call.args == nil {
				return err
			}
			return runHook(c.Context(), env, ui, call)
		},
	}
}

// A hookCall is the scan that a hook stands for.
type hookCall struct {
	args  []string // of b10lint scan; nil: there is nothing to look at
	what  string   // is stopped by it
	stdin io.Reader
}

func hookScan(env Env, hook string, args []string) (hookCall, error) {
	scan := func(what string, args ...string) (hookCall, error) { return hookCall{args, what, env.Stdin}, nil }
	framework := env.get("PRE_COMMIT") != ""
	from, to, remote := env.get("PRE_COMMIT_FROM_REF"), env.get("PRE_COMMIT_TO_REF"), env.get("PRE_COMMIT_REMOTE_BRANCH")
	switch {
	case hook == "commit-msg" && len(args) > 0:
		return scan("commit", "--commit-msg", args[0])
	case hook == "commit-msg":
		return hookCall{}, usage("b10lint hook run commit-msg -- FILE", "the hook commit-msg needs the file with the message")
	case hook == "pre-receive":
		return scan("push", "--pre-receive")
	case hook == "pre-push" && !framework && len(args) > 0:
		return scan("push", "--pre-push="+args[0])
	case hook == "pre-push" && !framework:
		return scan("push", "--pre-push")
	case hook != "pre-commit" && hook != "pre-push":
		return hookCall{}, unknownHook(hook)
	case from != "" && to != "":
		return scan("push", "--range", from+".."+to)
	case remote != "":
		// pre-commit pushes a branch that has nothing in common with the remote's, and so
		// names no commits: they are those that git would have named on standard input.
		local := cmp.Or(env.get("PRE_COMMIT_LOCAL_BRANCH"), "HEAD")
		id, err := git{env: env, dir: "."}.run("rev-parse", "--verify", "--end-of-options", local)
		if err != nil {
			return hookCall{}, failed(err)
		}
		line := fmt.Sprintf("%s %s %s %s\n", local, id, remote, strings.Repeat("0", len(id)))
		return hookCall{[]string{"--pre-push=" + env.get("PRE_COMMIT_REMOTE_NAME")}, "push", strings.NewReader(line)}, nil
	case hook == "pre-push":
		return hookCall{}, nil // another stage of pre-commit's
	case !framework:
		return scan("commit", "--staged")
	}
	// Where git cannot say that the index is as HEAD is, as before the first commit,
	// something may be staged.
	_, err := git{env: env, dir: "."}.run("diff-index", "--cached", "--quiet", "--no-ext-diff", "--no-textconv", "HEAD", "--")
	if err == nil {
		return scan("check", "--no-history")
	}
	return scan("commit", "--staged")
}

func runHook(ctx context.Context, env Env, ui *UI, call hookCall) error {
	// Git shows what a hook prints in one place or the other; standard error is the
	// one for talk. A hook that stops nothing says nothing. The scan is called by its
	// command line: the defaults of its flags, and the checks of what goes together with
	// what, are there and nowhere else.
	out := hookOutput{columns: width(env.Stderr)}
	color := "never"
	if ui.color(env.Stderr) {
		color = "always"
	}
	inner := env
	inner.Args = append([]string{"scan", "--hook", call.what, "--color", color}, call.args...)
	inner.Stdin, inner.Stdout = call.stdin, &out
	code := Main(ctx, inner)
	if code == ExitClean {
		return nil
	}
	if _, err := env.Stderr.Write(out.Bytes()); err != nil {
		return failed(err)
	}
	if code == ExitIncomplete {
		ui.error("the "+call.what+" was stopped: not everything could be read",
			"in .b10lint.yaml, exclude: is for what need not be read, on-problem: warn for what may stay unread")
		return silent(code)
	}
	ui.error("the " + call.what + " was stopped")
	return silent(code)
}

// A hookOutput is what a hook is about to print on a terminal, or elsewhere.
type hookOutput struct {
	bytes.Buffer
	columns int
}

// Columns is the width of the terminal, 0 for none.
func (h *hookOutput) Columns() int { return h.columns }
