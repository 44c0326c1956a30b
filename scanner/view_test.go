package scanner

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// However densely keys stand, the bytes that are searched for the masks of snippets are
// a small multiple of the input, and each snippet is that of the key alone.
func TestSnippetsTakeLinearWork(t *testing.T) {
	m := fakekey.New(31)
	for _, sep := range []string{", ", "\n", "=b10_x \n\n"} {
		var text strings.Builder
		for text.Len() < 60_000 {
			text.WriteString(m.Legacy() + sep + m.B10() + sep)
		}
		wide := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune("😀é" + text.String())) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		for kind, data := range map[string][]byte{
			"plain": []byte(text.String()), "UTF-16": wide,
			"UTF-16 inside": append(append(make([]byte, 2000), wide[8:]...), 1, 1, 1),
		} {
			blob := &source.Blob{Data: data}
			c, n := newCursor(blob), 0
			rules.Find("", data, nil, func(match rules.Match) bool {
				got, mark := c.snippet(match)
				if n++; n%200 == 1 {
					if want, _ := newCursor(blob).snippet(match); got != want || mark == nil {
						t.Fatalf("%s: %q beside other keys, %q alone", kind, got, want)
					}
				}
				return true
			})
			if n < 200 {
				t.Fatalf("%s: %d matches", kind, n)
			}
			if searched := c.plain.searched + c.narrowed.searched; searched > 4*len(data) {
				t.Errorf("%s, %q between keys: %d bytes were searched in an input of %d", kind, sep, searched, len(data))
			}
		}
	}
}
