package cmd

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/gittest"
)

// TestHookScan: what each hook looks at, called by git and by pre-commit.
func TestHookScan(t *testing.T) {
	dir := t.TempDir()
	gittest.Run(t, dir, "init", "-q", "-b", "main")
	gittest.Run(t, dir, "commit", "-q", "--allow-empty", "-m", "start")
	head := gittest.Run(t, dir, "rev-parse", "HEAD")
	t.Chdir(dir)
	for _, c := range []struct {
		call, env string
		want      string // the scan and what it stops; "-": nothing to look at; "": refused
		stdin     string
	}{
		{"pre-commit", "", "--staged commit", ""},
		{"commit-msg MSG", "", "--commit-msg MSG commit", ""},
		{"commit-msg", "", "", ""},
		{"pre-receive", "", "--pre-receive push", ""},
		{"pre-push origin url", "", "--pre-push=origin push", ""},
		{"pre-push", "", "--pre-push push", ""},
		{"post-commit", "", "", ""},
		{"pre-commit", "PRE_COMMIT=1", "--no-history check", ""},
		{"pre-push", "PRE_COMMIT=1", "-", ""},
		{"pre-push", "PRE_COMMIT=1 PRE_COMMIT_FROM_REF=a PRE_COMMIT_TO_REF=b", "--range a..b push", ""},
		{"pre-push", "PRE_COMMIT=1 PRE_COMMIT_REMOTE_BRANCH=refs/heads/x PRE_COMMIT_REMOTE_NAME=origin", "--pre-push=origin push",
			"HEAD " + head + " refs/heads/x " + strings.Repeat("0", len(head)) + "\n"},
		{"pre-push", "PRE_COMMIT=1 PRE_COMMIT_REMOTE_BRANCH=x PRE_COMMIT_LOCAL_BRANCH=--all", "", ""},
		{"pre-commit", "PRE_COMMIT=1 STAGED=1", "--staged commit", ""},
	} {
		set := strings.Fields(c.env)
		if slices.Contains(set, "STAGED=1") {
			if err := os.WriteFile("file", []byte("text\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			gittest.Run(t, dir, "add", "file")
		}
		env := Env{Stdin: strings.NewReader(""), Environ: func() []string { return append(gittest.Command(t, dir).Env, set...) },
			Lookup: func(name string) (string, bool) {
				i := slices.IndexFunc(set, func(v string) bool { return strings.HasPrefix(v, name+"=") })
				if i < 0 {
					return "", false
				}
				return strings.TrimPrefix(set[i], name+"="), true
			}}
		words := strings.Fields(c.call)
		call, err := hookScan(env, words[0], words[1:])
		got := strings.Join(append(slices.Clone(call.args), call.what), " ")
		if call.args == nil && err == nil {
			got = "-"
		}
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s with %q: %q, %v; want %q", c.call, c.env, got, err, c.want)
		}
		if e := (*exitError)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("%s with %q: %v has no exit status", c.call, c.env, err)
		}
		if c.stdin != "" {
			if in, err := io.ReadAll(call.stdin); err != nil || string(in) != c.stdin {
				t.Errorf("%s with %q: standard input is %q, %v", c.call, c.env, in, err)
			}
		}
	}
}
