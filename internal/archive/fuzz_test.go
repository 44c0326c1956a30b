package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

var errEnough = errors.New("enough")

// bounded walks data both ways under tight limits: no panic, no error but the
// visitor's, and no more work than the limits allow.
func bounded(t *testing.T, data []byte) {
	limits := Limits{Depth: 4, Members: 200, Bytes: 8 << 20, Memory: 8 << 20, Jobs: 1}
	w := NewWalker(limits)
	for _, stream := range []bool{false, true} {
		members, problems, total := 0, 0, int64(0)
		v := Visitor{
			Member: func(m Member) (int, error) {
				n, err := io.Copy(io.Discard, struct{ io.Reader }{m.Reader})
				if err != nil {
					t.Fatalf("a member's reader failed: %v", err)
				}
				members, total = members+1, total+n
				if members%64 == 63 && len(data)%7 == 0 {
					return 0, errEnough
				}
				return 0, nil
			},
			Problem: func(string, error) error { problems++; return nil },
		}
		var err error
		if stream {
			err = w.WalkStream(t.Context(), bytes.NewReader(data), "name", v)
		} else {
			err = w.Walk(t.Context(), bytes.NewReader(data), int64(len(data)), "name", v)
		}
		if err != nil && !errors.Is(err, errEnough) {
			t.Fatalf("error %v", err)
		}
		if members > 201 || problems > 110 || total > 40<<20+4*int64(len(data)) {
			t.Fatalf("%d members, %d problems, %d bytes", members, problems, total)
		}
	}
}

// FuzzWalk covers all formats; the ones below keep to one and mend its checksums,
// so that the fuzzer gets past them.
func FuzzWalk(f *testing.F) {
	for _, build := range archivetest.Builders() { // a small one of each format
		f.Add(build(f, archivetest.File{Name: "a", Data: []byte("some content")}, archivetest.File{Name: "b/c", Data: []byte("more")}))

	}
	f.Add([]byte("Rar!\x1a\x07\x01\x00"))                                                                // recognised only
	f.Add(archivetest.Gzip(f, archivetest.Gzip(f, archivetest.Zstd(f, archivetest.XZ(f, []byte("x")))))) // nested
	f.Fuzz(bounded)
}

func FuzzZip(f *testing.F) {
	seed := archivetest.Zip(zip.Deflate)(f, two()...)
	f.Add(seed)
	f.Add(archivetest.Zip(zip.Store)(f, two()...))
	f.Add(seed[:len(seed)-40])                                                                          // no end record
	f.Add(archivetest.Zip(14)(f, two()...))                                                             // LZMA
	f.Add(append(bytes.Clone(seed), seed...))                                                           // two in a row
	f.Add([]byte("PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00")) // all zip64
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, append([]byte("PK\x03\x04"), data[min(4, len(data)):]...)) })
}

func FuzzTar(f *testing.F) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		f.Add(archivetest.Tar(format)(f, two()...))
	}
	for _, version := range []string{"gnu", "0.0", "0.1", "1.0"} {
		f.Add(sparseTar(version, 1<<40, "tail"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.Clone(data)
		for at := 0; at+512 <= len(data); at += 512 { // mend what may be a header
			if h := data[at : at+512]; string(h[257:262]) == "ustar" {
				copy(h[148:], v7Sum(h))
			}
		}
		bounded(t, data)
	})
}

func FuzzSevenZip(f *testing.F) {
	for _, method := range []string{"copy", "lzma", "lzma2"} {
		f.Add(archivetest.SevenZip(method)(f, two()...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 32 {
			return
		}
		data = bytes.Clone(data)
		copy(data, "7z\xbc\xaf\x27\x1c")
		le := binary.LittleEndian
		offset, size := le.Uint64(data[12:]), le.Uint64(data[20:])
		if n := uint64(len(data)); offset < n && size < n && 32+offset+size <= n {
			le.PutUint32(data[28:], crc32.ChecksumIEEE(data[32+offset:32+offset+size]))
		}
		bounded(t, data)
	})
}

func FuzzXZ(f *testing.F) {
	z := archivetest.XZ(f, []byte("some content, some content"))
	f.Add(z)
	f.Add(append(append(bytes.Clone(z), 0, 0, 0, 0), z...)) // two streams with padding
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte("\xfd7zXZ\x00"), data[min(6, len(data)):]...)
		if len(data) > 12 { // mend the first block's header
			if n := (int(data[12]) + 1) * 4; data[12] != 0 && 12+n <= len(data) {
				binary.LittleEndian.PutUint32(data[12+n-4:], crc32.ChecksumIEEE(data[12:12+n-4]))
			}
		}
		bounded(t, data)
	})
}

func FuzzPackages(f *testing.F) {
	for i, name := range []string{"ar", "cpio", "cpio-odc", "rpm", "pdf"} {
		f.Add(i, archivetest.Builders()[name](f, two()...))
	}
	heads := []string{"!<arch>\n", "070701", "070707", "\xed\xab\xee\xdb", "%PDF-"}
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		head := heads[uint(kind)%uint(len(heads))]
		bounded(t, append([]byte(head), data[min(len(head), len(data)):]...))
	})
}
