// Package archivetest makes containers of every format that archive reads, for
// tests. What the standard library writes is written by it; the rest is written
// here, in the plainest form that the format allows.
package archivetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// A File is one member.
type File struct {
	Name string
	Data []byte
}

// A Builder makes a container of files. Compressed streams hold the first only.
type Builder func(t testing.TB, files ...File) []byte

// Builders are all formats, by name.
func Builders() map[string]Builder {
	return map[string]Builder{
		"zip": Zip(zip.Deflate), "zip-stored": Zip(zip.Store), "zip-lzma": Zip(14), "zip-bzip2": Zip(12),
		"zip-zstd": Zip(93), "zip-xz": Zip(95), "zip-prefixed": PrefixedZip,
		"tar-ustar": Tar(tar.FormatUSTAR), "tar-pax": Tar(tar.FormatPAX), "tar-gnu": Tar(tar.FormatGNU),
		"gzip": Stream(Gzip), "bzip2": Stream(Bzip2), "xz": Stream(XZ), "zstd": Stream(Zstd), "lzma": Stream(LZMA),
		"ar": Ar, "cpio": Cpio, "cpio-odc": CpioODC, "rpm": RPM, "pdf": PDF,
		"7z-copy": SevenZip("copy"), "7z-lzma": SevenZip("lzma"), "7z-lzma2": SevenZip("lzma2"),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Stream makes a Builder of a compression.
func Stream(pack func(testing.TB, []byte) []byte) Builder {
	return func(t testing.TB, files ...File) []byte { return pack(t, files[0].Data) }
}

func packed(t testing.TB, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	var b bytes.Buffer
	w, err := open(&b)
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

// Gzip packs data.
func Gzip(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// XZ packs data.
func XZ(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 64 << 10}.NewWriter(w) })
}

// Zstd packs data.
func Zstd(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

// LZMA packs data in the legacy format.
func LZMA(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) (io.WriteCloser, error) { return lzma.WriterConfig{DictCap: 64 << 10}.NewWriter(w) })
}

// sizedLZMA is LZMA with five bytes of properties and eight of the size before the data.
func sizedLZMA(t testing.TB, data []byte) []byte {
	return packed(t, data, func(w io.Writer) (io.WriteCloser, error) {
		return lzma.WriterConfig{DictCap: 64 << 10, SizeInHeader: true, Size: int64(len(data))}.NewWriter(w)
	})
}

// Zip makes a Builder for a method, with descriptors as a stream writer leaves them.
func Zip(method uint16) Builder {
	return func(t testing.TB, files ...File) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range files {
			if method == zip.Store || method == zip.Deflate {
				m, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: method})
				must(t, err)
				_, err = m.Write(f.Data)
				must(t, err)
				continue
			}
			data := zipPacked(t, method, f.Data)
			m, err := w.CreateRaw(&zip.FileHeader{Name: f.Name, Method: method, CRC32: crc32.ChecksumIEEE(f.Data),
				CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(f.Data))})
			must(t, err)
			_, err = m.Write(data)
			must(t, err)
		}
		must(t, w.Close())
		return b.Bytes()
	}
}

func zipPacked(t testing.TB, method uint16, data []byte) []byte {
	switch method {
	case 12:
		return Bzip2(t, data)
	case 14:
		z := sizedLZMA(t, data)
		return append([]byte{9, 20, 5, 0}, append(z[:5:5], z[13:]...)...)
	case 95:
		return XZ(t, data)
	}
	return Zstd(t, data)
}

// PrefixedZip puts a script before a zip whose offsets do not know of it.
func PrefixedZip(t testing.TB, files ...File) []byte {
	return append([]byte("#!/usr/bin/env python3\n"), Zip(zip.Deflate)(t, files...)...)
}

// Tar makes a Builder for a format of tar.
func Tar(format tar.Format) Builder {
	return func(t testing.TB, files ...File) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range files {
			h := &tar.Header{Name: f.Name, Size: int64(len(f.Data)), Mode: 0o644, Typeflag: tar.TypeReg, Format: format}
			if format == tar.FormatPAX {
				h.PAXRecords = map[string]string{"comment": "made by a test"}
			}
			must(t, w.WriteHeader(h))
			_, err := w.Write(f.Data)
			must(t, err)
		}
		must(t, w.Close())
		return b.Bytes()
	}
}

// Ar makes a Unix archive with a table of long names where names need it.
func Ar(_ testing.TB, files ...File) []byte {
	var b, names bytes.Buffer
	member := func(name string, data []byte) {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(data))
		b.Write(data)
		if len(data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	b.WriteString("!<arch>\n")
	short := make([]string, len(files))
	for i, f := range files {
		if short[i] = f.Name + "/"; len(short[i]) > 16 {
			short[i] = fmt.Sprintf("/%d", names.Len())
			names.WriteString(f.Name + "/\n")
		}
	}
	if names.Len() > 0 {
		member("//", names.Bytes())
	}
	for i, f := range files {
		member(short[i], f.Data)
	}
	return b.Bytes()
}

// Cpio makes an archive in the new ASCII format.
func Cpio(_ testing.TB, files ...File) []byte {
	var b bytes.Buffer
	for i, f := range append(files[:len(files):len(files)], File{Name: "TRAILER!!!"}) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
			i, 0o100644, 0, 0, 1, 0, len(f.Data), 0, 0, 0, 0, len(f.Name)+1, 0)
		b.WriteString(f.Name + "\x00")
		b.Write(make([]byte, -b.Len()&3))
		b.Write(f.Data)
		b.Write(make([]byte, -b.Len()&3))
	}
	return b.Bytes()
}

// CpioODC makes an archive in the old portable format.
func CpioODC(_ testing.TB, files ...File) []byte {
	var b bytes.Buffer
	for i, f := range append(files[:len(files):len(files)], File{Name: "TRAILER!!!"}) {
		fmt.Fprintf(&b, "070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00",
			0, i, 0o100644, 0, 0, 1, 0, 0, len(f.Name)+1, len(f.Data), f.Name)
		b.Write(f.Data)
	}
	return b.Bytes()
}

// RPM makes a package with empty headers and a payload in gzip.
func RPM(t testing.TB, files ...File) []byte {
	lead := make([]byte, 96)
	copy(lead, "\xed\xab\xee\xdb\x03\x00")
	header := append([]byte("\x8e\xad\xe8\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04"), make([]byte, 20)...)
	out := append(lead, header...)
	out = append(out, make([]byte, 4)...) // the signature is padded to eight bytes
	out = append(out, header...)
	return append(out, Gzip(t, Cpio(t, files...))...)
}

// PDF makes a document whose files are streams packed with Flate.
func PDF(_ testing.TB, files ...File) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
	for i, f := range files {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(f.Data)
		w.Close()
		fmt.Fprintf(&b, "%d 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n", i+2, z.Len(), z.Bytes())
	}
	b.WriteString("trailer\n<< /Root 1 0 R >>\n%%EOF\n")
	return b.Bytes()
}

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
		z := sizedLZMA(t, plain)
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

// le appends a little-endian number.
func le(b []byte, v uint64, bytes int) []byte {
	return append(b, binary.LittleEndian.AppendUint64(nil, v)[:bytes]...)
}
