package scanner

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// A model is a history that the test knows all of: commit i has the keys
// has[i][path], and its parents are older than it.
type model struct {
	parents [][]int
	has     []map[string][]int
	tips    map[string]int // by branch
	head    int
}

var modelPaths = []string{"a.txt", "d/b.txt", "d/e/c.txt"}

// randomModel makes merges of any two commits, and files that gain and lose keys.
func randomModel(rnd *rand.Rand, commits, keys int) model {
	m := model{tips: map[string]int{}, head: commits - 1}
	for i := range commits {
		files := map[string][]int{}
		var parents []int
		if i > 0 && rnd.IntN(20) > 0 {
			parents = append(parents, max(0, i-1-rnd.IntN(4)))
			if other := rnd.IntN(i); rnd.IntN(4) == 0 && other != parents[0] {
				parents = append(parents, other)
			}
		}
		for _, p := range modelPaths {
			from := rnd.IntN(max(1, len(parents)))
			if len(parents) > 0 {
				files[p] = slices.Clone(m.has[parents[from]][p])
			}
			switch k := rnd.IntN(keys); {
			case rnd.IntN(5) > 0:
			case slices.Contains(files[p], k):
				files[p] = slices.DeleteFunc(files[p], func(x int) bool { return x == k })
			default:
				files[p] = append(files[p], k)
			}
		}
		m.parents, m.has = append(m.parents, parents), append(m.has, files)
	}
	for i := range 4 {
		m.tips[fmt.Sprintf("b%d", i)] = rnd.IntN(commits)
	}
	m.tips["main"] = m.head
	return m
}

// make gives the history to git, and returns the ids of the commits.
func (m model) make(g *gitRepo, keys []string) []string {
	var in strings.Builder
	for i, files := range m.has {
		fmt.Fprintf(&in, "reset refs/heads/scratch\ncommit refs/heads/scratch\nmark :%d\ncommitter c <c@e> %d +0000\ndata 1\nc\n", i+1, 1_700_000_000+60*i)
		for n, p := range m.parents[i] {
			fmt.Fprintf(&in, "%s :%d\n", []string{"from", "merge"}[n], p+1)
		}
		in.WriteString("deleteall\n")
		for _, p := range modelPaths {
			text := ""
			for _, k := range files[p] {
				text += "line\n" + keys[k] + "\n"
			}
			fmt.Fprintf(&in, "M 644 inline %s\ndata %d\n%s\n", p, len(text), text)
		}
	}
	for name, i := range m.tips {
		fmt.Fprintf(&in, "reset refs/heads/%s\nfrom :%d\n\n", name, i+1)
	}
	marks := filepath.Join(g.t.TempDir(), "marks")
	g.input(in.String(), "fast-import", "--quiet", "--force", "--export-marks="+marks)
	g.git("update-ref", "-d", "refs/heads/scratch")
	ids := make([]string, len(m.has))
	for line := range strings.Lines(read(g.t, filepath.Dir(marks), "marks")) {
		var mark int
		var id string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &id); err != nil {
			g.t.Fatal(err)
		}
		ids[mark-1] = id
	}
	return ids
}

func (m model) reaches(from int) []bool {
	seen := make([]bool, len(m.parents))
	var visit func(int)
	visit = func(i int) {
		if !seen[i] {
			seen[i] = true
			for _, p := range m.parents[i] {
				visit(p)
			}
		}
	}
	visit(from)
	return seen
}

// expect says by definition what must be told of a key at a path; not ok when it
// never was there.
func (m model) expect(key int, path string, ids []string) (l finding.Location, ok bool) {
	has := func(i int) bool { return slices.Contains(m.has[i][path], key) }
	named := make([]bool, len(ids))
	var intros []int
	for i, parents := range m.parents {
		if has(i) && !slices.ContainsFunc(parents, has) {
			intros = append(intros, i)
		}
	}
	if intros == nil {
		return l, false
	}
	had := func(i int) bool {
		r := m.reaches(i)
		return slices.ContainsFunc(intros, func(x int) bool { return r[x] })
	}
	for name, tip := range m.tips {
		for i, r := range m.reaches(tip) {
			named[i] = named[i] || r
		}
		if had(tip) {
			l.Refs = append(l.Refs, name)
		}
	}
	slices.Sort(l.Refs)
	l.Unreachable = l.Refs == nil
	first := intros[0]
	if i := slices.IndexFunc(intros, func(x int) bool { return named[x] }); i >= 0 {
		first = intros[i]
	}
	l.Commit, l.AtHead = ids[first], has(m.head)
	best := -1
	for i, parents := range m.parents {
		if l.AtHead || has(i) || !slices.ContainsFunc(parents, has) ||
			slices.ContainsFunc(parents, func(p int) bool { return !has(p) && had(p) }) {
			continue
		}
		rank := 0
		if named[i] {
			rank = 1
		}
		if m.reaches(m.head)[i] {
			rank = 2
		}
		if rank >= best {
			best, l.RemovedIn = rank, ids[i]
		}
	}
	return l, true
}

func TestLocateAgreesWithTheDefinition(t *testing.T) {
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		g := newGitRepo(t)
		keys := make([]string, 4)
		for i := range keys {
			keys[i] = g.m.B10()
		}
		m := randomModel(rnd, 40, len(keys))
		ids := m.make(g, keys)
		r := g.history(git.Options{Jobs: 1 + int(seed%3)})
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		places := 0
		for k, key := range keys {
			for _, path := range modelPaths {
				want, ok := m.expect(k, path, ids)
				if !ok {
					continue
				}
				places++
				i := slices.IndexFunc(r.of(key), func(l finding.Location) bool {
					return l.Path == filepath.ToSlash(g.dir)+"/"+path
				})
				if i < 0 {
					t.Errorf("seed %d: key %d is not told at %s", seed, k, path)
					continue
				}
				got := r.of(key)[i]
				if got.Commit != want.Commit || got.AtHead != want.AtHead || got.RemovedIn != want.RemovedIn || got.Unreachable != want.Unreachable || !slices.Equal(got.Refs, want.Refs) {
					t.Errorf("seed %d: key %d at %s:\n got %s %v removed %q %v\nwant %s %v removed %q %v", seed, k, path,
						got.Commit, got.AtHead, got.RemovedIn, got.Refs, want.Commit, want.AtHead, want.RemovedIn, want.Refs)
				}
			}
			for _, l := range r.of(key) {
				places--
				if seed > 1 {
					continue // each takes a run of git
				}
				if text := g.git("show", l.Blob); strings.Split(text, "\n")[l.Line-1] != key {
					t.Errorf("seed %d: line %d of %s is not the key's", seed, l.Line, l.Blob)
				}
			}
		}
		if places != 0 {
			t.Errorf("seed %d: %d places too few", seed, places)
		}
	}
}

// Ten folders in each other, each with the next under ten names, have one key
// under ten thousand million paths.
func TestTreesOfAbsurdlyManyPathsEnd(t *testing.T) {
	g := newGitRepo(t)
	blob := g.input(g.m.B10(), "hash-object", "-w", "--stdin")
	tree := g.input("100644 blob "+blob+"\tk\n", "mktree")
	for range 10 {
		var in strings.Builder
		for i := range 10 {
			fmt.Fprintf(&in, "040000 tree %s\td%d\n", tree, i)
		}
		tree = g.input(in.String(), "mktree")
	}
	g.git("update-ref", "refs/heads/main", g.git("commit-tree", "-m", "bomb", tree))
	r := g.history(git.Options{})
	if len(r.Findings) != 1 || r.Summary.Complete || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "more paths") {
		t.Errorf("%d findings, %+v", len(r.Findings), r.Problems)
	}
	if r := g.scope(git.Scope{Since: "2001-01-01"}); len(r.Findings) != 1 {
		t.Errorf("in a range: %d findings", len(r.Findings))
	}
}

// Forks and copies share objects. A key in one of them is listed for each repository of a
// folder, not for the first alone.
func TestTheSameObjectInSeveralRepositories(t *testing.T) {
	g := newGitRepo(t)
	inFile, inMessage := g.m.B10(), g.m.B10()
	g.commit("app/deploy.py", "k = '"+inFile+"'\n")
	g.git("commit", "-q", "--allow-empty", "-m", inMessage)
	folder := t.TempDir()
	for _, name := range []string{"app.git", "fork.git", "team/fork.git"} {
		g.git("clone", "-q", "--bare", g.dir, filepath.Join(folder, name))
	}
	r := scan(t, finding.HighConfidence, target.Of(folder, target.Options{}))
	for _, key := range []string{inFile, inMessage} {
		repositories := map[string]bool{}
		for _, l := range r.of(key) {
			repositories[l.Repository] = true
		}
		if len(repositories) != 3 {
			t.Errorf("%s is listed for %v", key[:12], repositories)
		}
	}
}
