package pack

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A packBuilder writes packs and indexes that git would never write.
type packBuilder struct {
	pack    bytes.Buffer
	entries []builtEntry
	count   int // what the header says; -1 for the number of entries
}

type builtEntry struct {
	id  ID
	off uint64
}

func newPackBuilder() *packBuilder {
	b := &packBuilder{count: -1}
	b.pack.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return b
}

func idOf(kind Kind, data string) ID { return newHasher(sha1Size).object(kind, []byte(data)) }

// deflate compresses data. A writer is large, so they are kept.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func deflate(data string) []byte {
	var b bytes.Buffer
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(&b)
	z.Write([]byte(data))
	z.Close()
	return b.Bytes()
}

// entryHeader is the type and size of an entry.
func entryHeader(kind byte, size uint64) []byte {
	h := []byte{kind<<4 | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		h[len(h)-1] |= 0x80
		h = append(h, byte(size&0x7f))
	}
	return h
}

func backOffset(n uint64) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		b = append([]byte{0x80 | byte(n&0x7f)}, b...)
	}
	return b
}

// raw adds an entry made of parts under an id, and gives its offset.
func (b *packBuilder) raw(id ID, parts ...[]byte) uint64 {
	off := uint64(b.pack.Len())
	b.entries = append(b.entries, builtEntry{id, off})
	for _, p := range parts {
		b.pack.Write(p)
	}
	return off
}

func (b *packBuilder) blob(data string) (ID, uint64) {
	id := idOf(Blob, data)
	return id, b.raw(id, entryHeader(byte(Blob), uint64(len(data))), deflate(data))
}

// ofs adds a delta for the entry at base, which is said to make the object id.
func (b *packBuilder) ofs(id ID, base uint64, delta string) uint64 {
	back := backOffset(uint64(b.pack.Len()) - base)
	return b.raw(id, entryHeader(ofsDelta, uint64(len(delta))), back, deflate(delta))
}

func (b *packBuilder) ref(id, base ID, delta string) uint64 {
	return b.raw(id, entryHeader(refDelta, uint64(len(delta))), base.Bytes(), deflate(delta))
}

func varint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

// deltaOf is a delta with the given lengths and commands.
func deltaOf(base, result int, cmds ...string) string {
	d := varint(uint64(base)) + varint(uint64(result))
	for _, c := range cmds {
		d += c
	}
	return d
}

func insert(s string) string { return string(rune(len(s))) + s }

func copyFrom(off uint32, size uint32) string {
	return string([]byte{0xff, byte(off), byte(off >> 8), byte(off >> 16), byte(off >> 24), byte(size), byte(size >> 8), byte(size >> 16)})
}

// bytes gives the pack and its index.
func (b *packBuilder) bytes() (pack, idx []byte) {
	pack = slices.Clone(b.pack.Bytes())
	n := b.count
	if n < 0 {
		n = len(b.entries)
	}
	binary.BigEndian.PutUint32(pack[8:], uint32(n))
	sum := sha1.Sum(pack)
	pack = append(pack, sum[:]...)
	return pack, b.index(sum[:])
}

func (b *packBuilder) index(packSum []byte) []byte {
	entries := slices.Clone(b.entries)
	slices.SortStableFunc(entries, func(a, b builtEntry) int { return a.id.Compare(b.id) })
	x := []byte{0xff, 't', 'O', 'c', 0, 0, 0, 2}
	for first := range 256 {
		n := 0
		for _, e := range entries {
			if int(e.id.sum[0]) <= first {
				n++
			}
		}
		x = binary.BigEndian.AppendUint32(x, uint32(n))
	}
	for _, e := range entries {
		x = append(x, e.id.Bytes()...)
	}
	x = append(x, make([]byte, 4*len(entries))...) // CRCs, which nothing reads
	for _, e := range entries {
		x = binary.BigEndian.AppendUint32(x, uint32(e.off))
	}
	x = append(x, packSum...)
	sum := sha1.Sum(x)
	return append(x, sum[:]...)
}

// write puts the pack into the bare repository at dir.
func (b *packBuilder) write(tb testing.TB, dir, name string) (packPath, idxPath string) {
	tb.Helper()
	packPath = filepath.Join(dir, "objects/pack", "pack-"+name+".pack")
	idxPath = filepath.Join(dir, "objects/pack", "pack-"+name+".idx")
	pack, idx := b.bytes()
	writeFile(tb, packPath, pack)
	writeFile(tb, idxPath, idx)
	return packPath, idxPath
}

// bareDir makes a bare repository without anything.
func bareDir(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	writeFile(tb, filepath.Join(dir, "config"), []byte("[core]\n\trepositoryformatversion = 0\n"))
	if err := os.MkdirAll(filepath.Join(dir, "objects/pack"), 0o777); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func writeFile(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		tb.Fatal(err)
	}
}

func writeLoose(tb testing.TB, dir string, id ID, file []byte) string {
	tb.Helper()
	path := loosePath(filepath.Join(dir, "objects"), id)
	writeFile(tb, path, file)
	return path
}
