package archive

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

// BenchmarkWalk counts the bytes that come out: 32 members of source-like text.
func BenchmarkWalk(b *testing.B) {
	var text bytes.Buffer
	for i := 0; text.Len() < 512<<10; i++ {
		fmt.Fprintf(&text, "func f%d(x int) int { return x*%d + %x }\n", i, i*7919, uint32(i)*2654435761)
	}
	var files []archivetest.File
	for i := range 32 {
		files = append(files, archivetest.File{Name: fmt.Sprint(i), Data: text.Bytes()})
	}
	all := bytes.Repeat(text.Bytes(), 32)
	for _, name := range []string{"zip", "tar-gnu", "7z-lzma2", "gzip", "xz", "zstd", "ar", "pdf"} {
		b.Run(name, func(b *testing.B) {
			data := archivetest.Builders()[name](b, files...)
			if single(name) {
				data = archivetest.Builders()[name](b, archivetest.File{Data: all})
			}
			w, buf := NewWalker(Limits{}), make([]byte, 1<<20)
			b.SetBytes(int64(len(all)))
			b.ReportAllocs()
			for b.Loop() {
				v := Visitor{
					Member: func(m Member) (int, error) {
						_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{m.Reader}, buf)
						return 0, err
					},
					Problem: func(path string, err error) error { return fmt.Errorf("%s: %w", path, err) },
				}
				if err := w.Walk(b.Context(), bytes.NewReader(data), int64(len(data)), "name", v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWorst walks containers that are made to cost much for each of their bytes. It
// counts the bytes that go in.
func BenchmarkWorst(b *testing.B) {
	const size = 8 << 20
	fill := func(start string, unit []byte) []byte {
		return append([]byte(start), bytes.Repeat(unit, size/len(unit))...)
	}
	tiny := make([]archivetest.File, 60_000)
	for i := range tiny {
		tiny[i] = archivetest.File{Name: fmt.Sprint(i), Data: []byte("x")}
	}
	pdf := archivetest.PDF(b, tiny[0])
	one := archivetest.Zip(zip.Store)(b, tiny[0])
	for name, data := range map[string][]byte{
		"pdf-keywords": fill("%PDF-1.4\n", []byte("stream\n")),
		"pdf-damaged":  fill("%PDF-1.4\n", []byte("/Filter/Fl>>stream\n\x78\x9c")),
		"pdf-objects":  fill("%PDF-1.4\n", pdf[bytes.Index(pdf, []byte("2 0 obj")):bytes.Index(pdf, []byte("trailer"))]),
		"gzip-empty":   fill("", archivetest.Gzip(b, nil)),
		"xz-empty":     fill("", archivetest.XZ(b, nil)),
		"zstd-tiny":    fill("", archivetest.Zstd(b, []byte("x"))),
		"bzip2-tiny":   fill("", archivetest.Bzip2(b, []byte("x"))),
		"ar-empty":     fill("!<arch>\n", fmt.Appendf(nil, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", "a/", 0, 0, 0, "100644", 0)),
		"zip-tiny":     archivetest.Zip(zip.Deflate)(b, tiny...),
		"zip-headers":  fill("", one[:32]),
		"zip-zips":     fill("", one),
	} {
		b.Run(name, func(b *testing.B) {
			w := NewWalker(Limits{Jobs: 1})
			v := Visitor{Problem: func(string, error) error { return nil }, Member: func(m Member) (int, error) {
				_, err := io.Copy(io.Discard, m.Reader)
				return 0, err
			}}
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := w.Walk(b.Context(), bytes.NewReader(data), int64(len(data)), "name", v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
