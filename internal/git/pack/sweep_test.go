package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/internal/gittest"
)

// TestSweepRepositories compares a sweep with git for every shape a store can
// have. Each case changes a repository of 150 commits in one pack.
func TestSweepRepositories(t *testing.T) {
	tests := []struct {
		name   string
		init   []string
		change func(t *testing.T, dir string, h *history) (open string)
	}{
		{name: "one pack"},
		{name: "sha256", init: []string{"--object-format=sha256"}},
		{name: "several packs", change: severalPacks},
		{name: "several packs sha256", init: []string{"--object-format=sha256"}, change: severalPacks},
		{name: "loose", change: looseObjects},
		{name: "loose sha256", init: []string{"--object-format=sha256"}, change: looseObjects},
		{name: "all loose", change: func(t *testing.T, dir string, h *history) string {
			unpackAll(t, dir)
			return dir
		}},
		{name: "copies in packs and loose", change: func(t *testing.T, dir string, h *history) string {
			severalPacks(t, dir, h)
			pack := gittest.Pipe(t, dir, []byte(gittest.Run(t, dir, "rev-list", "--objects", "-20", "main")), "pack-objects", "--stdout", "-q")
			gittest.Pipe(t, dir, pack, "index-pack", "--stdin")
			id := mustID(t, gittest.Run(t, dir, "rev-parse", "main:dir0/file0.txt"))
			data := gittest.Pipe(t, dir, nil, "cat-file", "blob", id.String())
			writeLoose(t, filepath.Join(dir, ".git"), id, deflate(fmt.Sprintf("blob %d\x00%s", len(data), data)))
			return dir
		}},
		{name: "multi-pack-index, single indexes gone", change: func(t *testing.T, dir string, h *history) string {
			severalPacks(t, dir, h)
			gittest.Run(t, dir, "multi-pack-index", "write")
			return removeIndexes(t, dir)
		}},
		{name: "no index", change: func(t *testing.T, dir string, h *history) string {
			return removeIndexes(t, severalPacks(t, dir, h))
		}},
		{name: "no index sha256", init: []string{"--object-format=sha256"}, change: func(t *testing.T, dir string, h *history) string {
			return removeIndexes(t, dir)
		}},
		{name: "index version 1", change: func(t *testing.T, dir string, h *history) string {
			for _, p := range packsOf(t, dir) {
				os.Remove(strings.TrimSuffix(p, ".pack") + ".idx")
				gittest.Run(t, dir, "index-pack", "--index-version=1", p)
			}
			return dir
		}},
		{name: "64-bit offsets", change: func(t *testing.T, dir string, h *history) string {
			for _, p := range packsOf(t, dir) {
				os.Remove(strings.TrimSuffix(p, ".pack") + ".idx")
				gittest.Run(t, dir, "index-pack", "--index-version=2,0x1000", p)
			}
			return dir
		}},
		{name: "ref deltas", change: func(t *testing.T, dir string, h *history) string {
			gittest.Run(t, dir, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50")
			return dir
		}},
		{name: "ref deltas no index", change: func(t *testing.T, dir string, h *history) string {
			gittest.Run(t, dir, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50")
			return removeIndexes(t, dir)
		}},
		{name: "worktree", change: func(t *testing.T, dir string, h *history) string {
			wt := filepath.Join(t.TempDir(), "wt")
			gittest.Run(t, dir, "worktree", "add", "-q", "--detach", wt, "main")
			return wt
		}},
		{name: "bare, alternate", change: func(t *testing.T, dir string, h *history) string {
			bare := filepath.Join(t.TempDir(), "bare.git")
			gittest.Run(t, dir, "clone", "-q", "--bare", "--shared", dir, bare)
			gittest.Pipe(t, bare, []byte("only here"), "hash-object", "-w", "--stdin")
			return bare
		}},
		{name: "no config", init: []string{"--object-format=sha256"}, change: func(t *testing.T, dir string, h *history) string {
			return dir
		}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, h := makeRepo(t, uint64(i), 150, tt.init...)
			open := dir
			if tt.change != nil {
				open = tt.change(t, dir, h)
			}
			asked := open
			if strings.HasSuffix(tt.name, "gone") || strings.Contains(tt.name, "no index") {
				asked = indexCopies(t, open)
			}
			for _, opts := range []SweepOptions{{Jobs: 1}, {Jobs: 4, verify: true}, {Kinds: KindSet(Tree, Commit, Blob, Tag)}} {
				s, p := openTest(t, open, Options{})
				got, stats := sweepTest(t, s, opts)
				checkSweep(t, asked, got, stats)
				noProblems(t, p)
				if tt.name == "one pack" && got.fresh == 0 {
					t.Error("no object was handed over as a delta")
				}
				checkReader(t, s, asked)
			}
		})
	}
}

// kindsOf gives every object of the forest, with the kind that headers tell; 0 for a
// loose one.
func kindsOf(t *testing.T, s *Store) map[ID]Kind {
	t.Helper()
	f, err := s.forest(context.Background(), SweepOptions{Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	all := map[ID]Kind{}
	for _, g := range f.groups {
		for rank := range g.n {
			if n := g.base + node(rank); !f.isCopy(n) {
				all[IDFromBytes(g.id(rank))] = f.kind[n]
			}
		}
	}
	return all
}

// checkReader compares the forest, WithPrefix and a Reader with git.
func checkReader(t *testing.T, s *Store, dir string) {
	t.Helper()
	want := oracle(t, dir)
	kinds := kindsOf(t, s)
	if len(kinds) != len(want) {
		t.Errorf("%d objects are in the forest, want %d", len(kinds), len(want))
	}
	r := s.Reader()
	var named int
	for b := range 256 {
		for _, id := range s.WithPrefix(fmt.Sprintf("%02x", b)) {
			named++
			word, _, _ := strings.Cut(want[id.String()], " ")
			kind, data, err := r.Object(id)
			if err != nil || kind.String() != word || newHasher(s.hash).object(kind, data) != id {
				t.Errorf("reading %s: a %s, want %q: %v", id, kind, word, err)
			}
			if k, ok := kinds[id]; !ok || k != kind && k != 0 {
				t.Errorf("%s is a %s in the forest, want a %s", id, k, kind)
			}
			if ids := s.WithPrefix(id.String()[:9]); !slices.Contains(ids, id) || len(ids) > 2 {
				t.Errorf("%s is abbreviated by %v", id, ids)
			}
		}
	}
	if named != len(want) {
		t.Errorf("%d objects have a prefix, want %d", named, len(want))
	}
	if ids := slices.Concat(s.WithPrefix("x"), s.WithPrefix("xyz"), s.WithPrefix(strings.Repeat("0", 65))); ids != nil {
		t.Errorf("no prefix gives %v", ids)
	}
}

func packsOf(t testing.TB, dir string) []string {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(gittest.Run(t, dir, "rev-parse", "--path-format=absolute", "--git-common-dir"), "objects/pack/*.pack"))
	if err != nil || len(packs) == 0 {
		t.Fatal("no packs", err)
	}
	return packs
}

func severalPacks(t *testing.T, dir string, h *history) string {
	for range 3 {
		h.edits(40)
		h.flush(t, dir)
		gittest.Run(t, dir, "repack", "-q", "-d")
	}
	if n := len(packsOf(t, dir)); n != 4 {
		t.Fatalf("%d packs, want 4", n)
	}
	return dir
}

func looseObjects(t *testing.T, dir string, h *history) string {
	for _, text := range []string{"", "dangling", strings.Repeat("long ", 1<<16)} {
		gittest.Pipe(t, dir, []byte(text), "hash-object", "-w", "--stdin")
	}
	gittest.Run(t, dir, "commit-tree", "-m", "dangling commit", gitTree(t, dir))
	return dir
}

// gitTree writes a tree of one file, loose.
func gitTree(t *testing.T, dir string) string {
	blob := strings.TrimSpace(string(gittest.Pipe(t, dir, []byte("in a tree"), "hash-object", "-w", "--stdin")))
	return strings.TrimSpace(string(gittest.Pipe(t, dir, []byte("100644 blob "+blob+"\tname\n"), "mktree")))
}

func unpackAll(t *testing.T, dir string) {
	for _, p := range packsOf(t, dir) {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		aside := filepath.Join(t.TempDir(), "aside")
		if err := os.Rename(p, aside); err != nil {
			t.Fatal(err)
		}
		os.Remove(strings.TrimSuffix(p, ".pack") + ".idx")
		gittest.Pipe(t, dir, data, "unpack-objects", "-q")
	}
}

func removeIndexes(t *testing.T, dir string) string {
	for _, p := range packsOf(t, dir) {
		if err := os.Remove(strings.TrimSuffix(p, ".pack") + ".idx"); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// indexCopies copies a repository and gives the copy the indexes that git needs.
func indexCopies(t *testing.T, dir string) string {
	clone := filepath.Join(t.TempDir(), "asked")
	if err := os.CopyFS(clone, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	packs, _ := filepath.Glob(filepath.Join(clone, ".git/objects/pack/*.pack"))
	for _, p := range packs {
		gittest.Run(t, clone, "index-pack", p)
	}
	return clone
}

// TestSweepTestRepositories runs over the repositories in B10LINT_TEST_REPOS.
func TestSweepTestRepositories(t *testing.T) {
	for _, dir := range benchRepos(t) {
		s, p := openTest(t, dir, Options{})
		got, stats := sweepTest(t, s, SweepOptions{})
		checkSweep(t, dir, got, stats)
		noProblems(t, p)
		t.Logf("%s: %+v", dir, stats)
	}
}

// TestSweepStops has the callback fail, and the context end.
func TestSweepStops(t *testing.T) {
	dir, _ := makeRepo(t, 1, 100)
	s, _ := openTest(t, dir, Options{})
	enough := errors.New("enough")
	_, err := s.Sweep(context.Background(), func(*Object) (int, error) { return 0, enough }, SweepOptions{Jobs: 3})
	if err != enough {
		t.Errorf("got %v, want the callback's error", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		_, err := s.Sweep(ctx, func(*Object) (int, error) {
			if n++; n == 5 {
				cancel()
				synctest.Wait() // for the sweep to notice
			}
			return 0, nil
		}, SweepOptions{Jobs: 1})
		if !errors.Is(err, context.Canceled) || n != 5 {
			t.Errorf("after %d objects: %v, want %v after 5", n, err, context.Canceled)
		}
	})
}

// TestSweepHits plants tokens in a history, some of which complete one by a small
// edit or by the removal of what was in between, and wants the same objects from a
// sweep that looks at fresh bytes only as from one that looks at all.
func TestSweepHits(t *testing.T) {
	dir, h := makeRepo(t, 7, 20)
	token := "TOKEN-" + strings.Repeat("x", 10)
	plant := func(text string) {
		h.commit(func(lines []string) []string {
			lines = append([]string{}, lines...)
			lines[h.rnd.IntN(len(lines))] = text
			return lines
		})
		h.edits(5)
	}
	for range 4 {
		plant("a " + token + " b\n")
		plant("a " + token[:9] + "#" + token[9:] + " b\n") // not a token
		for i, f := range h.files {                        // by an edit it becomes one
			for j, l := range f {
				h.files[i][j] = strings.Replace(l, "#", "", 1)
			}
		}
		h.edits(5)
	}
	h.flush(t, dir)
	gittest.Run(t, dir, "repack", "-adfq", "--depth=50", "--window=50")
	s, p := openTest(t, dir, Options{})
	want := findTokens(t, s, token, true)
	got := findTokens(t, s, token, false)
	if len(want) == 0 || len(got) != len(want) {
		t.Errorf("%d objects hold the token, want %d", len(got), len(want))
	}
	for id := range want {
		if !got[id] {
			t.Errorf("%v was not found", id)
		}
	}
	noProblems(t, p)
}

// TestSweepSameForAnyJobs compares what is handed over, spans and all, when some
// objects have hits.
func TestSweepSameForAnyJobs(t *testing.T) {
	dir, _ := makeRepo(t, 8, 200)
	s, _ := openTest(t, dir, Options{})
	handed := func(jobs int) map[string]string {
		all := map[string]string{}
		var mu sync.Mutex
		_, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			all[o.ID.String()] = fmt.Sprint(o.Kind, len(o.Data), o.Fresh == nil, o.Fresh)
			if o.ID.sum[0]%8 == 0 {
				return 1, nil
			}
			return 0, nil
		}, SweepOptions{Jobs: jobs})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	want := handed(1)
	for _, jobs := range []int{2, 3, 7} {
		if diff := cmp.Diff(want, handed(jobs)); diff != "" {
			t.Errorf("%d jobs (-one +more):\n%s", jobs, diff)
		}
	}
}

func findTokens(t *testing.T, s *Store, token string, all bool) map[ID]bool {
	hits := &swept{objects: map[string]string{}}
	found := map[ID]bool{}
	_, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
		fresh := o.Fresh
		if all || fresh == nil {
			fresh = []Span{{Start: 0, End: len(o.Data)}}
		}
		n := 0
		for _, f := range fresh {
			n += bytes.Count(o.Data[max(0, f.Start-len(token)+1):min(len(o.Data), f.End+len(token)-1)], []byte(token))
		}
		if n > 0 {
			hits.mu.Lock()
			defer hits.mu.Unlock()
			found[o.ID] = true
		}
		return n, nil
	}, SweepOptions{Jobs: 3})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
