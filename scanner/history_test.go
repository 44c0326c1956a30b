package scanner

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// A planted key is one that must be found, with what must be said of its place.
type planted struct {
	what, key string
	path      string // in the repository; "" when it has none
	check     func(finding.Location) bool
}

// lines is text that compresses into deltas.
func lines(m *fakekey.Maker, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(m.Word(5) + " " + m.Word(7) + "\n")
	}
	return b.String()
}

// plantEverything makes a repository that hides keys in every corner.
func plantEverything(t *testing.T) (*gitRepo, []planted) {
	g := newGitRepo(t)
	var all []planted
	plant := func(what, path string, check func(finding.Location) bool) string {
		key := g.m.B10()
		all = append(all, planted{what, key, path, check})
		return key
	}
	text := lines(g.m, 200)
	g.commit("README", "x\n")

	var added, removed string
	key := plant("removed line", "app/x.py", func(l finding.Location) bool {
		return l.Commit == added && l.RemovedIn == removed && !l.AtHead && l.Line == 201 && len(l.Refs) > 0 && l.Author == "A U Thor <a@example.com>" && l.Date != nil
	})
	g.commit("app/x.py", text)
	added = g.commit("app/x.py", text+"key = '"+key+"'\n")
	g.commit("app/x.py", text+"key = '"+key+"'\nmore\n")
	removed = g.commit("app/x.py", text+"more\n")

	var deleted string
	var brought string
	key = plant("deleted file", "gone.env", func(l finding.Location) bool {
		return l.Commit == brought && l.RemovedIn == deleted && !l.Unreachable && !l.AtHead
	})
	brought = g.commit("gone.env", key)
	g.git("rm", "-q", "gone.env")
	deleted = g.commitAll("gone")

	var late string
	key = plant("added to an old file, and still there", "app/x.py", func(l finding.Location) bool {
		return l.Commit == late && l.AtHead && l.RemovedIn == "" && l.Line == 2
	})
	late = g.commit("app/x.py", "z = '"+key+"'\n"+text)
	g.commit("app/x.py", "first\nz = '"+key+"'\n"+text)

	var completed string
	oneChar := plant("one-character edit that completes a key", "edit.txt", atHead(&completed, 201, 1))
	g.commit("edit.txt", text+oneChar[:20]+"-"+oneChar[21:]+"\n"+text)
	completed = g.commit("edit.txt", text+oneChar+"\n"+text)
	plantFiles(g, plant)
	plantRefs(g, plant)
	plantLoose(g, plant)
	return g, all
}

// atHead is the check of a key that a commit brought and that is still there.
func atHead(commit *string, line, column int) func(finding.Location) bool {
	return func(l finding.Location) bool {
		return l.Commit == *commit && l.Line == line && l.Column == column && l.AtHead && l.RemovedIn == "" &&
			l.Author == "A U Thor <a@example.com>" && len(l.Refs) > 0 && !l.Unreachable
	}
}

// plantFiles hides keys in files that are no plain text, or have no plain name.
func plantFiles(g *gitRepo, plant func(string, string, func(finding.Location) bool) string) {
	var marked, binary, zipped, named string
	g.write(".gitattributes", "*.nodiff -diff\n")
	marked = g.commit("data.nodiff", "\n "+plant("file marked -diff", "data.nodiff", atHead(&marked, 2, 2)))
	binary = g.commit("nul.bin", "\x00\x01"+plant("file with NUL bytes", "nul.bin", atHead(&binary, 1, 3))+"\x00")
	key := plant("zip in history", "pack.zip", func(l finding.Location) bool {
		return l.Member == "in/.env" && atHead(&zipped, 1, 3)(l)
	})
	zipped = g.commit("pack.zip", zipOf(g.t, "in/.env", "K="+key))
	if runtime.GOOS == "linux" {
		odd := "a b\tc\nd\xff/e f"
		named = g.commit(odd, plant("odd path", odd, atHead(&named, 1, 1)))
	}
}

// plantRefs hides keys in merges, stashes, notes, tags and branches.
func plantRefs(g *gitRepo, plant func(string, string, func(finding.Location) bool) string) {
	g.git("checkout", "-q", "-b", "side")
	g.commit("side.txt", "side\n")
	g.git("checkout", "-q", "main")
	g.commit("main.txt", "main\n")
	g.git("merge", "-q", "--no-commit", "--no-ff", "side")
	var merge string
	g.write("evil.txt", plant("evil merge", "evil.txt", func(l finding.Location) bool { return l.Commit == merge && l.AtHead }))
	merge = g.commitAll("merge")

	only := func(commit *string, ref string) func(finding.Location) bool {
		return func(l finding.Location) bool {
			return l.Commit == *commit && l.Line == 1 && cmp.Equal(l.Refs, []string{ref}) && !l.AtHead && !l.Unreachable
		}
	}
	var stash, untracked, note, tag string
	g.write("README", plant("stash", "README", only(&stash, "stash@{1}")))
	g.git("stash", "push", "-q")
	g.write("new.env", plant("untracked part of a stash", "new.env", only(&untracked, "stash")))
	g.git("stash", "push", "-q", "-u")
	stash, untracked = g.git("rev-parse", "stash@{1}"), g.git("rev-parse", "stash^3")

	g.git("notes", "add", "-m", plant("note", g.git("rev-parse", "HEAD"), only(&note, "notes/commits")))
	note = g.git("rev-parse", "refs/notes/commits")
	g.git("tag", "-a", "v1", "-m", plant("tag message", "", func(l finding.Location) bool {
		return l.Object == "tag" && l.Blob == tag && l.Path == "" && cmp.Equal(l.Refs, []string{"v1"}) && l.Author == "C <c@example.com>" && l.Line == 1
	}))
	tag = g.git("rev-parse", "v1")
	var said string
	key := plant("commit message", "", func(l finding.Location) bool {
		return l.Object == "commit" && l.Commit == said && l.Path == "" && len(l.Refs) > 0
	})
	said = g.commitAll("use " + key)

	g.git("checkout", "-q", "-b", "unmerged")
	var unmerged string
	unmerged = g.commit("u.txt", plant("branch nobody merged", "u.txt", func(l finding.Location) bool {
		return only(&unmerged, "unmerged")(l) && l.RemovedIn == ""
	}))
	g.git("checkout", "-q", "main")
	var amended string
	key = plant("amended-away commit", "am.txt", func(l finding.Location) bool { return l.Commit == amended && l.Unreachable && len(l.Refs) == 0 })
	amended = g.commit("am.txt", key)
	g.write("am.txt", "clean")
	g.git("commit", "-q", "-a", "--amend", "-m", "clean")
}

// plantLoose hides keys where no commit leads, packs everything, and adds more.
func plantLoose(g *gitRepo, plant func(string, string, func(finding.Location) bool) string) {
	// in hides a key in a blob of a store that nothing refers to.
	in := func(store *gitRepo, what string) {
		var id string
		key := plant(what, "", func(l finding.Location) bool {
			return l.Exposure == finding.Dangling && l.Unreachable && l.Commit == "" && l.Path == "" && l.Blob == id && l.Line == 2 && len(l.Refs) == 0
		})
		id = store.input("x\n"+key, "hash-object", "-w", "--stdin")
	}
	in(g, "dangling blob")
	g.git("repack", "-q", "-a", "-d", "-f", "--depth=50")
	in(g, "loose object after gc")
	g.git("gc", "-q")
	g.write("staged.env", plant("index only", "staged.env", func(l finding.Location) bool {
		return l.Object == "index" && l.Exposure == finding.Staged && !l.Unreachable && l.Commit == "" && l.Line == 1
	}))
	g.git("add", "staged.env")
	if err := os.Remove(filepath.Join(g.dir, "staged.env")); err != nil {
		g.t.Fatal(err)
	}
	other := newGitRepo(g.t)
	in(other, "alternate")
	write(g.t, g.dir, ".git/objects/info/alternates", filepath.Join(other.dir, ".git/objects")+"\n")
	write(g.t, g.dir, ".git/config.orig", "url = "+plant("a file beside the objects", ".git/config.orig", func(l finding.Location) bool { return l.Exposure == finding.Untracked }))
}

func TestHistoryFindsKeysInEveryCorner(t *testing.T) {
	g, all := plantEverything(t)
	r := g.history(git.Options{})
	for _, p := range all {
		at := slices.DeleteFunc(slices.Clone(r.of(p.key)), func(l finding.Location) bool {
			return p.what == "commit message" && strings.Contains(l.Path, "/.git/logs/") // git repeats it there
		})
		if len(at) != 1 {
			t.Errorf("%s: %d places, want 1: %+v", p.what, len(at), at)
			continue
		}
		if p.path != "" && at[0].Path != filepath.ToSlash(g.dir)+"/"+p.path {
			t.Errorf("%s: path %q, want %q", p.what, at[0].Path, p.path)
		}
		if p.check != nil && !p.check(at[0]) {
			t.Errorf("%s: %+v", p.what, at[0])
		}
	}
	if len(r.Findings) != len(all) || len(r.Problems) != 0 || !r.Summary.Complete {
		t.Errorf("%d findings, want %d; problems %v", len(r.Findings), len(all), r.Problems)
	}
	c := r.Summary.Coverage
	if len(c) != 1 || c[0].Alternates != 1 || c[0].Packs != 1 || c[0].Refs == 0 || c[0].Kinds["blob"].Seen != c[0].Kinds["blob"].Scanned {
		t.Errorf("coverage %+v", c)
	}
	for jobs := 1; jobs <= 8; jobs++ {
		again := g.history(git.Options{Jobs: jobs})
		if d := cmp.Diff(r.Findings, again.Findings); d != "" {
			t.Fatalf("with %d jobs:\n%s", jobs, d)
		}
		if d := cmp.Diff(r.Summary.Coverage, again.Summary.Coverage); d != "" {
			t.Fatalf("with %d jobs:\n%s", jobs, d)
		}
	}
}

func TestFilesAndHistoryAreOneFinding(t *testing.T) {
	g := newGitRepo(t)
	both, loose := g.m.B10(), g.m.B10()
	first := g.commit("both.env", both+"\n")
	g.write("new.env", loose)
	r := scan(t, finding.LowConfidence, g.target(target.Options{}))
	if at := r.of(both); len(at) != 1 || at[0].Commit != first || !at[0].AtHead {
		t.Errorf("committed: %+v", at)
	}
	if at := r.of(loose); len(at) != 1 || at[0].Exposure != finding.Untracked || at[0].Blob != "" {
		t.Errorf("untracked: %+v", at)
	}
	if r := scan(t, finding.LowConfidence, g.target(target.Options{NoHistory: true})); len(r.Findings) != 2 || r.of(both)[0].Blob != "" || len(r.Summary.Coverage) != 0 {
		t.Errorf("files only: %+v", r.Findings)
	}
	// Everything below a repository's root is files; a folder above it is both.
	write(t, g.dir, "sub/x", "nothing")
	if r := scan(t, finding.LowConfidence, target.Of(filepath.Join(g.dir, "sub"), target.Options{})); !cmp.Equal(r.Summary.Coverage, []finding.Coverage{{Repository: filepath.ToSlash(g.dir), FilesOnly: true}}) {
		t.Errorf("a subfolder: %+v", r.Summary.Coverage)
	}
	if r := scan(t, finding.LowConfidence, target.Of(filepath.Dir(g.dir), target.Options{})); len(r.of(both)) != 1 || r.of(both)[0].Commit != first {
		t.Errorf("the folder above: %+v", r.of(both))
	}
	filter, err := source.NewFilter([]string{"both.env"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := scan(t, finding.LowConfidence, g.target(target.Options{History: git.Options{Filter: filter}})); r.of(both) != nil {
		t.Errorf("excluded and found: %+v", r.of(both))
	}
}

// A path can be all that says what a key is for, and is only known when the key
// was located.
func TestPathsInHistoryCountAsContext(t *testing.T) {
	g := newGitRepo(t)
	legacy := g.m.Legacy()
	g.commit("baseten/settings.ini", "value = "+legacy+"\n")
	g.commit("baseten/settings.ini", "value = none\n")
	r := scan(t, finding.MediumConfidence, g.target(target.Options{NoFiles: true}))
	if len(r.of(legacy)) != 1 {
		t.Errorf("%+v %+v", r.Findings, r.Summary)
	}
}
