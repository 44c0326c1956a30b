package unpack

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// What tesseract made of keys, and the form it must come to.
func TestMend(t *testing.T) {
	m := fakekey.New(60)
	first, half := "nQd7Xw3k", m.Word(32)
	key := "b10_" + first + "." + half
	legacy := first + "." + half
	for _, c := range []struct{ what, read, want string }{
		{"as it is", "k=" + key + " x", "k=" + key},
		{"letters in the prefix", "k=blO_" + first + "." + half, "k=" + key},
		{"a slashed zero", "k=b1@_" + first + "." + half, "k=" + key},
		{"no underscore", "k=b10 " + first + "." + half, "k=" + key},
		{"blanks about the dot", "k=b10_ " + first + " . " + half, "k=" + key},
		{"blank lines", "k=b10_" + first + ".\n\n" + half, "k=" + key},
		{"broken in the secret", "k=b10_" + first + "." + half[:20] + "\n" + half[20:], "k=" + key},
		{"broken in the prefix", "k=b10_" + first[:3] + "\n" + first[3:] + "." + half, "k=" + key},
		{"broken three times", "k=b1\n0_" + first[:3] + "\n" + first[3:] + "." + half[:9] + "\n" + half[9:], "k=" + key},
		{"two blanks in the secret", "k=b10_" + first + "." + half[:7] + " " + half[7:19] + " " + half[19:], "k=" + key},
		{"too long", "k=" + key + "ab", "k=" + key},
		{"too short", "k=" + key[:len(key)-2], "k=" + key[:len(key)-2] + "xx"},
		{"a letter twice", "k=b10_n0" + first[1:] + "." + half, "k=b10_n0" + first[2:] + "." + half},
		{"of the older form", "k=" + legacy, "k=" + legacy},
		{"of the older form, broken", "k=" + legacy[:30] + "\n" + legacy[30:] + " x", "k=" + legacy},
	} {
		if got := mend(c.read); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: not mended", c.what)
		}
	}
	two := mend("a=b10_" + first + "." + half + "\nb=b10_" + first + "." + half + "\n")
	if strings.Count(two, key) != 2 {
		t.Error("two keys on two lines are not both there")
	}
	for _, prose := range []string{
		"It works. Internationalization of the programs\nbecomes. Another sentence follows here and goes on\nand on.",
		"see https://example.com/documents.html", "b10_ is the prefix. It is short.", "", "\n\n\n", "a.b.c.d",
	} {
		if got := mend(prose); got != blankLines.ReplaceAllString(prose, "\n") {
			t.Errorf("%q became %q", prose, got)
		}
	}
}

func FuzzMend(f *testing.F) {
	f.Add("b10_abcdefgh. xyz\n\n12|@")                   // a prefix, a break, look-alikes
	f.Add("bl@ 12345678.\n" + strings.Repeat("A b", 12)) // too many blanks
	f.Add("£££.§§§\xff\xfe")                             // symbols, and what is no UTF-8
	f.Fuzz(func(t *testing.T, text string) {
		if got := mend(text); len(got) > 2*len(text)+64 {
			t.Errorf("%d bytes became %d", len(text), len(got))
		}
	})
}

// Pictures that are damaged or lie about themselves.
func FuzzPrepare(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 16))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:40])                                   // cut off
	f.Add([]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"))     // claims 65535 × 65535
	f.Add([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36")) // a bitmap's head
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8L"))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !IsPicture(data) {
			return
		}
		pgm, err := prepare(data)
		if err == nil && pgm != nil && !bytes.HasPrefix(pgm, []byte("P5 ")) {
			t.Error("no PGM")
		}
	})
}
