package cmd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/config"
)

// newAction is what action.yml runs. Everything that others may choose, such as the
// names of branches and files, stays in variables and arguments and never comes
// near a shell.
func newAction(env Env, ui *UI) *cobra.Command {
	return &cobra.Command{
		Use:   "action",
		Short: "Run as a step of GitHub Actions",
		Long: `Action is what the GitHub action of b10lint runs; docs/ci.md describes its inputs. It
reads them from the variables B10LINT_*, chooses by the event what to scan, annotates
the run, writes the job's summary, a SARIF and a JSON report, and sets the
outputs findings, live, sarif and report.`,
		Example: "  B10LINT_MODE=scan b10lint action",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAction(c.Context(), env, ui) },
	}
}

// An actionRun is one step.
type actionRun struct {
	env           Env
	path          string
	sarif, json   string
	summary       string // a file of its own, which is added to the job's
	base, between string // of a pull request; the range to look at, empty for everything
}

func runAction(ctx context.Context, env Env, ui *UI) error {
	dir, err := os.MkdirTemp(cmp.Or(env.get("RUNNER_TEMP"), os.TempDir()), "b10lint-")
	if err != nil {
		return failed(err)
	}
	a := &actionRun{env: env, json: filepath.Join(dir, "b10lint.json"), summary: filepath.Join(dir, "summary.md")}
	a.path, a.sarif = a.input("PATH", "."), a.input("SARIF_FILE", filepath.Join(dir, "b10lint.sarif"))
	var event struct { // what is used of the payload
		Before      string `json:"before"`
		After       string `json:"after"`
		PullRequest *struct {
			Base struct{ SHA string } `json:"base"`
			Head struct{ SHA string } `json:"head"`
		} `json:"pull_request"`
		MergeGroup struct {
			Base string `json:"base_sha"`
			Head string `json:"head_sha"`
		} `json:"merge_group"`
		Repository struct {
			Default string `json:"default_branch"`
		} `json:"repository"`
	}
	if name := env.get("GITHUB_EVENT_PATH"); name != "" {
		data, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(data, &event)
		}
		if err != nil {
			return failed(fmt.Errorf("the event %s cannot be read: %w", name, err))
		}
	}
	g, ours, ok := a.checkout()
	if ok {
		deepen(g, ours, ui)
	}
	has := func(id string) bool { // the commit is here; all zeros are none
		if !ok || len(id) < 40 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
			return false
		}
		_, err := g.run("cat-file", "-e", id+"^{commit}")
		return err == nil
	}
	// Where a commit that the event is about is not there, everything is scanned.
	from, to := cmp.Or(event.MergeGroup.Base, event.Before), cmp.Or(event.MergeGroup.Head, event.After)
	if name := event.Repository.Default; name != "" && strings.Trim(from, "0") == "" && has(to) {
		// A branch that is pushed for the first time brings what the default branch does not have.
		if base, err := g.run("merge-base", "refs/remotes/origin/"+name, to); err == nil && base != to {
			from = base
		}
	}
	if pr := event.PullRequest; pr != nil {
		from, to = pr.Base.SHA, pr.Head.SHA
		if has(from) {
			a.base = from
		}
	}
	switch r := a.input("RANGE", "auto"); {
	case r == "all":
	case r != "auto":
		a.between = r
	case has(from) && has(to):
		a.between = from + ".." + to
	}
	inner := env
	if inner.Args, err = a.arguments(); err != nil {
		return err
	}
	if key := env.get("B10LINT_API_KEY"); key != "" {
		inner.Lookup = func(name string) (string, bool) {
			if name == "BASETEN_API_KEY" {
				return key, true
			}
			return env.Lookup(name)
		}
	}
	code := Main(ctx, inner)
	if err := a.finish(); err != nil {
		return err
	}
	return silent(code)
}

func (a *actionRun) input(name, otherwise string) string {
	return cmp.Or(strings.TrimSpace(a.env.get("B10LINT_"+name)), otherwise)
}

// checkout returns how to call git in the repository that the path is in, and whether
// that is in the runner's workspace. Only a .git names a repository here: git checks
// out no file of that name, so nobody's commit brings one, while a folder that looks
// like a bare repository may be anybody's.
func (a *actionRun) checkout() (g git, ours, ok bool) {
	path, err := filepath.EvalSymlinks(a.path)
	if err != nil {
		return git{}, false, false
	}
	root, ok, err := config.Root(path)
	if err != nil || !ok {
		return git{}, false, false
	}
	dir := filepath.Join(root, ".git")
	if info, err := os.Lstat(dir); err == nil && info.IsDir() && a.env.get("GITHUB_WORKSPACE") != "" {
		workspace, err := filepath.EvalSymlinks(a.env.get("GITHUB_WORKSPACE"))
		rel, relErr := filepath.Rel(workspace, root)
		ours = err == nil && relErr == nil && filepath.IsLocal(rel)
	}
	return git{env: a.env, dir: root, repository: dir}, ours, true
}

// deepen fetches the history that a shallow checkout left out, or says that it is
// not there. It fetches into the runner's own checkout only, from the address that
// the runner cloned.
func deepen(g git, ours bool, ui *UI) {
	if shallow, err := g.run("rev-parse", "--is-shallow-repository"); err != nil || shallow != "true" {
		return
	}
	if url, err := g.run("config", "--get", "remote.origin.url"); ours && err == nil {
		g.fetch = true
		if _, err = g.run("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--unshallow", "--upload-pack", "git-upload-pack",
			"--", url, "+refs/heads/*:refs/remotes/origin/*"); err == nil {
			ui.info("the checkout was shallow; the rest of the history was fetched")
			return
		}
	}
	fmt.Fprintf(g.env.Stdout, "::warning title=b10lint::%s\n",
		"the checkout is shallow and could not be deepened, so older commits are not scanned; add fetch-depth: 0 to actions/checkout")
}

// arguments are the command line that the inputs stand for.
func (a *actionRun) arguments() ([]string, error) {
	mode := a.input("MODE", "scan")
	args := []string{mode, "-f", "github", "-f", "sarif=" + a.sarif, "-f", "json=" + a.json, "-f", "summary=" + a.summary}
	for _, f := range strings.Fields(a.env.get("B10LINT_FORMAT")) {
		args = append(args, "-f", f)
	}
	if v := a.input("FAIL_ON", ""); v != "" {
		args = append(args, "--fail-on", v)
	}
	if v := a.input("BASELINE", ""); v != "" && mode != "revoke" {
		args = append(args, "--baseline", v)
	}
	switch a.input("FAIL_ON_NEW", "false") {
	case "false":
	case "true":
		args = append(args, "--fail-on-new")
	default:
		return nil, usage("write true or false", "fail-on-new is neither true nor false")
	}
	switch mode {
	case "audit":
		return args, nil
	case "revoke":
		if event := a.env.get("GITHUB_EVENT_NAME"); event != "workflow_dispatch" {
			return nil, usage("start the incident workflow by hand: on: workflow_dispatch",
				"mode revoke does not run on %q: nothing is revoked unless a person asked for it", event)
		}
		args[0] = "scan"
		args = append(args, "--revoke", "--yes")
	case "scan":
	default:
		return nil, usage("the modes are scan, audit, revoke", "mode %q is unknown", mode)
	}
	if v := a.input("VERIFY", ""); v != "" && v != "none" && mode == "scan" {
		args = append(args, "--verify="+v)
	}
	switch v := a.input("CONFIG", ""); {
	case v != "":
		args = append(args, "--config", v)
	case a.base != "":
		args = append(args, "--config-from", a.base)
	}
	if a.between != "" && mode == "scan" {
		args = append(args, "--range", a.between)
	}
	return append(args, "--", a.path), nil
}

// finish adds to the job's summary and sets the outputs.
func (a *actionRun) finish() error {
	if text, err := os.ReadFile(a.summary); err == nil {
		if err := appendTo(a.env.get("GITHUB_STEP_SUMMARY"), string(text)); err != nil {
			return failed(err)
		}
	}
	if _, err := os.Lstat(a.json); err != nil {
		return nil // the run ended before there was a report, and has said why
	}
	r, err := readReport(a.env, "", a.json)
	if err != nil {
		return failed(err)
	}
	standing, live := r.Standing(), 0
	for _, f := range standing {
		if alive(f) {
			live++
		}
	}
	var out bytes.Buffer
	for _, o := range []struct{ name, value string }{
		{"findings", strconv.Itoa(len(standing))}, {"live", strconv.Itoa(live)}, {"sarif", a.sarif}, {"report", a.json},
	} {
		if strings.ContainsAny(o.value, "\r\n") {
			return usage("choose another name", "the name of a report has a line end in it")
		}
		fmt.Fprintf(&out, "%s=%s\n", o.name, o.value)
	}
	return failed(appendTo(a.env.get("GITHUB_OUTPUT"), out.String()))
}

// appendTo adds to one of the files that a runner reads; outside of one there is none.
func appendTo(name, text string) error {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}
