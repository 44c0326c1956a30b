package pack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

const goodBase = "a base of some length to copy from\n"

// TestHostileEntries has one pack with sound objects and a damaged one. The sound
// ones must be handed over, and the damaged one named with the right error, and
// so must what was made from it.
func TestHostileEntries(t *testing.T) {
	n := len(goodBase)
	bad := idOf(Blob, "the damaged one")
	other := idOf(Blob, "another one")
	corrupt := deflate(strings.Repeat("text to be damaged ", 20))
	corrupt[len(corrupt)/2] ^= 0xff
	adler := deflate("sound but for the checksum")
	adler[len(adler)-1] ^= 1
	ofs := func(delta string) func(b *packBuilder, base uint64) {
		return func(b *packBuilder, base uint64) { b.ofs(bad, base, delta) }
	}
	raw := func(parts ...[]byte) func(b *packBuilder, base uint64) {
		return func(b *packBuilder, base uint64) { b.raw(bad, parts...) }
	}
	tests := []struct {
		name string
		add  func(b *packBuilder, base uint64)
		want error // nil: any
	}{
		{"copy past the end of the base", ofs(deltaOf(n, 5, copyFrom(uint32(n)-4, 5))), errDeltaCopy},
		{"copy from far outside", ofs(deltaOf(n, 5, copyFrom(1<<31, 5))), errDeltaCopy},
		{"copy of size 0 means 64 KiB", ofs(deltaOf(n, n, "\x80")), errDeltaCopy},
		{"base of another length", ofs(deltaOf(n+1, 1, insert("x"))), errDeltaBase},
		{"result shorter than declared", ofs(deltaOf(n, 10, insert("x"))), errDeltaSize},
		{"result longer than declared", ofs(deltaOf(n, 1, insert("xyz"))), errDeltaSize},
		{"result declared in the terabytes", ofs(deltaOf(n, 1<<42, insert("x"))), errDeltaSize},
		{"reserved command", ofs(deltaOf(n, 1, "\x00")), errDeltaCommand},
		{"insert past the end of the delta", ofs(deltaOf(n, 5, "\x05abc")), errTruncated},
		{"copy command cut off", ofs(deltaOf(n, 5, "\xff\x00")), errTruncated},
		{"delta without lengths", ofs(""), errTruncated},
		{"length of 70 bits", ofs(strings.Repeat("\xff", 12)), errEntrySize},
		{"base between two objects", func(b *packBuilder, base uint64) { b.ofs(bad, base+3, deltaOf(n, 1, insert("x"))) }, errBaseOffset},
		{"base is the object itself", raw(entryHeader(ofsDelta, 3), []byte{0}, deflate("abc")), errBaseOffset},
		{"base before the pack", raw(entryHeader(ofsDelta, 3), backOffset(1<<40), deflate("abc")), errBaseOffset},
		{"base offset of 80 bits", raw(entryHeader(ofsDelta, 3), bytes.Repeat([]byte{0xff}, 12)), errBaseOffset},
		{"base that is nowhere", func(b *packBuilder, _ uint64) { b.ref(bad, other, deltaOf(n, 1, insert("x"))) }, errBaseMissing},
		{"base by id is the object itself", func(b *packBuilder, _ uint64) { b.ref(bad, bad, deltaOf(n, 1, insert("x"))) }, errCycle},
		{"size of a terabyte in a few bytes", raw(entryHeader(byte(Blob), 1<<40), deflate("x")), errAbsurdSize},
		{"size of a gigabyte in a few bytes", raw(entryHeader(byte(Blob), 1<<30), deflate("x")), errAbsurdSize},
		{"size of 70 bits", raw([]byte{0xbf}, bytes.Repeat([]byte{0xff}, 9)), errEntrySize},
		{"more content than declared", raw(entryHeader(byte(Blob), 3), deflate(strings.Repeat("0", 1<<20))), nil},
		{"less content than declared", raw(entryHeader(byte(Blob), 300), deflate("abc")), nil},
		{"corrupt deflate stream", raw(entryHeader(byte(Blob), 380), corrupt), nil},
		{"wrong checksum", raw(entryHeader(byte(Blob), 26), adler), nil},
		{"no stream at all", raw(entryHeader(byte(Blob), 26)), nil},
		{"type 0", raw(entryHeader(0, 3), deflate("abc")), errEntryType},
		{"type 5", raw(entryHeader(5, 3), deflate("abc")), errEntryType},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newPackBuilder()
			_, base := b.blob(goodBase)
			b.ofs(idOf(Blob, "a bas!"), base, deltaOf(n, 6, copyFrom(0, 5), insert("!")))
			at := uint64(b.pack.Len())
			tt.add(b, base)
			child := idOf(Blob, "made from the damaged one")
			b.ofs(child, at, deltaOf(n, 6, copyFrom(0, 5), insert("!")))
			b.blob("after it")
			dir := bareDir(t)
			b.write(t, dir, "a")
			s, p := openTest(t, dir, Options{})
			got, stats := sweepTest(t, s, SweepOptions{Jobs: 2})
			checkObjects(t, got, map[string]string{
				idOf(Blob, goodBase).String():   fmt.Sprintf("blob %d", n),
				idOf(Blob, "a bas!").String():   "blob 6",
				idOf(Blob, "after it").String(): "blob 8",
			})
			wantProblem(t, p, bad, tt.want)
			wantProblem(t, p, child, nil)
			if len(p.all) != 2 || stats.Failed != 2 {
				t.Errorf("%d problems and %d failed, want 2: %v", len(p.all), stats.Failed, p.all)
			}
			// As a stream: where the damaged entry ends may be unknown, so what comes
			// after it may be lost, and that is a problem.
			data, _ := b.bytes()
			s, p = receiveTest(t, bytes.NewReader(data), ReceiveOptions{})
			got, _ = sweepTest(t, s, SweepOptions{Jobs: 2, Identify: everyKind})
			if len(p.all) == 0 || got.objects[idOf(Blob, "a bas!").String()] == "" || got.objects[bad.String()] != "" {
				t.Errorf("as a stream: %v, problems %v", got.objects, p.all)
			}
		})
	}
}

func wantProblem(t *testing.T, p *problems, id ID, want error) {
	t.Helper()
	for _, pr := range p.all {
		if pr.ID == id {
			if want != nil && !errors.Is(pr, want) {
				t.Errorf("problem is %v, want %v", pr, want)
			}
			return
		}
	}
	t.Errorf("no problem names %v: %v", id, p.all)
}

// TestHostileCycle has two deltas that name each other, and what is made from one.
func TestHostileCycle(t *testing.T) {
	b := newPackBuilder()
	one, two, three := idOf(Blob, "1"), idOf(Blob, "2"), idOf(Blob, "3")
	off := b.ref(one, two, deltaOf(1, 1, insert("1")))
	b.ref(two, one, deltaOf(1, 1, insert("2")))
	b.ofs(three, off, deltaOf(1, 1, insert("3")))
	good, _ := b.blob("sound")
	dir := bareDir(t)
	b.write(t, dir, "a")
	s, p := openTest(t, dir, Options{})
	got, _ := sweepTest(t, s, SweepOptions{})
	checkObjects(t, got, map[string]string{good.String(): "blob 5"})
	for _, id := range []ID{one, two, three} {
		wantProblem(t, p, id, errCycle)
		if _, _, err := s.Reader().Object(id); !errors.Is(err, errCycle) {
			t.Errorf("reading one gave %v", err)
		}
	}
}

// TestRescue has an object damaged in one pack and sound in another: it and what
// was made from the damaged copy must be handed over, and nothing is a problem.
func TestRescue(t *testing.T) {
	good, _ := "sound\n", 0
	id := idOf(Blob, good)
	child := idOf(Blob, "sound!")
	a := newPackBuilder()
	at := a.raw(id, entryHeader(byte(Blob), 6), []byte("no stream"))
	a.ofs(child, at, deltaOf(6, 6, copyFrom(0, 5), insert("!")))
	orphan := idOf(Blob, "from a loose one")
	b := newPackBuilder()
	b.blob(good)
	b.ref(orphan, idOf(Blob, "a loose one"), deltaOf(11, 16, insert("from "), copyFrom(0, 11)))
	dir := bareDir(t)
	a.write(t, dir, "a")
	b.write(t, dir, "b")
	writeLoose(t, dir, idOf(Blob, "a loose one"), deflate("blob 11\x00a loose one"))
	s, p := openTest(t, dir, Options{})
	got, stats := sweepTest(t, s, SweepOptions{})
	checkObjects(t, got, map[string]string{
		id.String(): "blob 6", child.String(): "blob 6", orphan.String(): "blob 16",
		idOf(Blob, "a loose one").String(): "blob 11",
	})
	noProblems(t, p)
	if stats.copies != 1 {
		t.Errorf("%d copies, want 1", stats.copies)
	}
}

// TestHostileIndex damages the index of a sound pack. The pack can still be read
// in order, so nothing is lost; but it is a problem.
func TestHostileIndex(t *testing.T) {
	tests := []struct {
		name   string
		damage func(idx []byte) []byte
		want   error
	}{
		{"empty file", func(x []byte) []byte { return nil }, errTruncated},
		{"cut off in the fan-out table", func(x []byte) []byte { return x[:500] }, errTruncated},
		{"cut off at the end", func(x []byte) []byte { return x[:len(x)-21] }, errIndexSize},
		{"version 3", func(x []byte) []byte { x[7] = 3; return x }, errIndexMagic},
		{"fan-out not in order", func(x []byte) []byte { x[8+4*100] = 0xff; return x }, errIndexFanout},
		{"count of four billion", func(x []byte) []byte {
			copy(x[8+4*255:], "\xff\xff\xff\xff")
			return x
		}, errIndexSize},
		{"fan-out out of step", func(x []byte) []byte {
			for i := range 255 {
				copy(x[8+4*i:], "\x00\x00\x00\x00")
			}
			return x
		}, errIndexFanout},
		{"not sorted", func(x []byte) []byte { x[8+1024] ^= 0xff; return x }, errIndexOrder},
		{"fewer objects than the pack", func(x []byte) []byte {
			b := newPackBuilder()
			b.blob("only this")
			return b.index(x[len(x)-40 : len(x)-20])
		}, errIndexCount},
		{"of another pack", func(x []byte) []byte { x[len(x)-30] ^= 1; return x }, errIndexPack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newPackBuilder()
			want := map[string]string{}
			for i := range 20 {
				id, off := b.blob(fmt.Sprintf("blob number %02d", i))
				child := fmt.Sprintf("blob number %02d!", i)
				b.ofs(idOf(Blob, child), off, deltaOf(14, 15, copyFrom(0, 14), insert("!")))
				want[id.String()], want[idOf(Blob, child).String()] = "blob 14", "blob 15"
			}
			dir := bareDir(t)
			_, path := b.write(t, dir, "a")
			_, idx := b.bytes()
			writeFile(t, path, tt.damage(idx))
			s, p := openTest(t, dir, Options{})
			got, _ := sweepTest(t, s, SweepOptions{})
			checkObjects(t, got, want)
			if len(p.all) != 1 || !errors.Is(p.all[0], tt.want) {
				t.Errorf("problems %v, want %v", p.all, tt.want)
			}
		})
	}
}

// TestHostileOffsets has an index whose order is right and whose offsets are not.
func TestHostileOffsets(t *testing.T) {
	b := newPackBuilder()
	good, off := b.blob("sound")
	far, twice := idOf(Blob, "far"), idOf(Blob, "twice")
	b.entries = append(b.entries, builtEntry{far, 1 << 30}, builtEntry{twice, off},
		builtEntry{idOf(Blob, "wide"), 1<<31 | 5}, builtEntry{idOf(Blob, "header"), 4})
	dir := bareDir(t)
	b.write(t, dir, "a")
	s, p := openTest(t, dir, Options{})
	got, _ := sweepTest(t, s, SweepOptions{})
	wantProblem(t, p, far, errIndexOffset)
	wantProblem(t, p, idOf(Blob, "wide"), errIndexOffset)
	wantProblem(t, p, idOf(Blob, "header"), errIndexOffset)
	if len(p.all) != 4 || len(got.objects) != 1 {
		t.Errorf("%d objects, %d problems: %v", len(got.objects), len(p.all), p.all)
	}
	_ = good
}

// TestHostileLoose has damaged loose objects beside a sound one.
func TestHostileLoose(t *testing.T) {
	cut := deflate("blob 400\x00" + strings.Repeat("something to cut off", 20))
	tests := []struct {
		name string
		file []byte
		want error // nil: any
	}{
		{"empty file", nil, errLooseHeader},
		{"not compressed", []byte("blob 3\x00abc"), errLooseHeader},
		{"no header", deflate("abc"), errLooseHeader},
		{"unknown kind", deflate("blub 3\x00abc"), errLooseHeader},
		{"size with a leading zero", deflate("blob 03\x00abc"), errLooseHeader},
		{"size with a sign", deflate("blob +3\x00abc"), errLooseHeader},
		{"size of 80 bits", deflate("blob 99999999999999999999999\x00abc"), errLooseHeader},
		{"size of a terabyte", deflate("blob 1099511627776\x00abc"), errAbsurdSize},
		{"shorter than declared", deflate("blob 30\x00abc"), errWrongSize},
		{"longer than declared", deflate("blob 1\x00abc"), nil},
		{"cut off", cut[:len(cut)-8], nil},
		{"a bomb that says it is small", deflate("blob 5\x00" + strings.Repeat("0", 1<<22)), nil},
		{"much behind the content", append(deflate("blob 3\x00abc"), make([]byte, 1<<17)...), errLooseLong},
		{"other content", deflate("blob 3\x00abc"), ErrWrongContent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := bareDir(t)
			bad := idOf(Blob, "the damaged one")
			writeLoose(t, dir, bad, tt.file)
			good := idOf(Blob, "sound")
			writeLoose(t, dir, good, deflate("blob 5\x00sound"))
			s, p := openTest(t, dir, Options{})
			got, _ := sweepTest(t, s, SweepOptions{})
			if got.objects[good.String()] != "blob 5" {
				t.Error("the sound object was not handed over")
			}
			if _, ok := got.objects[bad.String()]; ok != (tt.want == ErrWrongContent) {
				t.Errorf("handed over: %v", ok)
			}
			wantProblem(t, p, bad, tt.want)
			if len(p.all) != 1 {
				t.Errorf("problems: %v", p.all)
			}
		})
	}
}

// TestTruncated cuts a real pack short at every sixteenth: what is gone is named,
// the rest is handed over, with and without the index.
func TestTruncated(t *testing.T) {
	src, _ := makeRepo(t, 3, 30)
	packPath := packsOf(t, src)[0]
	pack, err := os.ReadFile(packPath)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := os.ReadFile(strings.TrimSuffix(packPath, ".pack") + ".idx")
	if err != nil {
		t.Fatal(err)
	}
	total := len(oracle(t, src))
	for part := range 16 {
		for _, indexed := range []bool{true, false} {
			dir := bareDir(t)
			writeFile(t, dir+"/objects/pack/pack-x.pack", pack[:len(pack)*part/16])
			if indexed {
				writeFile(t, dir+"/objects/pack/pack-x.idx", idx)
			}
			s, p := openTest(t, dir, Options{})
			got, stats := sweepTest(t, s, SweepOptions{})
			if len(got.wrong) > 0 || len(p.all) == 0 {
				t.Errorf("%d wrong, %d problems", len(got.wrong), len(p.all))
			}
			seen := int(stats.Others[Tree]) + len(got.objects)
			for _, pr := range p.all {
				if !pr.ID.IsZero() {
					seen++
				}
			}
			if indexed && part > 0 && seen < total {
				t.Errorf("at %d/16: of %d objects only %d are accounted for", part, total, seen)
			}
		}
	}
}
