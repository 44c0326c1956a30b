package scanner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// linked is a repository with a submodule that .gitmodules names and a link that it
// does not, both in folders.
func linked(t *testing.T) *gitRepo {
	lib, g := newGitRepo(t), newGitRepo(t)
	lib.commit("k.txt", "lib")
	g.commit("plain/deep/x.txt", "x")
	g.git("submodule", "add", "-q", "--name", "a name", lib.dir, "libs/in/lib")
	g.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",vendor/bare link")
	g.git("commit", "-q", "-m", "links")
	return g
}

func TestSubmodulesOfBareRepositories(t *testing.T) {
	g := linked(t)
	bare := filepath.Join(t.TempDir(), "copy.git")
	g.git("clone", "-q", "--bare", g.dir, bare)
	states := func(name string, opts git.Options) []finding.Submodule {
		t.Helper()
		r := scan(t, finding.LowConfidence, target.Of(name, target.Options{History: opts}))
		if len(r.Problems) != 0 || len(r.Summary.Coverage) == 0 {
			t.Fatalf("%s: %+v %+v", name, r.Problems, r.Summary.Coverage)
		}
		return r.Summary.Coverage[0].Submodules
	}
	want := func(dir, first string) []finding.Submodule {
		dir = filepath.ToSlash(dir)
		return []finding.Submodule{{Path: dir + "/libs/in/lib", State: first}, {Path: dir + "/vendor/bare link", State: "not initialised"}}
	}
	none := "not initialised"
	cache := git.Options{Cache: filepath.Join(t.TempDir(), "cache"), Version: "1"}
	for _, c := range []struct {
		what, target string
		opts         git.Options
		want         []finding.Submodule
	}{
		{"bare", bare, git.Options{}, want(bare, none)},
		{"bare, first with a cache", bare, cache, want(bare, none)},
		{"bare, known from the cache", bare, cache, want(bare, none)},
		{"the git folder", filepath.Join(g.dir, ".git"), git.Options{}, want(g.dir, "scanned")},
		{"the work tree", g.dir, git.Options{}, want(g.dir, "scanned")},
	} {
		if d := cmp.Diff(c.want, states(c.target, c.opts)); d != "" {
			t.Errorf("%s:\n%s", c.what, d)
		}
	}
	plain := newGitRepo(t)
	plain.commit("x", "x")
	if got := states(filepath.Join(plain.dir, ".git"), git.Options{}); got != nil {
		t.Errorf("without submodules: %+v", got)
	}
}

// Ten folders in each other, each with the next under ten names, have one link under
// ten thousand million paths.
func TestLinksUnderAbsurdlyManyPathsEnd(t *testing.T) {
	g := newGitRepo(t)
	tree := g.input("160000 commit "+strings.Repeat("1", 40)+"\tlink\n", "mktree", "--missing")
	for range 10 {
		var in strings.Builder
		for _, name := range strings.Split("abcdefghij", "") {
			in.WriteString("040000 tree " + tree + "\t" + name + "\n")
		}
		tree = g.input(in.String(), "mktree")
	}
	g.git("update-ref", "refs/heads/main", g.git("commit-tree", "-m", "bomb", tree))
	r := scan(t, finding.LowConfidence, target.Of(filepath.Join(g.dir, ".git"), target.Options{}))
	if c := r.Summary.Coverage; len(c) != 1 || len(c[0].Submodules) != 10_000 {
		t.Errorf("%d repositories", len(c))
	}
}

// References in a reftable are not read. Which commits are reachable is then not
// known, and must not be guessed; the layout is that of gitrepository-layout.
func TestReftableIsIncomplete(t *testing.T) {
	g := newGitRepo(t)
	key := g.m.B10()
	g.commit("k.txt", key)
	gitDir := filepath.Join(g.dir, ".git")
	for _, name := range []string{"refs", "logs", "packed-refs"} {
		if err := os.RemoveAll(filepath.Join(gitDir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, gitDir, "HEAD", "ref: refs/heads/.invalid\n")
	write(t, gitDir, "refs/heads", "this repository uses the reftable format\n")
	write(t, gitDir, "reftable/tables.list", "0x000000000001-0x000000000002-1f0d4e3a.ref\n")
	for what, opts := range map[string]git.Options{
		"everything": {}, "since": {Scope: git.Scope{Since: "2001-01-01"}}, "staged": {Scope: git.Scope{Staged: true}},
	} {
		r := g.history(opts)
		if r.Summary.Complete || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "reftable") || !strings.Contains(r.Problems[0].Hint, "git refs migrate") {
			t.Errorf("%s: %+v", what, r.Problems)
		}
		if at := r.of(key); what == "everything" && (len(at) != 1 || at[0].Unreachable || at[0].Path == "") {
			t.Errorf("%+v", at)
		}
	}
}
