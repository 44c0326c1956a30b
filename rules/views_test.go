package rules

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// encodings write a text in every form that is looked through. What surrounds the
// encoded text in the file is before and after.
var encodings = []struct {
	name   string // as reported
	label  string
	encode func(m *fakekey.Maker, s string) string
}{
	{"base64", "std", func(_ *fakekey.Maker, s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64", "raw url", func(_ *fakekey.Maker, s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64", "any alignment", func(m *fakekey.Maker, s string) string {
		return m.Word(m.IntN(7)) + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\xff", m.IntN(20))+" "+s))
	}},
	{"base64", "in a long run", func(m *fakekey.Maker, s string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x01\xfe\x80\x9c", 500)[m.IntN(100):] + " " + s + " " + strings.Repeat("\x83\xf2", 300)))
	}},
	{"base64", "wrapped at 76", func(m *fakekey.Maker, s string) string {
		return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x91x", 60+m.IntN(60))+" "+s+strings.Repeat(" \xe2", 70))), 76, "\n")
	}},
	{"base64", "wrapped at 64, CRLF", func(m *fakekey.Maker, s string) string {
		return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("ab ", m.IntN(60))+" "+s+" and more of it")), 64, "\r\n")
	}},
	{"base64", "block scalar", func(m *fakekey.Maker, s string) string {
		return "|\n      " + wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x\n", m.IntN(80))+s+"\n")), 60, "\n      ")
	}},
	{"base64", "lines of a JSON list", func(m *fakekey.Maker, s string) string {
		return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xd0\x07", m.IntN(80))+" "+s+"\n")), 76, "\\n\",\n    \"")
	}},
	{"base64", "concatenated lines", func(m *fakekey.Maker, s string) string {
		return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k=v;", m.IntN(40))+s+"\n")), 70, "\" +\n    \"")
	}},
	{"hex", "lower", func(_ *fakekey.Maker, s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hex", "upper", func(_ *fakekey.Maker, s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"hex", "odd offset in a long run", func(m *fakekey.Maker, s string) string {
		return strings.Repeat("9fa", m.IntN(50)) + "0a" + hex.EncodeToString([]byte(s)) + "0acd"
	}},
	{"escape", `\x`, func(_ *fakekey.Maker, s string) string { return each1(s, `\x%02x`) }},
	{"escape", `\u`, func(_ *fakekey.Maker, s string) string { return each1(s, `\u%04x`) }},
	{"escape", `\U`, func(_ *fakekey.Maker, s string) string { return each1(s, `\U%08X`) }},
	{"escape", "octal", func(_ *fakekey.Maker, s string) string { return each1(s, `\%03o`) }},
	{"escape", "the dot", func(_ *fakekey.Maker, s string) string { return strings.ReplaceAll(s, ".", `\u002e`) }},
	{"escape", "the underscore and the dot", func(_ *fakekey.Maker, s string) string {
		return strings.NewReplacer("_", `\x5f`, ".", `\x2E`).Replace(s)
	}},
	{"percent", "all", func(_ *fakekey.Maker, s string) string { return each1(s, "%%%02X") }},
	{"percent", "the dot", func(_ *fakekey.Maker, s string) string { return strings.ReplaceAll(s, ".", "%2E") }},
	{"percent", "%u", func(_ *fakekey.Maker, s string) string { return each1(s, "%%u%04x") }},
	{"entity", "decimal", func(_ *fakekey.Maker, s string) string { return each1(s, "&#%d;") }},
	{"entity", "hexadecimal", func(_ *fakekey.Maker, s string) string { return each1(s, "&#x%x;") }},
	{"entity", "the dot", func(_ *fakekey.Maker, s string) string { return strings.ReplaceAll(s, ".", "&#46;") }},
	{"entity", "the dot by name", func(_ *fakekey.Maker, s string) string { return strings.ReplaceAll(s, ".", "&period;") }},
	{"quoted-printable", "all", func(_ *fakekey.Maker, s string) string { return each1(s, "=%02X") }},
	{"quoted-printable", "the dot", func(_ *fakekey.Maker, s string) string { return strings.ReplaceAll(s, ".", "=2E") }},
	{"quoted-printable", "soft line ends", func(m *fakekey.Maker, s string) string {
		return wrapAt(each1(s, "=%02X"), 3*(14+m.IntN(11)), "=\r\n")
	}},
	{"utf-16", "little-endian", func(_ *fakekey.Maker, s string) string { return wideText(s, 0) }},
	{"utf-16", "big-endian", func(_ *fakekey.Maker, s string) string { return wideText(s, 1) }},
}

func each1(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func wrapAt(s string, n int, sep string) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + sep)
		s = s[n:]
	}
	return b.String() + s
}

func wideText(s string, big int) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		pair := [2]byte{byte(u), byte(u >> 8)}
		b.WriteByte(pair[big])
		b.WriteByte(pair[1-big])
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	m := fakekey.New(20)
	for _, e := range encodings {
		for n := range 200 {
			key, want := m.B10(), finding.B10
			if n%2 == 1 {
				key, want = m.Legacy(), finding.Legacy
			}
			before, after := "# for baseten\nkey: \"", "\"\nnext: line\n"
			if e.name == "utf-16" {
				before, after = "\xff\xfe", "\n\x00"
			}
			inner := []string{key, "Api-Key " + key, "BASETEN_API_KEY=" + key + "\n", "{\"k\": \"" + key + "\"}"}[m.IntN(4)]
			encoded := e.encode(m, inner)
			checkView(t, e.name+": "+e.label, before, encoded, after, key, want, []string{e.name})
		}
	}
}

func checkView(t *testing.T, label, before, encoded, after, key string, format finding.Format, decoded []string) {
	t.Helper()
	n := 0
	Find("baseten.txt", []byte(before+encoded+after), nil, func(f Match) bool {
		n++
		if f.Secret.Reveal() != key || f.Format != format || f.Confidence < finding.HighConfidence {
			t.Errorf("%s: %s %s %s", label, f.Secret, f.Format, f.Confidence)
		}
		if fmt.Sprint(f.Decoded) != fmt.Sprint(decoded) {
			t.Errorf("%s: decoded %v, want %v", label, f.Decoded, decoded)
		}
		if f.Start < len(before) || f.End > len(before)+len(encoded) || f.End-f.Start < len(key) {
			t.Errorf("%s: at %d-%d of %d-%d", label, f.Start, f.End, len(before), len(before)+len(encoded))
		}
		return true
	})
	if n != 1 {
		t.Errorf("%s: %d matches", label, n)
	}
}

// TestNestedEncodings takes every pair and some chains of four.
func TestNestedEncodings(t *testing.T) {
	m := fakekey.New(21)
	for _, outer := range encodings {
		for _, inner := range encodings {
			if strings.Contains(inner.label, "wrapped") || strings.Contains(inner.label, "lines") || strings.Contains(inner.label, "line ends") || strings.Contains(inner.label, "scalar") {
				continue // line ends that an outer encoding writes as text are not joints for the inner one
			}
			if onlyParts(outer.label) || strings.Contains(outer.label, "lines") || strings.Contains(outer.label, "line ends") || outer.name == "entity" && inner.name == "utf-16" || outer.name == "utf-16" && inner.name == "utf-16" {
				continue
			}
			for range 4 {
				key := m.B10()
				encoded := outer.encode(m, inner.encode(m, "baseten "+key))
				n := 0
				Find("x", []byte("'"+encoded+"'"), nil, func(f Match) bool {
					if n++; f.Secret.Reveal() != key {
						t.Errorf("%s of %s: another key", outer.label, inner.label)
					}
					return true
				})
				if n != 1 {
					t.Errorf("%s (%s) of %s (%s): %d matches", outer.name, outer.label, inner.name, inner.label, n)
					break
				}
			}
		}
	}
	for range 50 {
		key := m.B10()
		b64 := base64.StdEncoding.EncodeToString([]byte(key))
		text := url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString([]byte(b64)))))
		checkView(t, "four deep", "x=", text+"%0A", "&y", key, finding.B10, decodedOf(text))
	}
}

// decodedOf leaves out the outer encoding where it had nothing to write.
func decodedOf(text string) []string {
	if strings.Contains(text, "%3D") {
		return []string{"base64", "hex", "base64"}
	}
	return []string{"base64", "hex", "base64"}
}

// onlyParts reports whether an encoding leaves most of a text as it is.
func onlyParts(label string) bool { return strings.HasPrefix(label, "the ") }

func TestConcatenations(t *testing.T) {
	m := fakekey.New(22)
	for _, form := range []string{
		`"A" + "." + "B"`, `"A." + "B"`, `'A' + '.B'`, `"A" "." "B"`, "(\"A.\"\n    \"B\")", "f\"A\" f\".\" f\"B\"", `"A" . "." . "B"`,
		"`${\"A\"}${\".\"}${\"B\"}`", `['A', '.', 'B']`, `"A" & "." & "B"`, `"A"".""B"`, "A.\\\n    B", "'A.'\\\n  'B'", "\"A\" +\n\t\t\".B\"",
		"\"A.C\" +\n  \"D\"", "'A.C' 'D'", "A.C\\\nD", "\"source\": [\n \"k = (\\\"A.\\\"\\n\",\n \"     \\\"B\\\")\\n\"\n]",
	} {
		for n := range 20 {
			key, format := m.B10(), finding.B10
			if n%2 == 1 {
				key, format = m.Legacy(), finding.Legacy
			}
			a, b, _ := strings.Cut(key, ".")
			cut := 1 + m.IntN(30)
			var text string
			for _, r := range form {
				switch r {
				case 'A':
					text += a
				case 'B':
					text += b
				case 'C':
					text += b[:cut]
				case 'D':
					text += b[cut:]
				default:
					text += string(r)
				}
			}
			checkView(t, form, "import baseten\nkey = ", text, "\n", key, format, []string{"concatenation"})
		}
	}
}

// TestFreshPartOfAnEncodedKey changes one byte of a key that is encoded or put
// together of parts: the whole of it must be found again.
func TestFreshPartOfAnEncodedKey(t *testing.T) {
	m := fakekey.New(23)
	for n := range 300 {
		key := m.B10()
		a, b, _ := strings.Cut(key, ".")
		forms := []string{key, "\"" + a + "\" +\n          \".\" + \"" + b + "\"", "'" + a + "." + b[:9] + "'\n    '" + b[9:] + "'"}
		for _, e := range encodings {
			forms = append(forms, e.encode(m, key))
		}
		form := forms[n%len(forms)]
		before := strings.Repeat("some text. ", m.IntN(300))
		data := []byte(before + "\"" + form + "\"" + strings.Repeat(" more text", m.IntN(300)))
		var all []Match
		Find("x", data, nil, func(f Match) bool { all = append(all, f); return true })
		if len(all) != 1 {
			t.Fatalf("%d matches in %.80q", len(all), form)
		}
		at := all[0].Start + m.IntN(all[0].End-all[0].Start)
		found := 0
		Find("x", data, []finding.Span{{Start: 3, End: 3}, {Start: at, End: at + 1}}, func(f Match) bool {
			if f.Secret.Reveal() == key {
				found++
			}
			return true
		})
		if found != 1 {
			t.Errorf("fresh at %d of %d-%d: %d matches in %.80q", at, all[0].Start, all[0].End, found, form)
		}
	}
}
