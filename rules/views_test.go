package rules

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

func TestEncodings(t *testing.T) {
	m := fakekey.New(20)
	for _, e := range encodingtest.All() {
		for n := range 200 {
			key, want := m.B10(), finding.B10
			if n%2 == 1 {
				key, want = m.Legacy(), finding.Legacy
			}
			before, after := "# for baseten\nkey: \"", "\"\nnext: line\n"
			if strings.HasPrefix(e.Name, "utf") {
				before, after = "\xff\xfe", "\n\x00"
			}
			inner := []string{key, "Api-Key " + key, "BASETEN_API_KEY=" + key + "\n", "{\"k\": \"" + key + "\"}"}[m.IntN(4)]
			encoded := e.Encode(m, inner)
			checkView(t, e.Name+": "+e.Label, before, encoded, after, key, want, []string{e.Name})
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
	for _, outer := range encodingtest.All() {
		for _, inner := range encodingtest.All() {
			if strings.Contains(inner.Label, "wrapped") || strings.Contains(inner.Label, "lines") || strings.Contains(inner.Label, "line ends") || strings.Contains(inner.Label, "scalar") {
				continue // line ends that an outer encoding writes as text are not joints for the inner one
			}
			if onlyParts(outer.Label) || strings.Contains(outer.Label, "lines") || strings.Contains(outer.Label, "line ends") || strings.HasPrefix(inner.Name, "utf") && (outer.Name == "entity" || strings.HasPrefix(outer.Name, "utf")) {
				continue
			}
			for range 4 {
				key := m.B10()
				encoded := outer.Encode(m, inner.Encode(m, "baseten "+key))
				n := 0
				Find("x", []byte("'"+encoded+"'"), nil, func(f Match) bool {
					if n++; f.Secret.Reveal() != key {
						t.Errorf("%s of %s: another key", outer.Label, inner.Label)
					}
					return true
				})
				if n != 1 {
					t.Errorf("%s (%s) of %s (%s): %d matches", outer.Name, outer.Label, inner.Name, inner.Label, n)
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
		for _, e := range encodingtest.All() {
			forms = append(forms, e.Encode(m, key))
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

// Characters of other scripts stand between a key in UTF-16 or UTF-32 and the name that
// makes it one, in both orders, with a mark and without.
func TestOtherScriptsAboutAKey(t *testing.T) {
	m := fakekey.New(29)
	for _, text := range []string{"# baseten 的密钥 §", "baseten ключ: «§»", "Baseten 🔑😀 § é", "baseten の鍵は§です。", "§ 是 baseten 的", "基 baseten\r\n\r\n键：§"} {
		for order := range 2 {
			for _, wide := range []func(string, int) string{utf16Text, utf32Text} {
				for _, mark := range []string{"", "\ufeff"} {
					key := m.Legacy()
					data := wide(mark+strings.Replace(text, "§", key, 1)+"\n", order)
					if got := find(t, "x", data); fmt.Sprint(got) != "[legacy/high]" {
						t.Errorf("%s, order %d, mark %q, %d bytes: %v", text, order, mark, len(data), got)
					}
				}
			}
		}
	}
}

func utf16Text(s string, order int) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = [2]binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}[order].AppendUint16(b, u)
	}
	return string(b)
}

func utf32Text(s string, order int) string {
	var b []byte
	for _, r := range s {
		b = [2]binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian}[order].AppendUint32(b, uint32(r))
	}
	return string(b)
}

// What lies in more encodings than are taken off is given up, and said so; four are not.
func TestDepthIsSaid(t *testing.T) {
	keys := fakekey.New(77)
	for _, key := range []string{keys.B10(), keys.Legacy()} {
		text := "BASETEN_API_KEY=" + key + "\nand some more text behind it\n"
		for depth := 1; depth <= 6; depth++ {
			if text = base64.StdEncoding.EncodeToString([]byte(text)); depth == 3 {
				text = hex.EncodeToString([]byte(text))
				depth++
			}
			found := 0
			gaveUp := Find("a.txt", []byte("first line\n"+text+"\n"), nil, func(Match) bool { found++; return true })
			if want := depth <= DecodeDepth; (found == 1) != want || (gaveUp < 0) != want || gaveUp > len("first line\n") {
				t.Errorf("%d deep: %d found, given up at %d", depth, found, gaveUp)
			}
		}
	}
}
