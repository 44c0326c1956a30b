package archive_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

func TestSniff(t *testing.T) {
	kinds := map[string]archive.Kind{
		"zip": archive.Zip, "tar": archive.Tar, "gzip": archive.Gzip, "bzip2": archive.Bzip2, "xz": archive.XZ,
		"zstd": archive.Zstd, "lzma": archive.LZMA, "ar": archive.Ar, "cpio": archive.Cpio, "rpm": archive.RPM,
		"7z": archive.SevenZip, "pdf": archive.PDF,
	}
	for name, build := range archivetest.Builders() {
		family, _, _ := strings.Cut(name, "-")
		data := build(t, archivetest.File{Name: "a", Data: []byte("some content")})
		if got := archive.Sniff(data, data); got != kinds[family] {
			t.Errorf("%s: %v", name, got)
		}
	}
	v7 := archivetest.Builders()["tar-ustar"](t, archivetest.File{Name: "a", Data: []byte("x")})
	clear(v7[257:265]) // without the magic, and the sum made to fit
	copy(v7[148:], v7Sum(v7[:512]))
	for want, data := range map[archive.Kind]string{
		archive.Tar: string(v7), archive.Zstd: "\x50\x2a\x4d\x18\x02\x00\x00\x00xy\x28\xb5\x2f\xfd....",
		archive.RAR: "Rar!\x1a\x07\x01\x00", archive.LZ4: "\x04\x22\x4d\x18dg..", archive.Lzip: "LZIP\x01\x0c...",
		archive.Compress: "\x1f\x9d\x90....", archive.Cabinet: "MSCF\x00\x00\x00\x00....", archive.XAR: "xar!\x00\x1c..",
		archive.SquashFS: "hsqs....", archive.DMG: strings.Repeat("x", 600) + "koly" + strings.Repeat("\x00", 508),
		archive.Lzop: "\x89LZO\x00\r\n\x1a\n..", archive.LHA: "\x20\x00-lh5-" + strings.Repeat("\x00", 30),
	} {
		if got := archive.Sniff([]byte(data), []byte(data)); got != want {
			t.Errorf("%v is taken for %v", want, got)
		}
		if data == string(v7) {
			continue
		}
		got := walk(t, archive.Limits{}, "name", []byte(data))
		if want != archive.Zstd && (len(got.problems) != 1 || !strings.Contains(got.problems[0], want.String())) {
			t.Errorf("%v: problems %q", want, got.problems)
		}
	}
}

func v7Sum(h []byte) string {
	sum := 0
	for i, c := range h {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	const digits = "01234567"
	s := []byte("000000\x00 ")
	for i := 5; i >= 0; i-- {
		s[i] = digits[sum&7]
		sum >>= 3
	}
	return string(s)
}

func TestSniffText(t *testing.T) {
	for _, text := range []string{
		"", "P", "PK", "BZh is how it starts", "0707070 is a number", "7z is a format", "%PDF", "%!PS", "!<thin>\n",
		"package main\n", "\x1f\x8b", "]\x00\x00", "[core]\n\tbare = false\n", strings.Repeat("0", 600), strings.Repeat(" ", 600),
		strings.Repeat("\x00", 1024), "LZIP files\n", "hsq", "a line\nkoly\n",
	} {
		if got := archive.Sniff([]byte(text), []byte(text)); got != archive.None {
			t.Errorf("%.20q is taken for %v", text, got)
		}
	}
}

func BenchmarkSniffText(b *testing.B) {
	text := bytes.Repeat([]byte("func main() { println(1) } // 0123456789\n"), 1000)
	b.ReportAllocs()
	for b.Loop() {
		if archive.Sniff(text, text) != archive.None {
			b.Fatal("not text")
		}
	}
}
