package scanner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

func (g *gitRepo) loose(id string) string {
	return filepath.Join(g.dir, ".git/objects", id[:2], id[2:])
}

func named(r *recorder, id string) bool {
	return slices.ContainsFunc(r.Problems, func(p finding.Problem) bool { return p.Object == id && !p.Warning })
}

func TestMissingObjectsAreNamed(t *testing.T) {
	for _, what := range []string{"blob", "tree", "commit", "index", "ref"} {
		g := newGitRepo(t)
		key := g.m.B10()
		first := g.commit("key.txt", key)
		g.commit("sub/lost.txt", "lost")
		var id string
		switch what {
		case "blob":
			id = g.git("rev-parse", "HEAD:sub/lost.txt")
		case "tree":
			id = g.git("rev-parse", "HEAD:sub")
		case "commit":
			id = first
		case "index":
			id = g.input("staged", "hash-object", "-w", "--stdin")
			g.git("update-index", "--add", "--cacheinfo", "100644,"+id+",staged.txt")
		case "ref":
			id = g.input("ref", "hash-object", "-w", "--stdin")
			g.git("update-ref", "refs/x/y", id)
		}
		if err := os.Remove(g.loose(id)); err != nil {
			t.Fatal(err)
		}
		r := g.history(git.Options{})
		if r.Summary.Complete || !named(r, id) || !slices.Equal(r.Summary.Coverage[0].Missing, []string{id}) || r.of(key) == nil {
			t.Errorf("%s %s: complete %v, %+v, %+v", what, id, r.Summary.Complete, r.Problems, r.Summary.Coverage[0].Missing)
		}
	}
}

func TestCorruptObjectsAreNamed(t *testing.T) {
	g := newGitRepo(t)
	key := g.m.B10()
	g.commit("key.txt", key)
	g.commit("bad.txt", lines(g.m, 50))
	id := g.git("rev-parse", "HEAD:bad.txt")
	if err := os.Chmod(g.loose(id), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(g.loose(id), 40); err != nil {
		t.Fatal(err)
	}
	r := g.history(git.Options{})
	if r.Summary.Complete || !named(r, id) || !slices.Equal(r.Summary.Coverage[0].Corrupt, []string{id}) || r.of(key) == nil {
		t.Errorf("%+v %+v", r.Problems, r.Summary.Coverage)
	}
}

func TestPartialCloneIsIncomplete(t *testing.T) {
	g := newGitRepo(t)
	g.git("config", "uploadpack.allowFilter", "true")
	g.commit("a.txt", "a")
	g.commit("b.txt", "b")
	clone := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "clone"), at: g.at, m: g.m}
	g.git("clone", "-q", "--filter=blob:none", "--no-checkout", "file://"+g.dir, clone.dir)
	want := []string{g.git("rev-parse", "HEAD:a.txt"), g.git("rev-parse", "HEAD:b.txt")}
	slices.Sort(want)
	r := clone.history(git.Options{})
	if c := r.Summary.Coverage[0]; r.Summary.Complete || c.Promised != 2 || !slices.Equal(c.PromisedIDs, want) || len(c.Missing) != 0 {
		t.Errorf("%+v %+v", r.Problems, c)
	}
}

func TestSubmodulesAndNestedRepositories(t *testing.T) {
	lib, g := newGitRepo(t), newGitRepo(t)
	inLib, inNested, inBare := g.m.B10(), g.m.B10(), g.m.B10()
	lib.commit("k.txt", inLib)
	lib.commit("k.txt", "clean")
	g.git("submodule", "add", "-q", lib.dir, "libs/lib")
	g.commitAll("submodule")
	write(t, g.dir, ".gitmodules", read(t, g.dir, ".gitmodules")+"[submodule \"other\"]\n\tpath = other\n\turl = x\n")
	nested := &gitRepo{t: t, dir: filepath.Join(g.dir, "vendor/nested"), at: g.at, m: g.m}
	if err := os.MkdirAll(nested.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	nested.git("init", "-q")
	nested.commit("n.txt", inNested)
	nested.commit("n.txt", "clean")
	bare := newGitRepo(t)
	bare.commit("b.txt", inBare)
	g.git("clone", "-q", "--bare", bare.dir, filepath.Join(g.dir, "store.git"))
	r := scan(t, finding.LowConfidence, g.target(target.Options{}))
	for key, path := range map[string]string{inLib: "libs/lib/k.txt", inNested: "vendor/nested/n.txt", inBare: "store.git/b.txt"} {
		if len(r.of(key)) != 1 || !g.in(r, key, path) {
			t.Errorf("%s: %+v", path, r.of(key))
		}
	}
	if len(r.Summary.Coverage) != 4 || len(r.Problems) != 0 {
		t.Errorf("%d repositories, problems %+v", len(r.Summary.Coverage), r.Problems)
	}
	want := []finding.Submodule{{Path: filepath.ToSlash(g.dir) + "/libs/lib", State: "scanned"}, {Path: filepath.ToSlash(g.dir) + "/other", State: "not initialised"}}
	if d := cmp.Diff(want, r.Summary.Coverage[0].Submodules); d != "" {
		t.Error(d)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestCacheAnswersForPacksAndIsNotTrusted(t *testing.T) {
	g, all := plantEverything(t)
	dir := filepath.Join(t.TempDir(), "cache")
	opts := git.Options{Cache: dir, Version: "1"}
	plain := g.history(git.Options{})
	same := func(what string, cached bool, r *recorder) {
		t.Helper()
		if d := cmp.Diff(plain.Findings, r.Findings); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
		if c := r.Summary.Coverage[0]; (c.Cached > 0) != cached || c.Kinds["blob"].Seen != plain.Summary.Coverage[0].Kinds["blob"].Seen {
			t.Errorf("%s: %+v", what, c)
		}
	}
	same("first", false, g.history(opts))
	same("second", true, g.history(opts))
	same("third", true, g.history(opts))
	newer := opts
	newer.Version = "2"
	same("another detector", false, g.history(newer))

	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		text := read(t, dir, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info, err)
		}
		for _, p := range all {
			prefix, secret, _ := strings.Cut(p.key, ".")
			if strings.Contains(text, prefix) || strings.Contains(text, secret) {
				t.Errorf("%s: the cache holds a part of the key", p.what)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, e.Name()), []byte(text[:len(text)-9]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := g.history(opts)
	if len(r.Problems) != 1 || !r.Problems[0].Warning || !r.Summary.Complete {
		t.Errorf("damaged: %+v", r.Problems)
	}
	same("damaged", false, r)
	same("mended", true, g.history(opts))

	added := g.m.B10()
	g.commit("later.txt", added)
	if r := g.history(opts); r.of(added) == nil || r.Summary.Coverage[0].Cached == 0 {
		t.Errorf("what came later: %+v", r.of(added))
	}
	g.git("repack", "-q", "-d", "-l")
	if r := g.history(opts); r.of(added) == nil || r.Summary.Coverage[0].Cached == 0 || len(r.Findings) != len(all)+1 {
		t.Errorf("in a second pack: %d findings, %+v", len(r.Findings), r.Summary.Coverage)
	}
	g.git("repack", "-q", "-a", "-d")
	if r := g.history(opts); r.of(added) == nil || r.Summary.Coverage[0].Cached != 0 {
		t.Errorf("packed anew: %+v", r.Summary.Coverage)
	}
}
