package archive

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"slices"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

func TestMemoryLimit(t *testing.T) {
	inner := archivetest.Builders()["zip"](t, archivetest.File{Name: "a", Data: noise(3 << 20)})
	outer := archivetest.Gzip(t, archivetest.Builders()["tar-gnu"](t, archivetest.File{Name: "in.zip", Data: inner}))
	got := walked(t, Limits{Memory: 2 << 20}, "o.tgz", outer)
	got.limit(t, limitMemory)
	if !bytes.Equal(got.members["in.zip"], inner) {
		t.Error("what could not be unpacked was not handed over as it is")
	}
	got = walked(t, Limits{Memory: 5 << 20}, "o.tgz", outer)
	if len(got.problems) > 0 || len(got.members["in.zip!a"]) != 3<<20 {
		t.Errorf("problems %q", got.problems)
	}
}

func noise(n int) []byte {
	b, state := make([]byte, n), uint64(1)
	for i := range b {
		state = state*6364136223846793005 + 1442695040888963407
		b[i] = byte(state >> 56)
	}
	return b
}

// asking makes an xz stream that asks for a dictionary of a size in the format's code.
func asking(t *testing.T, code byte, content []byte) []byte {
	z := archivetest.XZ(t, content)
	// Block header: size, flags, filter 0x21, one byte of properties.
	z[bytes.Index(z, []byte{0x21, 1})+2] = code
	head := z[12 : 12+(int(z[12])+1)*4]
	binary.LittleEndian.PutUint32(head[len(head)-4:], crc32.ChecksumIEEE(head[:len(head)-4]))
	return z
}

// A stream that asks for a dictionary of gigabytes does not get it.
func TestDictionary(t *testing.T) {
	const most = 40 // 4 GiB - 1
	got := walked(t, Limits{}, "x.xz", asking(t, most, noise(200<<10)))
	var unsupported *UnsupportedError
	if len(got.errs) != 1 || !errors.As(got.errs[0], &unsupported) {
		t.Errorf("problems %q", got.problems)
	}
	got = walked(t, Limits{}, "x.xz", asking(t, most, []byte("some text"))) // which needs none
	if len(got.errs) != 0 || string(got.members["x"]) != "some text" {
		t.Errorf("problems %q", got.problems)
	}
}

// Thousands of small streams that ask for 64 or 128 MiB each do not get them.
func TestSmallStreamsGetSmallDictionaries(t *testing.T) {
	lzma := archivetest.LZMA(t, []byte("some text"))
	copy(lzma[1:5], []byte{0, 0, 0, 4}) // 64 MiB
	packed := archivetest.Zstd(t, bytes.Repeat([]byte("some text "), 1000))
	for name, z := range map[string][]byte{
		"xz":          asking(t, 28, []byte("some text")), // 64 MiB
		"lzma":        lzma,
		"zstd raw":    []byte("\x28\xb5\x2f\xfd\x00\x88\x49\x00\x00some text"), // 128 MiB, one last block of nine bytes
		"zstd run":    []byte("\x28\xb5\x2f\xfd\x00\x88\x4b\x00\x00x"),         // likewise, nine times x
		"zstd packed": packed,
	} {
		var files []archivetest.File
		for i := range 500 {
			files = append(files, archivetest.File{Name: fmt.Sprint(i), Data: z})
		}
		data := archivetest.Tar(tar.FormatUSTAR)(t, files...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		members, _, s := discardBytes(t, Limits{Jobs: 1}, data)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; made > 512<<20 || members != 500 || len(s.problems) > 0 {
			t.Errorf("%s: %d MiB for %d members, problems %.300q", name, made>>20, members, s.problems)
		}
	}
}

// A header of a 7z that announces very much in few bytes gets no memory for it.
func TestSevenHeader(t *testing.T) {
	const n = 4 << 20
	number := func(v uint32) []byte { return binary.LittleEndian.AppendUint32([]byte{0xf0}, v) }
	for name, header := range map[string][]byte{
		"folders": slices.Concat([]byte{1, 4, 7, 11}, number(n), []byte{0}, bytes.Repeat([]byte{1, 1, 0}, n)),
		"files":   slices.Concat([]byte{1, 5}, number(n), make([]byte, n)),
		"packs":   slices.Concat([]byte{1, 4, 6, 0}, number(n), []byte{9}, make([]byte, n)),
	} {
		data := make([]byte, 32, 32+len(header))
		copy(data, "7z\xbc\xaf\x27\x1c\x00\x04")
		binary.LittleEndian.PutUint64(data[20:], uint64(len(header)))
		binary.LittleEndian.PutUint32(data[28:], crc32.ChecksumIEEE(header))
		data = append(data, header...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, s := discardBytes(t, Limits{Memory: 32 << 20}, data)
		runtime.ReadMemStats(&after)
		s.limit(t, limitMemory)
		if made := after.TotalAlloc - before.TotalAlloc; made > 128<<20 {
			t.Errorf("%s: %d MiB", name, made>>20)
		}
	}
}
