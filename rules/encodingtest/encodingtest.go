// Package encodingtest writes texts in every encoding that package rules looks
// through, for tests.
package encodingtest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// An Encoding is one way to write a text. Several may have one name.
type Encoding struct {
	Name  string // as rules reports it
	Label string // tells those of one name apart
	// Encode writes s. It draws from the maker where there is more than one way.
	Encode func(m *fakekey.Maker, s string) string
}

// All returns every encoding.
func All() []Encoding {
	return []Encoding{
		{"base64", "std", func(_ *fakekey.Maker, s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
		{"base64", "raw url", func(_ *fakekey.Maker, s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
		{"base64", "std, no padding", func(_ *fakekey.Maker, s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
		{"base64", "url, padded", func(_ *fakekey.Maker, s string) string {
			return base64.URLEncoding.EncodeToString([]byte("\xfb\xef\xff " + s))
		}},
		{"base64", "any alignment", func(m *fakekey.Maker, s string) string {
			return m.Word(m.IntN(7)) + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00\xff", m.IntN(20))+" "+s))
		}},
		{"base64", "in a long run", func(m *fakekey.Maker, s string) string {
			return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x01\xfe\x80\x9c", 200)[m.IntN(100):] + " " + s + " " + strings.Repeat("\x83\xf2", 200)))
		}},
		{"base64", "wrapped at 76", func(m *fakekey.Maker, s string) string {
			return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x91x", 60+m.IntN(60))+" "+s+strings.Repeat(" \xe2", 70))), 76, "\n")
		}},
		{"base64", "wrapped at 64, CRLF", func(m *fakekey.Maker, s string) string {
			return wrapAt(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("ab ", m.IntN(60))+" "+s+" and more of it")), 64, "\r\n")
		}},
		{"base64", "PEM, wrapped at 64", func(m *fakekey.Maker, s string) string {
			body := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x30\x82", 40+m.IntN(40)) + " " + s + strings.Repeat("\x02\x81", 60)))
			return "-----BEGIN SETTINGS-----\n" + wrapAt(body, 64, "\n") + "\n-----END SETTINGS-----"
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
		{"hex", "xxd -p", func(m *fakekey.Maker, s string) string {
			return wrapAt(hex.EncodeToString([]byte(strings.Repeat("k=v;", m.IntN(40))+s+"\n")), 60, "\n")
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
		{"utf-32", "little-endian", func(_ *fakekey.Maker, s string) string { return spread(s, 3, 0) }},
		{"utf-32", "big-endian", func(_ *fakekey.Maker, s string) string { return spread(s, 0, 3) }},
	}
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

// spread writes each character of ASCII text with zeros before and behind it.
func spread(s string, behind, before int) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(strings.Repeat("\x00", before) + s[i:i+1] + strings.Repeat("\x00", behind))
	}
	return b.String()
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

// joints are the ways in which source text puts a key together of literals. A is
// what stands before its dot, B what stands behind it, and C and D two parts of B.
var joints = []string{
	`"A" + "." + "B"`, `"A." + "B"`, `'A' + '.B'`, `"A" "." "B"`, `"A" . "." . "B"`, `f"A" f"." f"B"`,
	"`${\"A\"}${\".\"}${\"B\"}`", `['A', '.', 'B']`, `"A" & "." & "B"`, `"A"".""B"`, `'A.C' 'D'`,
	"(\"A.\"\n    \"B\")", "(f\"A\"\n f\".\"\n f\"B\")", "A.\\\n    B", "'A.'\\\n  'B'", "\"A\" +\n\t\t\".B\"", "\"A.C\" +\n  \"D\"", "A.C\\\nD",
}

// Joined returns the ways to put a text with one dot in it together of literals, on
// one line and over adjacent ones. They are source text and need no quotes about them.
func Joined() (all []Encoding) {
	for _, form := range joints {
		all = append(all, Encoding{"concatenation", form, func(m *fakekey.Maker, s string) string {
			a, b, _ := strings.Cut(s, ".")
			cut := 1 + m.IntN(len(b)-2)
			// One pass: the text of a part may hold the letters that stand for parts.
			return strings.NewReplacer("A", a, "B", b, "C", b[:cut], "D", b[cut:]).Replace(form)
		}})
	}
	return all
}

// A Joint is something that stands between two parts of a key, wherever it is cut.
type Joint struct {
	Name                   string
	Before, Between, After string
	// Marked says that only a key with a mark is read over it, and Long that one without is
	// where the line is long.
	Marked, Long bool
}

// Joints returns the joints that a cut anywhere in a key may have, and two cuts.
func Joints() []Joint {
	const long = "a line that is long enough to be wrapped by a terminal or a page: "
	return []Joint{
		{"JavaScript", "k = \"", "\" + \"", "\";", false, false},
		{"Python, adjacent", "k = ('", "'\n     '", "')", false, false},
		{"C, adjacent", "char *k = \"", "\"\n    \"", "\";", false, false},
		{"PHP", "$k = \"", "\" . \"", "\";", false, false},
		{"PHP without blanks", "$k = \"", "\".\"", "\";", false, false},
		{"Lua", "k = \"", "\" .. \"", "\"", false, false},
		{"Elixir, Haskell", "k = \"", "\" <> \"", "\"", false, false},
		{"OCaml, F#", "let k = \"", "\" ^ \"", "\"", false, false},
		{"Visual Basic", "k = \"", "\" & _\r\n    \"", "\"", false, false},
		{"SQL", "k := '", "' || '", "';", false, false},
		{"Julia", "k = \"", "\" * \"", "\"", false, false},
		{"C++ streams", "s << \"", "\" << \"", "\";", false, false},
		{"Fortran", "k = '", "' // '", "'", false, false},
		{"Java with a comment", "k = \"", "\" // the first part\n    + \"", "\";", false, false},
		{"C with a comment", "k = \"", "\" /* and */ \"", "\";", false, false},
		{"Python with a comment", "k = ('", "'  # and\n     '", "')", false, false},
		{"a list that is joined", "k = ['", "', '", "'].join('')", false, false},
		{"escaped quotes", "\"k = \\\"", "\\\" + \\\"", "\\\"\"", false, false},
		{"a line of a shell", "KEY=", "\\\n", "\n", false, false},
		{"quoted-printable", "k=3D ", "=\r\n", "\r\n", false, false},
		{"the edge of a terminal", long, "\n", "\n", false, true},
		{"the edge of a terminal, CRLF", long, "\r\n", "\r\n", false, true},
		{"the edge in a typescript", "key: ", " \r", "\r\n", true, false},
		{"a line of any length", "key: ", "\n", "\n", true, false},
		{"a quoted mail", "> " + long, "\n> ", "\n", false, true},
		{"vCard, iCalendar", "NOTE:", "\r\n ", "\r\n", false, false},
		{"LDIF", "description: ", "\n ", "\n", false, false},
		{"a recording of a terminal", "[0.1, \"o\", \"", "\"]\n[0.42, \"o\", \"", "\"]", false, false},
		{"a colour", "\x1b[1;32m", "\x1b[m\x1b[K", "\x1b[0m", false, false},
		{"two colours", "+", "\x1b[m\x1b[01;31m\x1b[K", "", false, false},
		{"a colour as an escape", "\"", "\\u001b[0m\\u001b[31m", "\"", false, false},
		{"a link of a terminal", "\x1b]8;;https://x.example\x1b\\", "\x1b]8;;\x1b\\", "", false, false},
		{"a correction in a shell", "$ export K=", "x\b\x1b[K", "\r\n", false, false},
		{"two corrections in a shell", "$ export K=", "yz\b \b\b \b", "\r\n", false, false},
		{"a space without width", "key: ", "\u200b", " ", false, false},
		{"a word joiner", "key: ", "\u2060", " ", false, false},
		{"a byte order mark", "key: ", "\ufeff", " ", false, false},
		{"a soft hyphen", "key: ", "\u00ad", " ", false, false},
		{"a space without width as a reference", "<p>", "&#8203;", "</p>", false, false},
		{"a soft hyphen as a reference", "<p>", "&shy;", "</p>", false, false},
		{"a space without width as an escape", "\"", "\\u200b", "\"", false, false},
		{"wbr", "<code>", "<wbr>", "</code>", false, false},
		{"spans", "<span class=\"s\">", "</span><span class=\"hl\">", "</span>", false, false},
		{"mark", "<p>", "</mark><mark>", "</p>", false, false},
		{"runs of Word", "<w:r><w:t>", "</w:t></w:r><w:proofErr w:type=\"spellStart\"/><w:r w:rsidR=\"00A77B3E\"><w:rPr><w:lang w:val=\"en-US\"/></w:rPr><w:t xml:space=\"preserve\">", "</w:t></w:r>", false, false},
		{"runs of Excel", "<si><r><t>", "</t></r><r><rPr><b/><sz val=\"11\"/></rPr><t>", "</t></r></si>", false, false},
		{"runs of PowerPoint", "<a:r><a:t>", "</a:t></a:r><a:r><a:rPr lang=\"en-US\" dirty=\"0\" err=\"1\"/><a:t>", "</a:t></a:r>", false, false},
		{"spans of OpenDocument", "<text:p>", "</text:span><text:span text:style-name=\"T2\">", "</text:p>", false, false},
		{"StringBuilder", "b.append(\"", "\").append(\"", "\");", false, false},
		{"two statements of Python", "k = \"", "\"\nk += \"", "\"", false, false},
		{"two statements of Java", "String k = \"", "\";\n    k += \"", "\";", false, false},
		{"Objective-C", "k = @\"", "\" @\"", "\";", false, false},
		{"a diff of source code", "+k = (\"", "\"\n+     \"", "\")", false, false},
		{"PowerShell, cmd", "echo ", "`\r\n", "\r\n", false, false},
		{"quotes of a shell", "K=", "\"\"", "\n", false, false},
		{"a quote of a shell", "K=", "'", "\n", true, false},
		{"a table that is drawn", "│ key │ ", "   │\n│     ", " │", true, false},
		{"mail with flowing lines", "key: ", " \r\n", "\r\n", true, false},
		{"a comment of several lines", "// the key ", "\n// ", "\n", true, false},
		{"emphasis", "*", "**", "", true, false},
		{"a forum's tags", "", "[/b][i]", "", true, false},
		{"kerning in a PDF", "[(", ")-20(", ")] TJ", false, false},
		{"two words of a header", "Subject: =?utf-8?Q?", "?=\r\n =?utf-8?Q?", "?=", false, false},
	}
}

// Join writes s with the joint at the cuts, which come in order.
func (j Joint) Join(s string, cuts ...int) string {
	text, from := j.Before, 0
	for _, cut := range cuts {
		text += s[from:cut] + j.Between
		from = cut
	}
	return text + s[from:] + j.After
}
