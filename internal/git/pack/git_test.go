package pack

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/b10lint/b10lint/internal/gittest"
)

// A history is made by git fast-import: files that are edited line by line, a tag
// on every tenth commit.
type history struct {
	rnd   *rand.Rand
	files [][]string
	out   bytes.Buffer
	marks int
}

func newHistory(seed uint64, files, lines int) *history {
	h := &history{rnd: rand.New(rand.NewPCG(seed, 1))}
	for range files {
		var f []string
		for range lines {
			f = append(f, h.line())
		}
		h.files = append(h.files, f)
	}
	return h
}

func (h *history) line() string {
	return fmt.Sprintf("%x word %x and %d\n", h.rnd.Uint64(), h.rnd.Uint32(), h.rnd.IntN(1000))
}

// commit edits a few lines somewhere and commits all files.
func (h *history) commit(edit func(lines []string) []string) {
	i := h.rnd.IntN(len(h.files))
	h.files[i] = edit(h.files[i])
	h.marks++
	msg := fmt.Sprintf("change %d\n", h.marks)
	fmt.Fprintf(&h.out, "commit refs/heads/main\nauthor A <a@example.com> %d +0100\ncommitter C <c@example.com> %d +0000\n", 1700000000+h.marks, 1700000000+h.marks)
	fmt.Fprintf(&h.out, "data %d\n%s", len(msg), msg)
	for i, f := range h.files {
		data := strings.Join(f, "")
		fmt.Fprintf(&h.out, "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n", i%3, i, len(data), data)
	}
	if h.marks%10 == 0 {
		fmt.Fprintf(&h.out, "tag t%d\nfrom refs/heads/main\ntagger A <a@example.com> 1700000000 +0000\ndata %d\n%s", h.marks, len(msg), msg)
	}
}

func (h *history) edit(lines []string) []string {
	lines = slices.Clone(lines)
	switch at := h.rnd.IntN(len(lines)); h.rnd.IntN(4) {
	case 0:
		lines[at] = h.line()
	case 1:
		lines = slices.Insert(lines, at, h.line())
	case 2:
		lines = slices.Delete(lines, at, min(at+3, len(lines)-1))
	default:
		lines[at] = lines[at][:len(lines[at])/2] + "~\n"
	}
	return lines
}

func (h *history) edits(n int) {
	for range n {
		h.commit(h.edit)
	}
}

// flush imports what was committed since the last flush.
func (h *history) flush(tb testing.TB, dir string) {
	tb.Helper()
	in := h.out.String()
	if gittest.Run(tb, dir, "for-each-ref", "refs/heads/main") != "" {
		in = strings.Replace(in, "committer C", "committer C", 1)
		// The first commit continues the branch.
		head := gittest.Run(tb, dir, "rev-parse", "refs/heads/main")
		i := strings.Index(in, "M 100644")
		in = in[:i] + "from " + head + "\n" + in[i:]
	}
	gittest.Pipe(tb, dir, []byte(in), "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
	h.out.Reset()
}

// makeRepo makes a repository with n commits in one pack of deep delta chains.
func makeRepo(tb testing.TB, seed uint64, n int, initArgs ...string) (string, *history) {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "repo")
	gittest.Run(tb, filepath.Dir(dir), append([]string{"init", "-q", "-b", "main", dir}, initArgs...)...)
	h := newHistory(seed, 5, 120)
	h.edits(n)
	h.flush(tb, dir)
	gittest.Run(tb, dir, "repack", "-adfq", "--depth=50", "--window=20")
	return dir, h
}

// oracle is what git says of every object: "kind size" by id.
func oracle(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	all := map[string]string{}
	for line := range strings.Lines(gittest.Run(tb, dir, "cat-file", "--batch-all-objects", "--batch-check", "--unordered", "--buffer") + "\n") {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[id] = rest
	}
	return all
}

// problems collects the problems of a store.
type problems struct {
	mu  sync.Mutex
	all []Problem
}

func (p *problems) add(pr Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, pr)
}

func openTest(tb testing.TB, dir string, opts Options) (*Store, *problems) {
	tb.Helper()
	p := &problems{}
	opts.Problem = p.add
	s, err := Open(dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s, p
}

// swept is what a sweep handed over, "kind size" by id, put together from windows.
type swept struct {
	mu      sync.Mutex
	objects map[string]string
	twice   []string
	wrong   []string
	fresh   int // objects that were handed over in part
	partial map[string]*partial
}

type partial struct {
	next int64
	sum  *hasher
}

func (s *swept) object(o *Object) (int, error) {
	id := o.ID.String()
	if o.Window != nil {
		return 0, s.window(id, o)
	}
	sum := newHasher(int(o.ID.size)).object(o.Kind, o.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(id, o.Kind, int64(len(o.Data)), sum == o.ID)
	if o.Fresh != nil {
		s.fresh++
	}
	return 0, nil
}

func (s *swept) note(id string, kind Kind, size int64, right bool) {
	if _, ok := s.objects[id]; ok {
		s.twice = append(s.twice, id)
	}
	if !right {
		s.wrong = append(s.wrong, id)
	}
	s.objects[id] = kind.String() + " " + strconv.FormatInt(size, 10)
}

// window checks that the windows of an object come in order and own each byte
// once, and that they add up to the object.
func (s *swept) window(id string, o *Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := o.Window
	p := s.partial[id]
	if p == nil {
		p = &partial{sum: newHasher(int(o.ID.size))}
		p.sum.begin(o.Kind, w.Size)
		s.partial[id] = p
	}
	if start := w.Offset + int64(w.Own.Start); start != p.next {
		return fmt.Errorf("window owns from %d, want %d", start, p.next)
	}
	p.sum.Write(o.Data[w.Own.Start:w.Own.End])
	p.next += int64(w.Own.End - w.Own.Start)
	if w.Last {
		s.note(id, o.Kind, p.next, p.sum.end() == o.ID && p.next == w.Size)
	}
	return nil
}

func sweepTest(tb testing.TB, s *Store, opts SweepOptions) (*swept, SweepStats) {
	tb.Helper()
	got := &swept{objects: map[string]string{}, partial: map[string]*partial{}}
	stats, err := s.Sweep(context.Background(), got.object, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return got, stats
}

// checkSweep compares a sweep with what git says is there.
func checkSweep(tb testing.TB, dir string, got *swept, stats SweepStats) {
	tb.Helper()
	want := oracle(tb, dir)
	trees := 0
	for id, what := range want {
		if strings.HasPrefix(what, "tree ") && stats.Handed[Tree] == 0 {
			trees++
			delete(want, id)
		}
	}
	checkObjects(tb, got, want)
	var handed int64
	for _, n := range stats.Handed {
		handed += n
	}
	if handed != int64(len(want)) || stats.Others[Tree] != int64(trees) || stats.Failed != 0 {
		tb.Errorf("stats %+v: want %d handed over, %d trees", stats, len(want), trees)
	}
}

func checkObjects(tb testing.TB, got *swept, want map[string]string) {
	tb.Helper()
	missing, other := 0, 0
	for id, what := range want {
		switch got.objects[id] {
		case what:
		case "":
			missing++
		default:
			tb.Errorf("%s is %q, want %q", id, got.objects[id], what)
		}
	}
	for id := range got.objects {
		if want[id] == "" {
			other++
		}
	}
	if missing > 0 || other > 0 || len(got.twice) > 0 || len(got.wrong) > 0 {
		tb.Errorf("of %d objects %d were missing, %d twice, %d with other content; %d are not in the store",
			len(want), missing, len(got.twice), len(got.wrong), other)
	}
}

func noProblems(tb testing.TB, p *problems) {
	tb.Helper()
	for i, pr := range p.all {
		if i == 5 {
			tb.Fatalf("and %d more", len(p.all)-5)
		}
		tb.Errorf("problem: %v", pr)
	}
}
