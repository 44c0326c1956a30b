package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func FuzzIndex(f *testing.F) {
	b := newPackBuilder()
	for _, s := range []string{"a", "b", "c"} {
		b.blob(s)
	}
	sum := make([]byte, sha1Size)
	good := b.index(sum)
	v1 := slicesConcat(good[8:8+fanoutBytes], make([]byte, 3*24), sum, sum)
	b.entries[0].off = 1 << 31
	wide := b.index(sum)
	wide = slicesConcat(wide[:len(wide)-40], make([]byte, 8), sum, sum)
	f.Add(good)                                                 // version 2
	f.Add(v1)                                                   // version 1
	f.Add(wide)                                                 // one 64-bit offset
	f.Add(b.index(sum))                                         // 64-bit offset without its table
	f.Add(good[:200])                                           // cut off in the fan-out table
	f.Add(good[:len(good)-1])                                   // table of 64-bit offsets not a multiple of 8
	f.Add(append([]byte{0, 0, 0, 9}, good...))                  // fan-out falls
	f.Add(bytes.Repeat([]byte{0xff}, len(good)))                // four billion objects
	f.Add(bytes.Repeat([]byte{0}, len(good)))                   // none, and bytes left over
	f.Add(slicesConcat(good[:4], []byte{0, 0, 0, 3}, good[8:])) // version 3
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, hash := range []int{sha1Size, sha256Size} {
			x, err := parseIndex(data, hash)
			if err != nil {
				continue
			}
			sound := x.check() == nil
			for i := range x.ids.n {
				id := x.ids.at(i)
				j, ok := x.find(id)
				if sound && (!ok || !bytes.Equal(x.ids.at(j), id)) {
					t.Fatalf("object %d of a sound index is not found", i)
				}
				x.offset(i)
			}
		}
	})
}

func slicesConcat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// storeOf makes a store of one pack in memory.
func storeOf(packData, idx []byte, problem func(Problem)) *Store {
	opts := Options{holdMost: 1 << 20, streamOver: 1 << 10, expandMost: 1, Problem: problem}
	s := &Store{hash: sha1Size, opts: opts.withDefaults()}
	p := &packFile{path: "fuzz.pack", mapped: packData, hash: s.hash}
	if p.readHeader() != nil {
		return nil
	}
	if x, err := parseIndex(idx, s.hash); err == nil && x.check() == nil {
		p.idx = x
	}
	s.packs = []*packFile{p}
	if p.idx == nil {
		s.walkPack(p)
	}
	return s
}

// FuzzStore reads a pack with an index, or, when that is unfit, without. With
// -fuzzminimizetime 1x it does so 10,000 times a second; else go test spends nearly all
// its time on making new inputs smaller.
func FuzzStore(f *testing.F) {
	n := len(goodBase)
	seed := func(add func(b *packBuilder, base uint64)) {
		b := newPackBuilder()
		_, base := b.blob(goodBase)
		b.ofs(idOf(Blob, "a bas!"), base, deltaOf(n, 6, copyFrom(0, 5), insert("!")))
		add(b, base)
		packData, idx := b.bytes()
		f.Add(packData, idx)
		f.Add(packData, []byte{}) // the same without an index
	}
	bad := idOf(Blob, "bad")
	seed(func(b *packBuilder, base uint64) {})                                                               // sound
	seed(func(b *packBuilder, base uint64) { b.ref(bad, idOf(Blob, goodBase), deltaOf(n, 1, insert("x"))) }) // base by id
	seed(func(b *packBuilder, base uint64) { b.ref(bad, bad, deltaOf(n, 1, insert("x"))) })                  // its own base
	seed(func(b *packBuilder, base uint64) { b.ref(bad, idOf(Tag, ""), deltaOf(n, 1, insert("x"))) })        // base is nowhere
	seed(func(b *packBuilder, base uint64) { b.ofs(bad, base+1, deltaOf(n, 1, insert("x"))) })               // base is no object
	seed(func(b *packBuilder, base uint64) { b.ofs(bad, base, deltaOf(n, 1<<40, insert("x"))) })             // result of a terabyte
	seed(func(b *packBuilder, base uint64) { b.raw(bad, entryHeader(byte(Blob), 1<<40), deflate("x")) })     // blob of a terabyte
	seed(func(b *packBuilder, base uint64) { b.blob(strings.Repeat("long enough to be streamed ", 100)) })   // streamed
	seed(func(b *packBuilder, base uint64) { b.raw(bad, entryHeader(5, 1), deflate("x")) })                  // type 5
	seed(func(b *packBuilder, base uint64) {
		b.raw(idOf(Tree, "\x00"), entryHeader(byte(Tree), 1), deflate("\x00"))
	}) // tree
	seed(func(b *packBuilder, base uint64) { b.raw(bad, []byte{0xff}, bytes.Repeat([]byte{0xff}, 11)) }) // size without an end
	seed(func(b *packBuilder, base uint64) {                                                             // an object that starts inside another's header
		off := b.raw(bad, entryHeader(byte(Blob), 1000), deflate("x"))
		b.entries = append(b.entries, builtEntry{idOf(Blob, "inside"), off + 1})
	})
	seed(func(b *packBuilder, base uint64) { b.count = 1 << 30 })                   // more objects than there are
	seed(func(b *packBuilder, base uint64) { b.entries[0].off = 1 << 31 })          // offset that is in no table
	seed(func(b *packBuilder, base uint64) { b.entries[0].off = b.entries[1].off }) // offset named twice
	f.Fuzz(func(t *testing.T, packData, idx []byte) {
		if len(packData) > 1<<16 || len(idx) > 1<<16 {
			return
		}
		failed := map[ID]bool{}
		handed := map[ID]bool{}
		var mu sync.Mutex
		s := storeOf(packData, idx, func(p Problem) {
			mu.Lock()
			defer mu.Unlock()
			failed[p.ID] = true
		})
		if s == nil {
			return
		}
		_, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			if handed[o.ID] && o.Window == nil {
				t.Errorf("%v was handed over twice", o.ID)
			}
			handed[o.ID] = true
			last := 0
			for _, f := range o.Fresh {
				if f.Start < last || f.End < f.Start || f.End > len(o.Data) {
					t.Errorf("spans %v of %d bytes", o.Fresh, len(o.Data))
				}
				last = f.End
			}
			return len(o.Data) & 1, nil
		}, SweepOptions{Jobs: 2, verify: true, window: 128, overlap: 8})
		if err != nil {
			t.Fatal(err)
		}
		r := s.Reader()
		for id, kind := range kindsOf(t, s) {
			if kind != Tree && kind != 0 && !handed[id] && !failed[id] {
				t.Errorf("%v is neither handed over nor a problem", id)
			}
			is, data, err := r.Object(id)
			if err == nil && !failed[id] && kind != Tree && idOf(is, string(data)) != id {
				t.Errorf("%v reads as something else", id)
			}
		}
	})
}

func FuzzLoose(f *testing.F) {
	f.Add(deflate("blob 3\x00abc"))                                    // sound
	f.Add(deflate("blob 2\x00abc"))                                    // longer than declared
	f.Add(deflate("blob 4\x00abc"))                                    // shorter than declared
	f.Add(deflate("blob 03\x00abc"))                                   // leading zero
	f.Add(deflate("blob -3\x00abc"))                                   // sign
	f.Add(deflate("blob  3\x00abc"))                                   // two spaces
	f.Add(deflate("blob 3abc"))                                        // no NUL
	f.Add(deflate("tree 3\x00abc"))                                    // not wanted
	f.Add(deflate("commit 9223372036854775807\x00"))                   // largest size
	f.Add(deflate("blob 2700\x00" + strings.Repeat("streamed ", 300))) // larger than is held
	f.Add(deflate("blob 2700\x00" + strings.Repeat("streamed ", 299))) // and shorter than declared
	f.Add(deflate("blob 3\x00abc")[:8])                                // cut off
	f.Add([]byte("blob 3\x00abc"))                                     // not compressed
	dir := f.TempDir()
	id := idOf(Blob, "abc")
	path := loosePath(filepath.Join(dir, "objects"), id)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		f.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "objects/pack"), 0o777); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o666); err != nil {
			t.Fatal(err)
		}
		problems, handed := 0, 0
		s, err := Open(dir, Options{streamOver: 1 << 10, holdMost: 1 << 20, Problem: func(Problem) { problems++ }})
		if err != nil {
			t.Fatal(err)
		}
		stats, err := s.Sweep(context.Background(), func(o *Object) (int, error) {
			handed++
			if o.Window == nil && idOf(o.Kind, string(o.Data)) != id && problems == 0 {
				t.Error("other content was handed over without a problem")
			}
			return 0, nil
		}, SweepOptions{Jobs: 1, window: 128, overlap: 8})
		if err != nil || handed+problems == 0 && stats.Others[Tree] == 0 {
			t.Errorf("%v, nothing handed over and no problem", err)
		}
		s.Reader().Object(id)
	})
}

func FuzzTree(f *testing.F) {
	raw := strings.Repeat("i", sha1Size)
	f.Add([]byte("40000 dir\x00" + raw + "100644 file\x00" + raw)) // sound
	f.Add([]byte("40000 dir\x00" + raw[:19]))                      // id cut off
	f.Add([]byte("40000 dir"))                                     // no NUL
	f.Add([]byte("40000\x00" + raw))                               // no space
	f.Add([]byte("4x000 dir\x00" + raw))                           // mode is not octal
	f.Add([]byte("777777777777 dir\x00" + raw))                    // mode of 36 bits
	f.Add([]byte("40000 \x00" + raw))                              // empty name
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, hash := range []int{sha1Size, sha256Size} {
			used := 0
			for e, err := range TreeEntries(data, hash) {
				if err != nil {
					used = len(data)
					break
				}
				if len(e.Name) == 0 || bytes.IndexByte(e.Name, 0) >= 0 || e.ID.IsZero() {
					t.Fatalf("entry %+v", e)
				}
				used += bytes.IndexByte(data[used:], ' ') + 1 + len(e.Name) + 1 + hash
			}
			if used != len(data) {
				t.Fatalf("%d of %d bytes are accounted for", used, len(data))
			}
		}
	})
}

func FuzzCommit(f *testing.F) {
	f.Add([]byte("tree " + someTree + "\nparent " + someCommit + "\nauthor A <a> 1 +0000\n\nm")) // sound
	f.Add([]byte("object " + someCommit + "\ntype commit\ntag v\ntagger A <a> 1 +0000\n\nm"))    // a tag
	f.Add([]byte("tree 12\n\n"))                                                                 // id too short
	f.Add([]byte("tree " + someTree + "\nauthor A <a> 99999999999999999999 +0000\n"))            // 70-bit time
	f.Add([]byte("tree " + someTree + "\nauthor A <a> 1 +99999\n"))                              // zone of five digits
	f.Add([]byte("tree " + someTree + "\nauthor >A< 1\n"))                                       // brackets swapped
	f.Add([]byte(" tree " + someTree))                                                           // starts with a continuation
	f.Add(binary.BigEndian.AppendUint64(nil, 0))                                                 // no text
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCommit(data)
		if (err == nil) == c.Tree.IsZero() {
			t.Errorf("tree %v, error %v", c.Tree, err)
		}
		if !bytes.HasSuffix(data, c.Message) {
			t.Errorf("message %q", c.Message)
		}
		tag, err := ParseTag(data)
		if (err == nil) == tag.Object.IsZero() {
			t.Errorf("object %v, error %v", tag.Object, err)
		}
		for _, s := range []Signature{c.Author, c.Committer, tag.Tagger} {
			if _, err := s.When.MarshalJSON(); err != nil {
				t.Errorf("%v cannot be written: %v", s.When, err)
			}
		}
	})
}
