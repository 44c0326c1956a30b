package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/gittest"
)

// A trap is a repository whose configuration names a program wherever git would run
// one. What was run leaves a file behind.
type trap struct {
	t         *testing.T
	home, ran string
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	tr := &trap{t: t, home: filepath.Join(dir, "home"), ran: filepath.Join(dir, "ran")}
	if err := os.Mkdir(tr.home, 0o700); err != nil {
		t.Fatal(err)
	}
	return tr
}

// environ is that of a machine without configuration of git but the home's.
func (tr *trap) environ() []string {
	return []string{"HOME=" + tr.home, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "TMPDIR=" + filepath.Dir(tr.home)}
}

func (tr *trap) git(dir string, args ...string) {
	tr.t.Helper()
	gittest.Run(tr.t, dir, args...)
}

// arm sets every setting that names a program in a repository's configuration.
func (tr *trap) arm(dir, gitDir string) {
	tr.t.Helper()
	hooks := filepath.Join(gitDir, "trap")
	if err := os.Mkdir(hooks, 0o700); err != nil {
		tr.t.Fatal(err)
	}
	program := filepath.Join(hooks, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$0 $*\" >>'"+tr.ran+"'\n"), 0o700); err != nil {
		tr.t.Fatal(err)
	}
	for _, hook := range []string{"reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc"} {
		if err := os.Symlink(program, filepath.Join(hooks, hook)); err != nil {
			tr.t.Fatal(err)
		}
	}
	for _, name := range []string{"core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager", "core.editor", "core.askPass",
		"core.alternateRefsCommand", "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.smudge", "filter.x.process",
		"credential.helper", "remote.origin.uploadpack", "remote.origin.receivepack", "gpg.program", "gc.recentObjectsHook",
		"uploadpack.packObjectsHook", "pager.rev-parse", "pager.config", "pager.diff-index", "alias.rev-parse", "alias.fetch", "alias.cat-file"} {
		value := program
		if strings.HasPrefix(name, "alias.") {
			value = "!" + program
		}
		tr.git(dir, "--git-dir", gitDir, "config", name, value)
	}
	for _, kv := range [][2]string{{"core.hooksPath", hooks}, {"gc.auto", "1"}, {"protocol.ext.allow", "always"},
		{"extensions.partialClone", "origin"}, {"remote.origin.promisor", "true"}, {"core.repositoryFormatVersion", "1"}} {
		tr.git(dir, "--git-dir", gitDir, "config", kv[0], kv[1])
	}
	if err := os.WriteFile(filepath.Join(gitDir, "info", "attributes"), []byte("* diff=x filter=x\n"), 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

// run runs the program in a folder.
func (tr *trap) run(dir string, env []string, args ...string) (code int, out string) {
	tr.t.Helper()
	tr.t.Chdir(dir)
	env = append(tr.environ(), env...)
	var b bytes.Buffer
	code = Main(context.Background(), Env{Args: args, Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b,
		Environ: func() []string { return slices.Clone(env) },
		Lookup: func(name string) (string, bool) {
			for _, v := range slices.Backward(env) {
				if value, ok := strings.CutPrefix(v, name+"="); ok {
					return value, true
				}
			}
			return "", false
		}})
	if ran, err := os.ReadFile(tr.ran); err == nil {
		tr.t.Errorf("b10lint %s in %s ran what the repository names: %s", strings.Join(args, " "), filepath.Base(dir), ran)
		_ = os.Remove(tr.ran)
	}
	return code, b.String()
}

// upstream is a repository with two commits, to clone from.
func (tr *trap) upstream() string {
	dir := filepath.Join(filepath.Dir(tr.home), "upstream")
	tr.git(filepath.Dir(dir), "init", "-q", "-b", "main", dir)
	for _, message := range []string{"first", "second"} {
		tr.git(dir, "commit", "-q", "--allow-empty", "-m", message)
	}
	return dir
}

// A folder of a pull request that is laid out as a shallow bare repository, in the
// checkout that the runner made: nothing may ask that folder where to fetch from.
func TestBareFolderRunsNothing(t *testing.T) {
	tr := newTrap(t)
	up := tr.upstream()
	work := filepath.Join(filepath.Dir(up), "work")
	tr.git(filepath.Dir(up), "clone", "-q", up, work)
	for _, worktree := range []string{"", "."} {
		bare := filepath.Join(work, "folder"+worktree)
		tr.git(work, "clone", "-q", "--bare", "--depth", "1", "file://"+up, bare)
		if worktree != "" {
			tr.git(work, "--git-dir", bare, "config", "core.bare", "false")
			tr.git(work, "--git-dir", bare, "config", "core.worktree", worktree)
		}
		tr.arm(work, bare)
		event := filepath.Join(tr.home, "event.json")
		id := strings.Repeat("1", 40)
		if err := os.WriteFile(event, []byte(`{"before":"`+id+`","after":"`+id+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		runner := []string{"GITHUB_WORKSPACE=" + work, "GITHUB_EVENT_PATH=" + event, "RUNNER_TEMP=" + tr.home}
		if code, out := tr.run(work, append(runner, "B10LINT_PATH="+filepath.Base(bare)), "action"); code != ExitIncomplete || strings.Contains(out, "shallow and could") {
			t.Errorf("the action ends with %d:\n%s", code, out)
		}
		tr.run(bare, runner, "action")
		tr.run(bare, nil, "doctor")
		tr.run(bare, nil, "hook", "install")
		tr.run(bare, nil, "hook", "uninstall")
		tr.run(bare, []string{"PRE_COMMIT=1"}, "hook", "run", "pre-commit")
		tr.run(bare, []string{"PRE_COMMIT=1", "PRE_COMMIT_REMOTE_BRANCH=x"}, "hook", "run", "pre-push")
	}
}

// A work tree whose own configuration is hostile: it was unpacked, or copied, with
// its .git. Only doctor, which is there to run this repository's hooks, is left out.
func TestHostileConfigurationRunsNothing(t *testing.T) {
	tr := newTrap(t)
	up := tr.upstream()
	work := filepath.Join(filepath.Dir(up), "work")
	tr.git(filepath.Dir(up), "clone", "-q", "--depth", "1", "file://"+up, work)
	if err := os.WriteFile(filepath.Join(work, "file"), []byte("text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr.git(work, "add", "file")
	tr.arm(work, filepath.Join(work, ".git"))
	if err := os.WriteFile(filepath.Join(work, "file"), []byte("other text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr.run(work, nil, "hook", "install", "--hook", "pre-push")
	tr.run(work, nil, "hook", "uninstall")
	tr.run(work, nil, "hook", "install", "--global")
	tr.run(work, nil, "hook", "uninstall", "--global")
	tr.run(work, []string{"PRE_COMMIT=1"}, "hook", "run", "pre-commit")
	tr.run(work, []string{"PRE_COMMIT=1", "PRE_COMMIT_REMOTE_BRANCH=x"}, "hook", "run", "pre-push")
	// Outside of a runner, and elsewhere than in its workspace, nothing is fetched.
	for _, env := range [][]string{nil, {"GITHUB_WORKSPACE=" + tr.home}} {
		if _, out := tr.run(work, append(env, "RUNNER_TEMP="+tr.home), "action"); !strings.Contains(out, "could not be deepened") {
			t.Errorf("%v: the action says:\n%s", env, out)
		}
	}
	// In its workspace the address of the checkout is asked, and nothing else is run.
	_, out := tr.run(work, []string{"GITHUB_WORKSPACE=" + work, "RUNNER_TEMP=" + tr.home}, "action")
	if !strings.Contains(out, "the rest of the history was fetched") {
		t.Errorf("the action says:\n%s", out)
	}
	for _, url := range []string{"ext::sh -c 'touch " + tr.ran + "'", "me@localhost.invalid:repository", "git://localhost.invalid/x", "--upload-pack=touch " + tr.ran} {
		if err := os.WriteFile(filepath.Join(work, ".git", "shallow"), []byte(gittest.Run(t, up, "rev-parse", "HEAD")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		tr.git(work, "config", "remote.origin.url", url)
		if _, out := tr.run(work, []string{"GITHUB_WORKSPACE=" + work, "RUNNER_TEMP=" + tr.home}, "action"); !strings.Contains(out, "could not be deepened") {
			t.Errorf("%s: the action says:\n%s", url, out)
		}
	}
}
