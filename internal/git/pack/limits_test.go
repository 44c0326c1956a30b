package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestWindows has large objects, packed and loose, handed over in windows.
func TestWindows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	random := make([]byte, 10_000)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	for _, size := range []int{999, 1000, 1001, 1255, 1256, 1257, 1511, 1512, 1513, 5000, 10_000} {
		for _, overlap := range []int{1, 16, 128, 256} {
			dir := bareDir(t)
			b := newPackBuilder()
			packed, _ := b.blob(string(random[:size]))
			b.write(t, dir, "a")
			text := string(random[len(random)-size:]) + "loose"
			loose := idOf(Blob, text)
			writeLoose(t, dir, loose, deflate(fmt.Sprintf("blob %d\x00%s", len(text), text)))
			s, p := openTest(t, dir, Options{streamOver: 1000})
			got, stats := sweepTest(t, s, SweepOptions{window: 256, overlap: overlap, verify: true})
			checkObjects(t, got, map[string]string{
				packed.String(): fmt.Sprintf("blob %d", size),
				loose.String():  fmt.Sprintf("blob %d", len(text)),
			})
			noProblems(t, p)
			if stats.Handed[Blob] != 2 || stats.bytes != int64(size+len(text)) {
				t.Errorf("stats %+v", stats)
			}
			if len(got.partial) != 2 && size > 1000 {
				t.Errorf("%d objects came in windows", len(got.partial))
			}
		}
	}
}

// TestWindowsDamaged has large objects whose stream is damaged near its end, is
// shorter or longer than declared, or is another object's.
func TestWindowsDamaged(t *testing.T) {
	text := strings.Repeat("a line of a large object\n", 4000)
	sound := deflate(text)
	damaged := bytes.Clone(sound)
	damaged[len(damaged)-3] ^= 0x55
	size := uint64(len(text))
	for name, parts := range map[string][2][]byte{
		"checksum":  {entryHeader(byte(Blob), size), damaged},
		"too short": {entryHeader(byte(Blob), size+1), sound},
		"too long":  {entryHeader(byte(Blob), size-1), sound},
		"cut off":   {entryHeader(byte(Blob), size), sound[:len(sound)-10]},
		"other":     {entryHeader(byte(Blob), size), deflate(strings.ToUpper(text))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := bareDir(t)
			b := newPackBuilder()
			id := idOf(Blob, text)
			b.raw(id, parts[0], parts[1])
			b.write(t, dir, "a")
			s, p := openTest(t, dir, Options{streamOver: 1000})
			_, stats := sweepTest(t, s, SweepOptions{window: 4096, overlap: 16, verify: true})
			wantProblem(t, p, id, nil)
			if len(p.all) != 1 || (stats.Failed == 1) == errors.Is(p.all[0], ErrWrongContent) {
				t.Errorf("stats %+v, problems %v", stats, p.all)
			}
		})
	}
}

// TestDeepChain has a delta chain far deeper than git makes. It must take neither
// stack nor memory in step with its depth.
func TestDeepChain(t *testing.T) {
	const depth, size = 20_000, 50_000
	b := newPackBuilder()
	_, at := b.blob(strings.Repeat("x", size))
	for i := range depth {
		text := fmt.Sprintf("%08d", i)
		var id ID
		id.size = uint8(copy(id.sum[:sha1Size], text+"............"))
		at = b.ofs(id, at, deltaOf(size, size, insert(text), copyFrom(8, size-8)))
	}
	dir := bareDir(t)
	b.write(t, dir, "a")
	s, p := openTest(t, dir, Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var n atomic.Int64
	_, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
		n.Add(1)
		return 0, nil
	}, SweepOptions{Jobs: 4})
	runtime.ReadMemStats(&after)
	if err != nil || n.Load() != depth+1 {
		t.Errorf("%d objects, %v", n.Load(), err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("allocated %d bytes", got)
	}
	noProblems(t, p)
}

// TestWideFamily has one base with many deltas, each with some of its own, which
// several workers have to share.
func TestWideFamily(t *testing.T) {
	base := strings.Repeat("the base of a wide family\n", 1000)
	n := len(base)
	b := newPackBuilder()
	id, at := b.blob(base)
	want := map[string]string{id.String(): fmt.Sprintf("blob %d", n)}
	for i := range 300 {
		add := fmt.Sprintf("<%d>", i)
		text := add + base
		id := idOf(Blob, text)
		child := b.ofs(id, at, deltaOf(n, len(text), insert(add), copyFrom(0, uint32(n))))
		want[id.String()] = fmt.Sprintf("blob %d", len(text))
		for j := range i % 4 {
			more := fmt.Sprintf("%s{%d}", text, j)
			id := idOf(Blob, more)
			b.ofs(id, child, deltaOf(len(text), len(more), copyFrom(0, uint32(len(text))), insert(more[len(text):])))
			want[id.String()] = fmt.Sprintf("blob %d", len(more))
		}
	}
	dir := bareDir(t)
	b.write(t, dir, "a")
	s, p := openTest(t, dir, Options{})
	for _, jobs := range []int{1, 2, 3, 8} {
		got, stats := sweepTest(t, s, SweepOptions{Jobs: jobs})
		checkObjects(t, got, want)
		if stats.fresh > int64(n+20*len(want)) {
			t.Errorf("%d bytes were fresh", stats.fresh)
		}
	}
	noProblems(t, p)
}

// TestHoldMost has large chains that are within the limit, and beyond it.
func TestHoldMost(t *testing.T) {
	const size = 20 << 20
	zeros := strings.Repeat("\x00", size)
	for _, most := range []int64{3 * size, size + size/2} {
		dir := bareDir(t)
		b := newPackBuilder()
		good := map[string]string{}
		var bad []ID
		for i := range 3 {
			text := string(rune('a'+i)) + zeros
			id, at := b.blob(text)
			good[id.String()] = fmt.Sprintf("blob %d", size+1)
			child := idOf(Blob, text+"!")
			b.ofs(child, at, deltaOf(size+1, size+2, strings.Repeat(copyFrom(1, 1<<20), 20), insert("!!")))
			bad = append(bad, child)
		}
		b.write(t, dir, "a")
		s, p := openTest(t, dir, Options{holdMost: most})
		var n atomic.Int64
		_, err := s.Sweep(context.Background(), func(o *Object) (int, error) { n.Add(1); return 0, nil }, SweepOptions{Jobs: 3})
		if err != nil {
			t.Fatal(err)
		}
		if most > 2*size {
			noProblems(t, p)
			if n.Load() != 6 {
				t.Errorf("%d objects, want 6", n.Load())
			}
			continue
		}
		for _, id := range bad {
			wantProblem(t, p, id, errTooLarge)
		}
		if n.Load() != int64(len(good)) {
			t.Errorf("%d objects, want %d", n.Load(), len(good))
		}
	}
}

// TestExpandMost uses up what may be made of deltas.
func TestExpandMost(t *testing.T) {
	w := &maker{sw: &sweep{}}
	w.sw.expand.Store(100 << 20)
	for i := range 100 {
		if err := w.spend(1 << 20); err != nil {
			t.Fatalf("after %d MiB: %v", i, err)
		}
	}
	var err error
	for range 64 {
		err = errors.Join(err, w.spend(1<<20))
	}
	if !errors.Is(err, errTooLarge) {
		t.Errorf("got %v, want %v", err, errTooLarge)
	}
}

// TestTruncatedUnderway cuts the pack short while it is mapped and being read.
func TestTruncatedUnderway(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file cannot be cut short there")
	}
	dir := bareDir(t)
	b := newPackBuilder()
	rnd := rand.New(rand.NewPCG(1, 1))
	text := make([]byte, 100_000)
	for range 200 {
		for i := range text {
			text[i] = byte(rnd.Uint32())
		}
		b.blob(string(text))
	}
	path, _ := b.write(t, dir, "a")
	s, p := openTest(t, dir, Options{})
	cut := sync.OnceValue(func() error { return os.Truncate(path, 1000) }) // the others wait for it
	_, err := s.Sweep(context.Background(), func(*Object) (int, error) { return 0, cut() }, SweepOptions{Jobs: 2})
	if err != nil || len(p.all) < 150 || !errors.Is(p.all[0], errChanged) {
		t.Errorf("%v, %d problems", err, len(p.all))
	}
	if _, _, err := s.Reader().Object(p.all[0].ID); !errors.Is(err, errChanged) {
		t.Errorf("reading one gave %v", err)
	}
}

// TestSkipPacks sweeps one pack, then the rest.
func TestSkipPacks(t *testing.T) {
	dir := bareDir(t)
	old := newPackBuilder()
	n := len(goodBase)
	_, at := old.blob(goodBase)
	inBoth := idOf(Blob, goodBase+"?")
	old.ofs(inBoth, at, deltaOf(n, n+1, copyFrom(0, uint32(n)), insert("?")))
	path, _ := old.write(t, dir, "old")
	added := newPackBuilder()
	added.blob(goodBase + "?")
	fromOld := idOf(Blob, goodBase+"!")
	added.ref(fromOld, inBoth, deltaOf(n+1, n+1, copyFrom(0, uint32(n)), insert("!")))
	added.write(t, dir, "new")
	s, p := openTest(t, dir, Options{})
	whole := true
	var mu = make(chan struct{}, 1)
	handed := map[ID]bool{}
	stats, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
		mu <- struct{}{}
		defer func() { <-mu }()
		handed[o.ID] = true
		whole = whole && o.Fresh == nil
		return 0, nil
	}, SweepOptions{SkipPacks: []string{path}})
	if err != nil || len(handed) != 1 || !handed[fromOld] {
		t.Errorf("handed over %v, %v", handed, err)
	}
	if !whole {
		t.Error("an object made from one that was not looked at must be looked at whole")
	}
	if stats.Seen[Blob] != 2 || stats.copies != 1 || stats.packed != 4 {
		t.Errorf("stats %+v", stats)
	}
	if held := s.HeldBy(inBoth); len(held) != 2 {
		t.Errorf("held by %v", held)
	}
	noProblems(t, p)
}
