package archive

import (
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
					Member: func(m Member) error {
						_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{m.Reader}, buf)
						return err
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
