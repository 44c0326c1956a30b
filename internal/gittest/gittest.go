// Package gittest runs git for tests, apart from the machine that they run on: no
// configuration of the user or the system, one identity, and one date, so that the
// same commands make the same object ids in every run. Tests that call it are skipped
// where git is not installed.
package gittest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Run runs git in dir and returns what it prints, without the white space around it.
// A failure of git ends the test.
func Run(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	return strings.TrimSpace(string(Pipe(tb, dir, nil, args...)))
}

// Pipe runs git in dir with stdin as its standard input and returns exactly what it
// prints. A failure of git ends the test.
func Pipe(tb testing.TB, dir string, stdin []byte, args ...string) []byte {
	tb.Helper()
	c := Command(tb, dir, args...)
	c.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

// Command returns the command that Run runs, for tests that add to its environment
// (a later value replaces an earlier one) or that expect it to fail.
func Command(tb testing.TB, dir string, args ...string) *exec.Cmd {
	tb.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		tb.Skip("git is not installed")
	}
	c := exec.CommandContext(tb.Context(), "git", args...)
	c.Dir = dir
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "GIT_") { // a hook that runs the tests sets GIT_DIR, for one
			c.Env = append(c.Env, entry)
		}
	}
	// A home that does not exist has neither .gitconfig nor .config/git/ignore.
	home := filepath.Join(os.TempDir(), "b10lint-gittest-no-home")
	c.Env = append(c.Env, "HOME="+home, "XDG_CONFIG_HOME=", "GIT_CONFIG_NOSYSTEM=1", "GIT_ALLOW_PROTOCOL=file", "LC_ALL=C",
		"GIT_AUTHOR_NAME=A U Thor", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000001 +0000")
	return c
}

// Backend serves the repositories below root by git http-backend, as a web server does.
func Backend(root string) http.Handler {
	git, err := exec.LookPath("git")
	if err != nil {
		return http.NotFoundHandler()
	}
	return &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{
		"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		// What is asked for by id is given, as forges do; repositories of others are served.
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_0=true",
		"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
	}, InheritEnv: []string{"PATH"}, Stderr: io.Discard}
}
