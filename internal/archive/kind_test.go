package archive

import (
	"bytes"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
)

func TestSniff(t *testing.T) {
	for name, build := range archivetest.Builders() {
		family, _, _ := strings.Cut(name, "-")
		data := build(t, archivetest.File{Name: "a", Data: []byte("some content")})
		if got := sniff(data, data); got.String() != family && !(family == "pdf" && got == kindPDF) {
			t.Errorf("%s: %v", name, got)
		}
	}
	v7 := archivetest.Builders()["tar-ustar"](t, archivetest.File{Name: "a", Data: []byte("x")})
	clear(v7[257:265]) // without the magic, and the sum made to fit
	copy(v7[148:], v7Sum(v7[:512]))
	for want, data := range map[string]string{
		"tar": string(v7), "zstd": "\x50\x2a\x4d\x18\x02\x00\x00\x00xy\x28\xb5\x2f\xfd....",
		"RAR": "Rar!\x1a\x07\x01\x00", "LZ4": "\x04\x22\x4d\x18dg..", "lzip": "LZIP\x01\x0c...",
		"compress (.Z)": "\x1f\x9d\x90....", "cabinet": "MSCF\x00\x00\x00\x00....", "xar": "xar!\x00\x1c..",
		"SquashFS": "hsqs....", "DMG": strings.Repeat("x", 600) + "koly" + strings.Repeat("\x00", 508),
		"lzop": "\x89LZO\x00\r\n\x1a\n..", "LHA": "\x20\x00-lh5-" + strings.Repeat("\x00", 30),
		"lrzip": "LRZI\x00\x06", "Snappy": "\xff\x06\x00\x00sNaPpY", "zpaq": "7kSt....",
	} {
		if got := sniff([]byte(data), []byte(data)); got.String() != want {
			t.Errorf("%s is taken for %v", want, got)
		}
		if data == string(v7) {
			continue
		}
		got := walked(t, Limits{}, "name", []byte(data))
		if want != "zstd" && (len(got.problems) != 1 || !strings.Contains(got.problems[0], want)) {
			t.Errorf("%s: problems %q", want, got.problems)
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
		if got := sniff([]byte(text), []byte(text)); got != none {
			t.Errorf("%.20q is taken for %v", text, got)
		}
	}
}

func BenchmarkSniffText(b *testing.B) {
	text := bytes.Repeat([]byte("func main() { println(1) } // 0123456789\n"), 1000)
	b.ReportAllocs()
	for b.Loop() {
		if Sniff(text, text) {
			b.Fatal("not text")
		}
	}
}
