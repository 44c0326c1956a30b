package scanner

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

func utf16Of(order binary.ByteOrder, s string) string {
	var b bytes.Buffer
	_ = binary.Write(&b, order, utf16.Encode([]rune(s)))
	return b.String()
}

// Lines, columns and the line about a key are those of the text, however it is
// written: with or without a mark, in either order, whole or in windows.
func TestWidePlaces(t *testing.T) {
	m := fakekey.New(30)
	path := filepath.Join(t.TempDir(), "wide")
	// U+0A41 and U+410A have a byte that is a line feed elsewhere.
	filler := strings.Repeat("line \u0a41\u410a of it, and some more to see\r\n", 5)
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"\ufeff", ""} {
			for _, times := range []int{1, 1300, 4000} { // whole, and in windows of UTF-16
				key, second := m.B10(), m.B10()
				text := mark + strings.Repeat(filler, times) + "é😀 key=" + key + " é\n" + strings.Repeat(filler, times) + "  " + second + "\r\n"
				if err := os.WriteFile(path, []byte(utf16Of(order, text)), 0o600); err != nil {
					t.Fatal(err)
				}
				r := scan(t, finding.LowConfidence, disk.Dir(path, disk.Options{}))
				what := fmt.Sprintf("%v, mark %q, %d times", order, mark, times)
				if len(r.Findings) != 2 || len(r.Findings[0].Locations) != 1 || len(r.Findings[1].Locations) != 1 {
					t.Fatalf("%s: %d findings", what, len(r.Findings))
				}
				a, b := r.place(0, 0), r.place(1, 0)
				if got, want := fmt.Sprintf("%d:%d-%d %d-%d", a.Line, a.Column, a.EndColumn, a.UTF16Column, a.UTF16EndColumn), fmt.Sprintf("%d:8-53 9-54", 5*times+1); got != want {
					t.Errorf("%s: at %s, want %s", what, got, want)
				}
				if b.Line != 10*times+2 || b.Column != 3 || b.EndColumn != 48 || b.UTF16Column != 0 {
					t.Errorf("%s: second at %d:%d-%d", what, b.Line, b.Column, b.EndColumn)
				}
				if want := "é😀 key=" + key[:12] + ".**** é"; a.Snippet != want || string([]rune(a.Snippet)[a.SnippetMark[0]:a.SnippetMark[1]]) != key[:12]+".****" {
					t.Errorf("%s: snippet %q %v, want %q", what, a.Snippet, a.SnippetMark, want)
				}
			}
		}
	}
}

// A string of UTF-16 inside a program, with an ASCII key beside it.
func TestWideStringInBinary(t *testing.T) {
	m := fakekey.New(31)
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		key, beside := m.B10(), m.B10()
		text := "\x7fELF" + strings.Repeat("\x80\x91\x02", 301) + beside + "\x00\x01" + utf16Of(order, "KEY="+key+";") + beside + strings.Repeat("\xf0", 99)
		r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: "-"}))
		if len(r.Findings) != 2 {
			t.Fatalf("%v: %d findings", order, len(r.Findings))
		}
		for i, f := range r.Findings {
			for _, l := range f.Locations {
				hides(t, "binary", l.Snippet, key, beside)
				if f.Prefix == key[:12] && l.Snippet != "KEY="+key[:12]+".****;" {
					t.Errorf("%v: snippet %d %q", order, i, l.Snippet)
				}
			}
		}
	}
}

// Keys that are not UTF-16 in a file that is: read in pairs they are no key, and
// must not be shown as what they are then.
func TestNarrowKeyInWideText(t *testing.T) {
	m := fakekey.New(32)
	key, other := m.B10(), m.B10()
	text := utf16Of(binary.LittleEndian, "\ufeffsome words, then = ") + " " + other + " " + utf16Of(binary.LittleEndian, " and "+key+" end\n")
	r := scan(t, finding.LowConfidence, disk.Reader(strings.NewReader(text), finding.Location{Path: "-"}))
	for _, f := range r.Findings {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			back := strings.ReplaceAll(utf16Of(order, f.Locations[0].Snippet), "\x00", "")
			hides(t, "turned back", back, key, other)
		}
	}
	if len(r.Findings) != 2 {
		t.Errorf("%d findings", len(r.Findings))
	}
}

// hides fails when eight bytes in a row of a secret half can be read in a text.
func hides(t *testing.T, what, text string, keys ...string) {
	t.Helper()
	for i, k := range keys {
		half := k[strings.IndexByte(k, '.')+1:]
		for at := 0; at+8 <= len(half); at++ {
			if strings.Contains(text, half[at:at+8]) {
				t.Fatalf("%s: a part of key %d is shown", what, i)
			}
		}
	}
}
