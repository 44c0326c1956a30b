package scanner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// keysIn gives which of some keys were reported, by number.
func (r *recorder) keysIn(keys ...string) string {
	var out []string
	for i, k := range keys {
		if r.of(k) != nil {
			out = append(out, fmt.Sprint(i))
		}
	}
	return strings.Join(out, " ")
}

func TestRangesGiveOnlyWhatTheyIntroduce(t *testing.T) {
	g := newGitRepo(t)
	old, mid, side, said := g.m.B10(), g.m.B10(), g.m.B10(), g.m.B10()
	a := g.commit("f.txt", old+"\n")
	b := g.commit("f.txt", old+"\n"+mid+"\n") // the old key is in what is new, too
	g.git("checkout", "-q", "-b", "side", a)
	g.commit("side.txt", side)
	g.git("checkout", "-q", "main")
	c := g.commitAll("say " + said)
	g.git("tag", "-a", "-m", "x", "v1", b)
	for _, test := range []struct {
		scope git.Scope
		want  string
	}{
		{git.Scope{Range: a + ".." + b}, "1"},
		{git.Scope{Range: a + "..HEAD"}, "1 3"},
		{git.Scope{Range: "HEAD~1.."}, "3"},
		{git.Scope{Range: "v1..main"}, "3"},
		{git.Scope{Range: b[:9] + "..@"}, "3"},
		{git.Scope{Range: "main..side"}, "2"},
		{git.Scope{Range: "main...side"}, "1 2 3"},
		{git.Scope{Range: c + ".." + a}, ""},
		{git.Scope{Since: a}, "1 2 3"},
		{git.Scope{Since: c}, "2"},
		{git.Scope{Since: "2001-01-01"}, "0 1 2 3"},
		{git.Scope{Since: "1d"}, ""},
		{git.Scope{Updates: []git.Update{{Old: a, New: b}}}, "1"},
		{git.Scope{Updates: []git.Update{{Old: strings.Repeat("0", 40), New: c}}, Except: []string{"refs/heads/side"}}, "1 3"},
		{git.Scope{Updates: []git.Update{{Old: c, New: strings.Repeat("0", 40)}}}, ""},
	} {
		r := g.scope(test.scope)
		if got := r.keysIn(old, mid, side, said); got != test.want || len(r.Problems) > 0 {
			t.Errorf("%+v: keys %q, want %q; problems %v", test.scope, got, test.want, r.Problems)
		}
		if r.Summary.Coverage[0].Scope == "" {
			t.Errorf("%+v: the scope is not told", test.scope)
		}
	}
	r := g.scope(git.Scope{Range: a + ".." + b})
	if at := r.of(mid); len(at) != 1 || at[0].Commit != b || at[0].Line != 2 || !at[0].AtHead {
		t.Errorf("place: %+v", at)
	}
	if r := g.scope(git.Scope{Range: "nosuch..HEAD"}); len(r.Problems) != 1 || r.Summary.Complete || !strings.Contains(r.Problems[0].Error, "nosuch") {
		t.Errorf("an unknown revision: %v", r.Problems)
	}
}

func TestRangesOfShallowClonesFail(t *testing.T) {
	g := newGitRepo(t)
	a := g.commit("a", "1")
	g.commit("a", "2")
	key := g.m.B10()
	g.commit("b", key)
	clone := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "clone"), at: g.at, m: g.m}
	g.git("clone", "-q", "--depth=2", "file://"+g.dir, clone.dir)
	for _, s := range []git.Scope{{Range: a + "..HEAD"}, {Since: a}, {Since: "2001-01-01"}, {Range: "HEAD~2..HEAD"}} {
		r := clone.scope(s)
		if r.Summary.Complete || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Hint, "fetch-depth: 0") {
			t.Errorf("%+v: complete %v, %+v", s, r.Summary.Complete, r.Problems)
		}
	}
	if r := clone.scope(git.Scope{Range: "HEAD~1..HEAD"}); !r.Summary.Complete || r.of(key) == nil {
		t.Errorf("a range that is there: %+v", r.Problems)
	}
	for _, ok := range []bool{false, true} {
		r := clone.history(git.Options{ShallowOK: ok})
		if r.Summary.Complete != ok || len(r.Problems) != 1 || r.Problems[0].Warning != ok || len(r.Summary.Coverage[0].Shallow) != 1 {
			t.Errorf("shallow, ok %v: %+v %+v", ok, r.Problems, r.Summary.Coverage)
		}
	}
}

func TestStaged(t *testing.T) {
	g := newGitRepo(t)
	old, fresh, again, worked := g.m.B10(), g.m.B10(), g.m.B10(), g.m.B10()
	staged := git.Scope{Staged: true}
	if r := g.scope(staged); !r.Summary.Complete || len(r.Findings) != 0 {
		t.Errorf("nothing yet: %+v", r.Problems)
	}
	g.write("deep/er/old.txt", old)
	g.git("add", ".")
	if r := g.scope(staged); !g.in(r, old, "deep/er/old.txt") {
		t.Errorf("before the first commit: %+v", r.Findings)
	}
	g.commitAll("first")
	if r := g.scope(staged); len(r.Findings) != 0 || !r.Summary.Complete {
		t.Errorf("nothing staged: %+v %+v", r.Findings, r.Problems)
	}
	g.write("deep/er/old.txt", "a line above\n"+old+"\n"+fresh)
	g.write("copy.txt", old) // HEAD has this key, and not here
	g.git("add", ".")
	g.write("deep/er/old.txt", worked) // in the work tree alone
	r := g.scope(staged)
	if r.keysIn(old, fresh, worked) != "0 1" || len(r.of(old)) != 1 || !g.in(r, old, "copy.txt") || r.of(fresh)[0].Object != "index" || r.of(fresh)[0].Line != 3 {
		t.Errorf("staged: %+v", r.Findings)
	}
	g.git("checkout", "-q", "-f", ".")
	g.git("reset", "-q", "--hard")

	// A linked work tree has an index of its own.
	tree := &gitRepo{t: t, dir: filepath.Join(t.TempDir(), "tree"), at: g.at, m: g.m}
	g.git("worktree", "add", "-q", tree.dir, "-b", "other")
	tree.write("w.txt", again)
	tree.git("add", "w.txt")
	if r := tree.scope(staged); !tree.in(r, again, "w.txt") {
		t.Errorf("linked work tree: %+v %+v", r.Findings, r.Problems)
	}
	if r := g.scope(staged); len(r.Findings) != 0 {
		t.Errorf("another work tree's index: %+v", r.Findings)
	}
	// A folder in the work tree stands for the repository.
	sub := scan(t, finding.LowConfidence, target.Of(filepath.Join(tree.dir, "deep/er"), target.Options{History: git.Options{Scope: staged}}))
	if len(sub.of(again)) != 1 {
		t.Errorf("from a subfolder: %+v", sub.Problems)
	}
	// git commit -a gives its hooks an index by name.
	index := filepath.Join(t.TempDir(), "index")
	data, err := os.ReadFile(filepath.Join(g.dir, ".git/worktrees/tree/index"))
	if err == nil {
		err = os.WriteFile(index, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := g.scope(git.Scope{Staged: true, IndexFile: index}); r.of(again) == nil {
		t.Error("GIT_INDEX_FILE is not read")
	}
}

func TestStagedDuringAMerge(t *testing.T) {
	g := newGitRepo(t)
	base, theirs := g.m.B10(), g.m.B10()
	g.commit("c.txt", base+"\n")
	g.git("checkout", "-q", "-b", "side")
	g.write("s.txt", theirs)
	g.commit("c.txt", base+"\nside\n")
	g.git("checkout", "-q", "main")
	g.commit("c.txt", base+"\nmain\n")
	g.input("", "config", "rerere.enabled", "false")
	g.git("merge", "-q", "-s", "ours", "--no-commit", "side")
	g.git("checkout", "side", "--", "s.txt")
	r := g.scope(git.Scope{Staged: true})
	if r.keysIn(base, theirs) != "1" || !g.in(r, theirs, "s.txt") {
		t.Errorf("%+v", r.Findings)
	}
}

func TestStagedFormsOfIndex(t *testing.T) {
	for _, form := range [][]string{{"index.version", "2"}, {"index.version", "4"}, {"core.splitIndex", "true"}, {"index.skipHash", "true"}} {
		for _, hash := range []string{"sha1", "sha256"} {
			g := newGitRepo(t, "--object-format="+hash)
			g.git("config", form[0], form[1])
			for i := range 30 {
				g.write(fmt.Sprintf("d%d/e/f%d.txt", i%4, i), fmt.Sprint(i))
			}
			g.commitAll("many")
			key := g.m.B10()
			g.write("d2/e/new.txt", key)
			g.git("add", ".")
			r := g.scope(git.Scope{Staged: true})
			if len(r.Problems) != 0 || !g.in(r, key, "d2/e/new.txt") || r.Summary.Objects != 1 {
				t.Errorf("%v %s: %d objects, %+v %+v", form, hash, r.Summary.Objects, r.Findings, r.Problems)
			}
		}
	}
}

func TestCommitMessageStopsAtTheScissors(t *testing.T) {
	dir := t.TempDir()
	m := newGitRepo(t).m
	said, cut := m.B10(), m.B10()
	write(t, dir, "MSG", "use "+said+"\n# a comment\n# ------------------------ >8 ------------------------\n# Do not modify\n-"+cut+"\n")
	r := scan(t, finding.LowConfidence, git.CommitMessage(filepath.Join(dir, "MSG")))
	if r.keysIn(said, cut) != "0" || r.of(said)[0].Exposure != finding.Staged {
		t.Errorf("%+v", r.Findings)
	}
}
