package scanner

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/b10lint/b10lint/finding"
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

// What could not be searched whole is not shown beside a key, in a text as it is and in
// one of UTF-16, and the snippet says so; neither is it a comment's reason.
func TestSnippetsWithholdWhatWasNotSearched(t *testing.T) {
	m := fakekey.New(32)
	seen, other := m.B10(), m.B10()
	encoded := other
	for _, format := range []string{"%%%02x", "=%02X", "%%%02x", "=%02X"} {
		var b strings.Builder
		for _, c := range []byte(encoded) {
			fmt.Fprintf(&b, format, c)
		}
		encoded = b.String()
	}
	hostile := strings.Repeat(`%41&#65;\x41=41\101`, 150) + encoded
	text := "x " + seen + " # b10lint:allow " + hostile
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"behind it", []byte(text)},
		{"about it", []byte(hostile + " " + seen + " " + encoded)},
		{"UTF-16", []byte(utf16Of(binary.LittleEndian, "\ufeff"+text))},
		{"UTF-16 about bytes", []byte("\xff\xfeb\x00" + hostile[:len(hostile)&^1] + utf16Of(binary.LittleEndian, " "+seen+" x"))},
	} {
		blob, n := &source.Blob{Data: c.data}, 0
		rules.Find("", c.data, nil, func(match rules.Match) bool {
			if match.Secret.Reveal() == seen {
				n++
				var at finding.Location
				newCursor(blob).place(&at, match)
				shown := at.Snippet
				if at.Allow != nil {
					shown += *at.Allow
				}
				for i := 0; i+12 <= len(encoded); i++ {
					if strings.Contains(shown, encoded[i:i+12]) {
						t.Errorf("%s: a part of an encoded key is shown", c.name)
						break
					}
				}
				if !strings.Contains(at.Snippet, withheld) {
					t.Errorf("%s: the snippet does not say that something is withheld", c.name)
				}
			}
			return true
		})
		if n != 1 {
			t.Errorf("%s: the key is found %d times", c.name, n)
		}
	}
}
