package scanner

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// A gitRepo is a repository made by git itself, a minute between commits.
type gitRepo struct {
	t   *testing.T
	dir string
	at  int64
	m   *fakekey.Maker
}

func newGitRepo(t *testing.T, args ...string) *gitRepo {
	t.Helper()
	g := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "repo"), at: 1_700_000_000, m: fakekey.New(3)}
	if err := os.MkdirAll(g.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	g.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return g
}

func (g *gitRepo) git(args ...string) string { return g.input("", args...) }

// input runs git with a text on its standard input and gives what it printed.
func (g *gitRepo) input(stdin string, args ...string) string {
	g.t.Helper()
	g.at += 60
	date := fmt.Sprintf("%d +0000", g.at)
	c := gittest.Command(g.t, g.dir, args...)
	c.Stdin = strings.NewReader(stdin)
	c.Env = append(c.Env, "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := c.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func (g *gitRepo) write(name, text string) { g.t.Helper(); write(g.t, g.dir, name, text) }

// commit writes a file, commits everything, and gives the commit's id.
func (g *gitRepo) commit(name, text string) string {
	g.t.Helper()
	g.write(name, text)
	return g.commitAll("change " + strings.ToValidUTF8(name, "?"))
}

func (g *gitRepo) commitAll(message string) string {
	g.t.Helper()
	g.git("add", "-A")
	g.input(message, "commit", "-q", "--allow-empty", "-F", "-")
	return g.git("rev-parse", "HEAD")
}

func (g *gitRepo) target(opts target.Options) source.Source {
	return unpack.Archives(target.Of(g.dir, opts), unpack.Limits{})
}

// history scans the objects alone.
func (g *gitRepo) history(h git.Options) *recorder {
	g.t.Helper()
	return scan(g.t, finding.LowConfidence, g.target(target.Options{History: h, NoFiles: true}))
}

// scope scans a part.
func (g *gitRepo) scope(s git.Scope) *recorder {
	g.t.Helper()
	return g.history(git.Options{Scope: s})
}

// of gives the places of a key, without what the tests do not look at.
func (r *recorder) of(key string) []finding.Location {
	prefix, _, _ := strings.Cut(key, ".")
	for _, f := range r.Findings {
		if f.Prefix == prefix {
			return f.Locations
		}
	}
	return nil
}

// in reports whether a key is at a path, as seen from the repository.
func (g *gitRepo) in(r *recorder, key, path string) bool {
	for _, l := range r.of(key) {
		if l.Path == filepath.ToSlash(g.dir)+"/"+path {
			return true
		}
	}
	return false
}

func zipOf(t *testing.T, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
