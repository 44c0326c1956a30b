package archivetest

import (
	"hash/crc32"
	"io"
	"testing"
	"unicode/utf16"

	"github.com/ulikunitz/xz/lzma"
)

// SevenZip makes a Builder for a 7z with one solid folder and a plain header.
func SevenZip(method string) Builder {
	return func(t testing.TB, files ...File) []byte {
		var plain []byte
		for _, f := range files {
			plain = append(plain, f.Data...)
		}
		packed, coder := sevenPacked(t, method, plain)
		h := []byte{1, 4, 6, 0, 1, 9} // header, main streams, pack info at 0: one stream, its size
		h = sevenNumber(h, len(packed))
		h = append(h, 0, 7, 11, 1, 0, 1) // end; folders: one, not external, with one coder
		h = append(h, coder...)
		h = append(h, 12) // unpacked sizes
		h = sevenNumber(h, len(plain))
		h = append(h, 0, 8, 13) // end; parts of folders
		h = sevenNumber(h, len(files))
		if len(files) > 1 {
			h = append(h, 9)
			for _, f := range files[:len(files)-1] {
				h = sevenNumber(h, len(f.Data))
			}
		}
		h = append(h, 10, 1) // checksums of all
		for _, f := range files {
			h = le(h, uint64(crc32.ChecksumIEEE(f.Data)), 4)
		}
		h = append(h, 0, 0) // end of parts, end of streams
		h = append(sevenNames(h, files), 0)
		out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), make([]byte, 4)...)
		start := le(le(le(nil, uint64(len(packed)), 8), uint64(len(h)), 8), uint64(crc32.ChecksumIEEE(h)), 4)
		out = le(out[:8], uint64(crc32.ChecksumIEEE(start)), 4)
		out = append(out, start...)
		return append(append(out, packed...), h...)
	}
}

func sevenNames(h []byte, files []File) []byte {
	names := []byte{0}
	for _, f := range files {
		for _, u := range append(utf16.Encode([]rune(f.Name)), 0) {
			names = le(names, uint64(u), 2)
		}
	}
	h = append(h, 5)
	h = sevenNumber(h, len(files))
	h = append(h, 17)
	h = sevenNumber(h, len(names))
	return append(append(h, names...), 0)
}

func sevenPacked(t testing.TB, method string, plain []byte) (data, coder []byte) {
	switch method {
	case "lzma":
		z := packed(t, plain, func(w io.Writer) (io.WriteCloser, error) {
			return lzma.WriterConfig{DictCap: 64 << 10, SizeInHeader: true, Size: int64(len(plain))}.NewWriter(w)
		})
		return z[13:], append([]byte{0x23, 3, 1, 1, 5}, z[:5]...)
	case "lzma2":
		z := packed(t, plain, func(w io.Writer) (io.WriteCloser, error) {
			return lzma.Writer2Config{DictCap: 64 << 10}.NewWriter2(w)
		})
		return z, []byte{0x21, 0x21, 1, lzma.EncodeDictCap(64 << 10)}
	}
	return plain, []byte{1, 0}
}

// sevenNumber appends a number in the format's own variable length.
func sevenNumber(b []byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, 0x80|byte(n>>8), byte(n))
	}
	return le(append(b, 0xf0), uint64(n), 4)
}
