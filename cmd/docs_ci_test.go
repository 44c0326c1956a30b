package cmd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/internal/fakekey"
)

var (
	yamlScript  = regexp.MustCompile(`(?m)^ *- (?:run: )?((?:go install|mkdir|b10lint) .*|base=.*)$`)
	yamlBlock   = regexp.MustCompile(`(?ms)^  - script: \|\n(.*?)^    display`)
	groovyShell = regexp.MustCompile(`(?m)^ *sh '(.*)'$`)
	whole       = regexp.MustCompile(`(?s)^(.*)$`)
)

// ciSystems are the CI systems of docs/ci.md whose steps are shell: the block that has it, how
// to find it there, what the system sets for a pull request, and whether one shows the key that
// the target branch has, and that which the change adds and accepts.
var ciSystems = []struct {
	name, begin string
	shell       *regexp.Regexp
	pull        map[string]string
	old, added  bool
}{
	{"GitLab", "# .gitlab-ci.yml", yamlScript, map[string]string{"CI_MERGE_REQUEST_DIFF_BASE_SHA": "BASE"}, false, true},
	{"CircleCI", "version: 2.1", yamlScript, nil, true, true},
	{"Jenkins", "pipeline {", groovyShell, nil, true, false},
	{"Azure Pipelines", "# azure-pipelines.yml", yamlBlock, map[string]string{"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, false, true},
	{"Bitbucket Pipelines", "# bitbucket-pipelines.yml", yamlScript, map[string]string{"BITBUCKET_PR_DESTINATION_COMMIT": "BASE"}, false, true},
	{"Buildkite", "#!/bin/sh\n# .buildkite", whole, map[string]string{"BUILDKITE_PULL_REQUEST": "7", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main"}, false, true},
}

// The shell of each system's snippet does in a fresh clone, with an empty home and nothing else
// in the environment, what the page says: everything is scanned on the default branch, and a
// pull request is judged by its own commits and by the settings of its target.
func TestCISnippetsRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the snippets are for a POSIX shell")
	}
	origin, base, old, added := ciOrigin(t)
	program, err := exec.LookPath("b10lint")
	if err != nil {
		t.Fatal(err)
	}
	page := readFile(t, "../docs/ci.md")
	for _, system := range ciSystems {
		t.Run(system.name, func(t *testing.T) {
			script := ciShell(t, page, system.begin, system.shell)
			for _, branch := range []string{"main", "feature"} {
				top := t.TempDir()
				work := filepath.Join(top, "work")
				sh(t, top, nil, "git clone -q --no-local -b "+branch+" "+origin+" work && mkdir bin home && ln -s "+program+" bin/b10lint")
				sh(t, top, nil, "printf '#!/bin/sh\\ncat >../annotation\\n' >bin/buildkite-agent && chmod +x bin/buildkite-agent")
				env := []string{"HOME=" + filepath.Join(top, "home"), "PATH=" + filepath.Join(top, "bin") + ":/usr/local/bin:/usr/bin:/bin", "BUILDKITE_PULL_REQUEST=false"}
				if branch == "feature" {
					for name, value := range system.pull {
						env = append(env, name+"="+strings.ReplaceAll(value, "BASE", base))
					}
				}
				code, out := sh(t, work, env, script)
				// A full clone of main has the other branch, too.
				sees := map[string]bool{old: branch == "main" || system.old, added: branch == "main" || system.added}
				if code != cmd.ExitFindings || strings.Contains(out, "INCOMPLETE") {
					t.Errorf("%s: exit %d\n%s", branch, code, out)
				}
				report := readFile(t, filepath.Join(work, regexp.MustCompile(`junit=(\S+)`).FindStringSubmatch(script)[1]))
				for key, want := range sees {
					prefix, secret, _ := strings.Cut(key, ".")
					if strings.Contains(out, prefix) != want || want && !strings.Contains(report, prefix) {
						t.Errorf("%s: %s reported: want %v\n%s\n%s", branch, prefix, want, out, report)
					}
					if strings.Contains(report+out, secret) {
						t.Errorf("%s: the secret half of %s is shown", branch, prefix)
					}
				}
			}
		})
	}
}

// ciShell is the shell in the block of the page that begins so, without the line that installs
// b10lint: the test has it in PATH.
func ciShell(t *testing.T, page, begin string, shell *regexp.Regexp) string {
	t.Helper()
	const install = "go install github.com/b10lint/b10lint/cmd/b10lint@v1.0.0"
	for _, block := range fence.FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(block[2], begin) {
			continue
		}
		var lines []string
		for _, m := range shell.FindAllStringSubmatch(block[2], -1) {
			lines = append(lines, m[1])
		}
		script := strings.Join(lines, "\n")
		if strings.Count(script, install) != 1 || !strings.Contains(script, "b10lint scan") {
			t.Fatalf("%s does not install b10lint once and run it:\n%s", begin, script)
		}
		return strings.Replace(script, install, ":", 1)
	}
	t.Fatalf("docs/ci.md has no block that begins with %q", begin)
	return ""
}

// ciOrigin makes a repository with a key on main, and a branch that adds one and accepts
// it in its own settings. base is the commit that they share.
func ciOrigin(t *testing.T) (origin, base, old, added string) {
	t.Helper()
	keys := fakekey.New(71)
	old, added, origin = keys.B10(), keys.B10(), t.TempDir()
	env := append(os.Environ(), "HOME="+origin, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	lay(t, origin, map[string]string{"old.py": "k = '" + old + "'\n"})
	sh(t, origin, env, "git init -q -b main && git add . && git commit -qm old && git checkout -qb feature")
	prefix, _, _ := strings.Cut(added, ".")
	lay(t, origin, map[string]string{"new.py": "k = '" + added + "'\n", ".b10lint.yaml": "accept: [{prefix: " + prefix + ", reason: trust me}]\n"})
	sh(t, origin, env, "git add . && git commit -qm new && git checkout -q main")
	_, base = sh(t, origin, env, "git rev-parse main")
	return origin, strings.TrimSpace(base), old, added
}

// sh runs a script of a shell that stops at the first failure.
func sh(t *testing.T, dir string, env []string, script string) (code int, out string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	c.Dir, c.Env = dir, env
	text, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}
