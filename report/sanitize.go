package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Visible returns s as the text report shows it: nothing in it acts on a
// terminal or on a CI log, and it is one line.
func Visible(s string) string { return visible(s) }

// visible returns s with everything that could act on a terminal or on a CI
// log shown as an escape instead: control characters and escape sequences,
// bidirectional and zero-width characters, bytes that are not UTF-8, and the
// two openings of a workflow command ("::" at the start or after a space, where
// a line may be broken: GitHub's runner passes over leading space; and "##[" or
// "##name[" anywhere in a line, which GitHub, Azure Pipelines and TeamCity take).
// The result is one line.
//
// A backslash is not doubled: the result is for reading, not for decoding.
func visible(s string) string {
	special := func(r rune) bool { return r < ' ' || r >= 0x7f || r == ':' || r == '#' }
	if strings.IndexFunc(s, special) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i := 0; i < len(s); {
		text, size := visibleAt(s, i)
		if colons := strings.HasPrefix(s[i:], "::") || s[i:] == ":"; colons { // a writer may put one behind the last
			if before, _ := utf8.DecodeLastRuneInString(s[:i]); i == 0 || unicode.IsSpace(before) {
				text = `\x3a`
			}
		}
		b.WriteString(text)
		i += size
	}
	return b.String()
}

// visibleAt returns the harmless form of the character of s at byte i, and the
// number of bytes it takes in s.
func visibleAt(s string, i int) (text string, size int) {
	r, size := utf8.DecodeRuneInString(s[i:])
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf(`\x%02x`, s[i]), 1
	case r == '\n':
		return `\n`, 1
	case r == '\r':
		return `\r`, 1
	case r == '\t':
		return `\t`, 1
	case r < ' ' || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r), 1
	case r == '#' && opensCommand(s[i:]):
		return `\x23`, 1
	case !unicode.IsGraphic(r) && r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r), size
	case !unicode.IsGraphic(r):
		return fmt.Sprintf(`\u%04x`, r), size
	}
	return s[i : i+size], size
}

// opensCommand reports whether s begins with "##", any letters, and "[".
func opensCommand(s string) bool {
	letter := func(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }
	rest, ok := strings.CutPrefix(s, "##")
	return ok && strings.HasPrefix(strings.TrimLeftFunc(rest, letter), "[")
}

// visibleJSON makes encoded JSON as harmless to print as visible makes text, and
// loses nothing: what visible would show as an escape becomes a JSON escape.
// Such characters can only be inside strings of valid JSON.
func visibleJSON(data []byte) []byte {
	s := string(data)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		plain := i
		for plain < len(s) && (s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != '#' || s[plain] == '\n') {
			plain++
		}
		b.WriteString(s[i:plain])
		if i = plain; i == len(s) {
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '#' && opensCommand(s[i:]):
			b.WriteString(`\u0023`)
		case r == '\n' || r < utf8.RuneSelf && r != 0x7f || unicode.IsGraphic(r):
			b.WriteString(s[i : i+size])
		case r > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return []byte(b.String())
}

// cut returns s shortened to at most n bytes, at a character boundary, with
// "..." in place of what is gone.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	end := max(n-len("..."), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// cutRunes shortens s to n characters.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// percent encodes every byte of p that is not an unreserved character of RFC 3986 or a slash.
func percent(p string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(p))
}

// encode returns v as JSON that is harmless to print, with a newline at the end.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return visibleJSON(b.Bytes()), nil
}
