package pack

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/b10lint/b10lint/internal/gittest"
)

var everyKind = KindSet(Blob, Commit, Tag, Tree)

// receiveTest receives a pack.
func receiveTest(tb testing.TB, r io.Reader, o ReceiveOptions) (*Store, *problems) {
	tb.Helper()
	p := &problems{}
	o.Name, o.Problem = "stream", p.add
	s := Receive(r, o)
	tb.Cleanup(func() { s.Close() })
	return s, p
}

// What a server sends holds what git says is in the repository: however it comes, from
// memory and from a file, with bases by offset and by id.
func TestReceive(t *testing.T) {
	dir, _ := makeRepo(t, 3, 60)
	gittest.Run(t, dir, "tag", "-a", "-m", "a tag", "v1", "main")
	want := oracle(t, dir)
	packOf := func(args ...string) []byte {
		return gittest.Pipe(t, dir, nil, append([]string{"pack-objects", "--all", "--stdout", "-q"}, args...)...)
	}
	byOffset, byID := packOf("--delta-base-offset"), packOf()
	for _, test := range []struct {
		name string
		r    io.Reader
		opts ReceiveOptions
	}{
		{"at once", bytes.NewReader(byOffset), ReceiveOptions{}},
		{"byte by byte", iotest.OneByteReader(bytes.NewReader(byOffset)), ReceiveOptions{}},
		{"the end with the data", iotest.DataErrReader(bytes.NewReader(byOffset)), ReceiveOptions{}},
		{"to a file", iotest.HalfReader(bytes.NewReader(byOffset)), ReceiveOptions{memoryMost: 1000}},
		{"bases by id", bytes.NewReader(byID), ReceiveOptions{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, p := receiveTest(t, test.r, test.opts)
			named, _ := sweepTest(t, s, SweepOptions{Jobs: 2, Kinds: everyKind, Identify: everyKind})
			checkObjects(t, named, want)
			if named.fresh == 0 {
				t.Error("no delta was handed over in part")
			}
			noProblems(t, p)
			if err := s.Identify(t.Context(), 2, everyKind); err != nil {
				t.Fatal(err)
			}
			r := s.Reader()
			for hex := range want {
				id, _ := ParseID(hex)
				if kind, data, err := r.Object(id); err != nil || newHasher(sha1Size).object(kind, data) != id {
					t.Fatalf("%s: %v %v", hex, kind, err)
				}
			}
		})
	}
}

// What is handed over early and in the sweep of the rest, spans and all, is what a sweep
// after the arrival hands over, however few bases are held meanwhile.
func TestReceiveEarly(t *testing.T) {
	dir, _ := makeRepo(t, 8, 120)
	data := gittest.Pipe(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--delta-base-offset")
	handed := func(o ReceiveOptions, early bool) (all map[string]string, early1 int, stats SweepStats) {
		all = map[string]string{}
		var mu sync.Mutex
		fn := func(o *Object) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			if id := o.ID.String(); all[id] == "" {
				all[id] = fmt.Sprint(o.Kind, len(o.Data), o.Fresh == nil, o.Fresh)
			} else {
				t.Errorf("%s was handed over twice", id)
			}
			if o.ID.sum[0]%8 == 0 {
				return 1, nil
			}
			return 0, nil
		}
		opts := SweepOptions{Jobs: 3, Kinds: everyKind, Identify: everyKind}
		if early {
			o.Early, o.Sweep = fn, opts
		}
		s, p := receiveTest(t, iotest.HalfReader(bytes.NewReader(data)), o)
		noProblems(t, p)
		early1 = len(all)
		opts.Rest = true
		stats, err := s.Sweep(t.Context(), fn, opts)
		if err != nil {
			t.Fatal(err)
		}
		again := 0 // any other sweep hands all over
		if _, err := s.Sweep(t.Context(), func(*Object) (int, error) { again++; return 0, nil }, SweepOptions{Jobs: 1, Kinds: everyKind}); err != nil || again != len(all) {
			t.Errorf("a later sweep has %d objects, %v", again, err)
		}
		return all, early1, stats
	}
	want, none, stats := handed(ReceiveOptions{}, false)
	if none != 0 {
		t.Fatal("something was early")
	}
	for _, held := range []int{0, 20_000, 1} {
		got, early, same := handed(ReceiveOptions{earlyHeld: held}, true)
		for id, what := range want {
			if got[id] != what {
				t.Fatalf("held %d: %s is %s, want %s", held, id, got[id], what)
			}
		}
		if len(got) != len(want) || same != stats || held == 0 && early != len(want) || early == 0 || held == 1 && early == len(want) {
			t.Errorf("held %d: %d objects of %d, %d of them early; %+v, want %+v", held, len(got), len(want), early, same, stats)
		}
	}
}

// A callback that fails ends the reception, and the sweep of the rest says why.
func TestReceiveEarlyStops(t *testing.T) {
	dir, _ := makeRepo(t, 8, 20)
	data := gittest.Pipe(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--delta-base-offset")
	full := errors.New("enough")
	fn := func(*Object) (int, error) { return 0, full }
	s, _ := receiveTest(t, bytes.NewReader(data), ReceiveOptions{Early: fn})
	if _, err := s.Sweep(t.Context(), fn, SweepOptions{Rest: true}); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

// An id is worked out when someone asks for it, and for what holds a match; a search
// for single objects ends when they are found.
func TestReceiveIdentify(t *testing.T) {
	dir, _ := makeRepo(t, 4, 30)
	pack := gittest.Pipe(t, dir, nil, "pack-objects", "--all", "--stdout", "-q", "--delta-base-offset")
	s, p := receiveTest(t, bytes.NewReader(pack), ReceiveOptions{})
	hit, _ := ParseID(gittest.Run(t, dir, "rev-parse", "main:"+strings.Fields(gittest.Run(t, dir, "ls-tree", "-r", "--name-only", "main"))[0]))
	var mu sync.Mutex
	asked := 0
	_, err := s.Sweep(t.Context(), func(o *Object) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if !o.ID.IsZero() {
			t.Errorf("a %v has an id that nobody asked for", o.Kind)
		}
		if s.IDAt(o.Offset()) == hit {
			if asked++; o.Identify() != hit {
				t.Errorf("Identify gives %v", o.ID)
			}
			return 1, nil
		}
		return 0, nil
	}, SweepOptions{})
	if err != nil || asked != 1 || s.Has(hit) {
		t.Fatalf("%v, %d, %v", err, asked, s.Has(hit))
	}
	if err := s.Identify(t.Context(), 2, KindSet(Commit)); err != nil || !s.Has(hit) {
		t.Fatalf("an object with a match: %v, %v", err, s.Has(hit))
	}
	tree, _ := ParseID(gittest.Run(t, dir, "rev-parse", "main^{tree}"))
	if err := s.Identify(t.Context(), 2, KindSet(Tree), tree); err != nil || !s.Has(tree) {
		t.Fatalf("a tree: %v, %v", err, s.Has(tree))
	}
	absent := idOf(Blob, "nowhere")
	if err := s.Identify(t.Context(), 2, KindSet(Blob), absent); err != nil || s.Has(absent) {
		t.Fatalf("an object that is not there: %v", err)
	}
	noProblems(t, p)
}

// Whatever befalls a stream is a problem, and what came before it is handed over.
func TestReceiveBroken(t *testing.T) {
	b := newPackBuilder()
	_, base := b.blob(goodBase)
	b.ofs(idOf(Blob, "a bas!"), base, deltaOf(len(goodBase), 6, copyFrom(0, 5), insert("!")))
	second := b.pack.Len()
	_, third := b.blob(strings.Repeat("the third", 50))
	whole, _ := b.bytes()
	broken := errors.New("connection reset")
	sum := func(b []byte) []byte { s := sha1.Sum(b); return append(b[:len(b):len(b)], s[:]...) }
	for _, test := range []struct {
		name string
		r    io.Reader
		opts ReceiveOptions
		kept int
		want error
	}{
		{"nothing", strings.NewReader(""), ReceiveOptions{}, 0, errTruncated},
		{"no pack", strings.NewReader("<!doctype html>"), ReceiveOptions{}, 0, errPackHeader},
		{"version 4", strings.NewReader("PACK\x00\x00\x00\x04\x00\x00\x00\x00"), ReceiveOptions{}, 0, errPackHeader},
		{"ends in an object", bytes.NewReader(whole[:third+5]), ReceiveOptions{}, 2, errTruncated},
		{"ends between objects", bytes.NewReader(whole[:second]), ReceiveOptions{}, 2, errTruncated},
		{"ends in the checksum", bytes.NewReader(whole[:len(whole)-1]), ReceiveOptions{}, 3, errTruncated},
		{"breaks", io.MultiReader(bytes.NewReader(whole[:third+5]), iotest.ErrReader(broken)), ReceiveOptions{}, 2, broken},
		{"breaks at the start", iotest.ErrReader(broken), ReceiveOptions{}, 0, broken},
		{"breaks at the end", io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken)), ReceiveOptions{}, 3, broken},
		{"checksum of another pack", bytes.NewReader(append(whole[:len(whole)-1:len(whole)-1], 1)), ReceiveOptions{}, 3, errReceivedSum},
		{"goes on", io.MultiReader(bytes.NewReader(whole), strings.NewReader("x")), ReceiveOptions{}, 3, errReceivedMore},
		{"too large", bytes.NewReader(whole), ReceiveOptions{Most: int64(third) + 5}, 2, errReceivedMost},
		{"claims more objects", bytes.NewReader(sum(append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x09"), whole[12:len(whole)-20]...))), ReceiveOptions{}, 3, nil},
		{"claims fewer objects", bytes.NewReader(sum(append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02"), whole[12:len(whole)-20]...))), ReceiveOptions{}, 2, errReceivedSum},
	} {
		for _, test.opts.memoryMost = range []int{0, 1} {
			t.Run(fmt.Sprint(test.name, test.opts.memoryMost), func(t *testing.T) {
				s, p := receiveTest(t, test.r, test.opts)
				got, _ := sweepTest(t, s, SweepOptions{Identify: everyKind})
				if len(p.all) == 0 || test.want != nil && !errors.Is(p.all[0], test.want) {
					t.Errorf("problems %v, want %v", p.all, test.want)
				}
				if len(got.objects) != test.kept || len(got.wrong) > 0 {
					t.Errorf("%d objects, want %d", len(got.objects), test.kept)
				}
			})
			if _, once := test.r.(*bytes.Reader); !once {
				break
			}
			_, _ = test.r.(*bytes.Reader).Seek(0, io.SeekStart)
		}
	}
}

// A stream that is larger than what it makes, by empty blocks, is read all the same; an
// object that is too large to hold is handed over in windows, with its id.
func TestReceiveLarge(t *testing.T) {
	b := newPackBuilder()
	padded := []byte{0x78, 0x01}
	for range 1000 {
		padded = append(padded, 0, 0, 0, 0xff, 0xff) // a stored block of no bytes
	}
	padded = append(padded, deflate("x")[2:]...)
	b.raw(idOf(Blob, "x"), entryHeader(byte(Blob), 1), padded)
	large := strings.Repeat("0123456789", 500)
	b.blob(large)
	b.raw(idOf(Blob, "huge"), entryHeader(byte(Blob), 1<<40), deflate("huge")) // its end is found; it is refused later
	data, _ := b.bytes()
	s, p := receiveTest(t, bytes.NewReader(data), ReceiveOptions{})
	noProblems(t, p)
	s.opts.streamOver = 1000
	got, stats := sweepTest(t, s, SweepOptions{window: 256, overlap: 16, Identify: everyKind})
	checkObjects(t, got, map[string]string{idOf(Blob, "x").String(): "blob 1", idOf(Blob, large).String(): "blob 5000"})
	if stats.Failed != 1 || len(p.all) != 1 || !errors.Is(p.all[0], errAbsurdSize) {
		t.Errorf("%+v, %v", stats, p.all)
	}
}

// FuzzReceive reads a stream, which must end, and compares it with the same pack as a
// file: without a problem, the same objects are in it.
func FuzzReceive(f *testing.F) {
	n := len(goodBase)
	for _, add := range []func(b *packBuilder, base uint64){
		func(b *packBuilder, base uint64) {},
		func(b *packBuilder, base uint64) { b.ref(ID{}, idOf(Blob, goodBase), deltaOf(n, 1, insert("x"))) },
		func(b *packBuilder, base uint64) { b.raw(ID{}, entryHeader(byte(Blob), 1<<40), deflate("x")) },
		func(b *packBuilder, base uint64) { b.blob(strings.Repeat("long enough to be streamed ", 100)) },
		func(b *packBuilder, base uint64) { b.count = 1 << 30 },
	} {
		b := newPackBuilder()
		_, base := b.blob(goodBase)
		b.ofs(ID{}, base, deltaOf(n, 6, copyFrom(0, 5), insert("!")))
		add(b, base)
		data, _ := b.bytes()
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		if len(data) > sha1Size { // else every mutation ends at the checksum
			body := data[:len(data)-sha1Size]
			s := sha1.Sum(body)
			data = append(body[:len(body):len(body)], s[:]...)
		}
		into := func(all map[ID]Kind) func(*Object) (int, error) {
			var mu sync.Mutex
			return func(o *Object) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				all[o.ID] = o.Kind
				return len(o.Data) & 1, nil
			}
		}
		opts := SweepOptions{Jobs: 2, Kinds: everyKind, Identify: everyKind, Rest: true, window: 128, overlap: 8}
		objects := func(s *Store, all map[ID]Kind) map[ID]Kind {
			if _, err := s.Sweep(context.Background(), into(all), opts); err != nil {
				t.Fatal(err)
			}
			return all
		}
		p, got := &problems{}, map[ID]Kind{}
		s := Receive(bytes.NewReader(data), ReceiveOptions{Problem: p.add, memoryMost: 1 << 10, earlyHeld: 1 << 8, Early: into(got), Sweep: opts})
		defer s.Close()
		s.opts.holdMost, s.opts.streamOver, s.opts.expandMost = 1<<20, 1<<10, 1
		objects(s, got)
		if len(p.all) > 0 {
			return
		}
		file := &problems{}
		whole := storeOf(data, nil, file.add)
		want := objects(whole, map[ID]Kind{})
		if len(file.all) > 0 {
			t.Fatalf("the stream has no problem, the file has %v", file.all)
		}
		if len(got) != len(want) {
			t.Fatalf("%d objects in the stream, %d in the file", len(got), len(want))
		}
		for id, kind := range want {
			if got[id] != kind {
				t.Errorf("%v is a %v in the stream and a %v in the file", id, got[id], kind)
			}
		}
	})
}
