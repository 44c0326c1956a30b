package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// pgCustom makes a dump as pg_dump -Fc of PostgreSQL 15 does: a header and a contents that
// are not read here, and blocks. A block of the number 0 is one of large objects.
func pgCustom(blocks map[int][]byte, chunk int) []byte {
	number := func(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(append(b, 0), uint32(n)) }
	b := []byte("PGDMP\x01\x0e\x00\x04\x08\x01\x01\x01\x00\x00\x00\x00\x0c\x00\x00\x00")
	for i := range 40 {
		b = number(b, i)
		b = append(number(b, 8), "ENCODING"...)
		b = number(number(append(b, 1), 3342), 13) // looks like a block
	}
	chunks := func(data []byte) {
		for part := range slices.Chunk(data, chunk) {
			b = append(number(b, len(part)), part...)
		}
		b = number(b, 0)
	}
	for id := 5; id >= 0; id-- {
		data, ok := blocks[id]
		switch {
		case !ok:
		case id > 0:
			b = number(append(b, 1), 3000+id)
			chunks(data)
		default:
			b = number(append(b, 3), 4000)
			for oid := range 2 {
				b = number(b, 16384+oid)
				chunks(data)
			}
			b = number(b, 0)
		}
	}
	return b
}

func TestPGDump(t *testing.T) {
	m := fakekey.New(51)
	keys := []string{m.B10(), m.Legacy(), m.B10(), m.B10()}
	rows := func(key string) []byte {
		return []byte("BASETEN_API_KEY\t" + key + "\nother\t" + strings.Repeat(m.Word(500)+" ", 20) + "\n\\.\n\n\n")
	}
	data := pgCustom(map[int][]byte{
		5: zlibbed(t, rows(keys[0])), 4: rows(keys[1]), 3: archivetest.Zstd(t, rows(keys[2])), 2: zlibbed(t, []byte("\\.\n")), 0: zlibbed(t, rows(keys[3])),
	}, 700)
	s := walked(t, Limits{}, "db.dump", data)
	for i, want := range []string{"entry 3005", "entry 3004", "entry 3003", "large object 16384"} {
		if got := s.find(keys[i]); len(got) == 0 || got[0] != want {
			t.Errorf("key %d is in %q, not %q", i, got, want)
		}
	}
	if len(s.problems) > 0 {
		t.Errorf("problems: %q", s.problems)
	}
	cut := walked(t, Limits{}, "db.dump", data[:len(data)-2000])
	if got := strings.Join(cut.problems, "\n"); !strings.Contains(got, "unexpected EOF") {
		t.Errorf("of a dump that is cut: %q", got)
	}
}

func pngChunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func TestPNGText(t *testing.T) {
	m := fakekey.New(52)
	keys := []string{m.B10(), m.Legacy(), m.B10()}
	z := func(s string) string { return string(zlibbed(t, []byte(s))) }
	head := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00")...)
	icc := pngChunk("iCCP", strings.Repeat("profile", 400))
	large := pngChunk("IDAT", strings.Repeat("pixels", 400))
	pixels := append(pngChunk("IDAT", z("\x00\x00")), pngChunk("IEND", "")...)
	data := bytes.Join([][]byte{head, icc, pngChunk("zTXt", "Comment\x00\x00"+z("key "+keys[0])), pngChunk("iTXt", "XML:com.adobe.xmp\x00\x01\x00en\x00\x00"+z("<baseten>"+keys[1])),
		pngChunk("iTXt", "plain\x00\x00\x00\x00\x00text"), pixels}, nil)
	s := walked(t, Limits{}, "a.png", data)
	if got := fmt.Sprint(s.find(keys[0]), s.find(keys[1]), len(s.members), s.problems); got != "[text Comment] [text XML:com.adobe.xmp] 2 []" {
		t.Error(got)
	}
	if plain := slices.Concat(head, large, pixels); Sniff(plain, plain) || Sniff(plain[:1000], nil) || !Sniff(slices.Concat(head, icc, pixels)[:600], nil) {
		t.Error("a picture is walked if and only if it may have packed text in it")
	}
	damaged := walked(t, Limits{}, "a.png", slices.Concat(head, pngChunk("zTXt", "Comment\x00\x00"+z("key " + strings.Repeat(keys[2], 9))[:40]), pixels))
	if len(damaged.problems) == 0 {
		t.Error("damaged text is no problem")
	}
}

func FuzzParts(f *testing.F) {
	f.Add(0, pgCustom(map[int][]byte{5: zlibbed(f, []byte("some rows")), 0: []byte("more")}, 10))
	f.Add(1, slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("iTXt", "k\x00\x01\x00en\x00\x00"+string(zlibbed(f, []byte("text")))), pngChunk("IEND", "")))
	heads := []string{"PGDMP", "\x89PNG\r\n\x1a\n"}
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		head := heads[uint(kind)%2]
		bounded(t, append([]byte(head), data[min(len(head), len(data)):]...))
	})
}
