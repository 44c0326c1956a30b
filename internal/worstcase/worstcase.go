// Package worstcase makes texts that cost a scanner more than their size: each is dense
// in one thing that the detector, or what follows it, has to do work for.
package worstcase

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// A Case is one kind of text. Make returns about size bytes of it, always the same. Name
// is also a file name, whose ending counts where the contents alone do not say what a
// text is.
type Case struct {
	Name string
	Make func(size int) []byte
}

// All lists the cases.
func All() []Case {
	return slices.Concat(keys(), concatenations(), joints(), escapes(), digits(), wideTexts(), rare(), comments())
}

// keys are keys of each format, and what has their form, with and without a name near by.
func keys() []Case {
	return []Case{
		{"legacy-line", repeat("", " ", (*fakekey.Maker).Legacy)},
		{"legacy-lines", repeat("", "\n", (*fakekey.Maker).Legacy)},
		{"legacy-named", repeat("baseten\n", "\n", (*fakekey.Maker).Legacy)},
		{"legacy-name-each", repeat("", " baseten ", (*fakekey.Maker).Legacy)},
		{"legacy-name-last", last("\nbaseten\n", repeat("", " ", (*fakekey.Maker).Legacy))},
		{"legacy-initials", repeat("", "\nbudtr budtr budtr budtr budtr budtr\n", (*fakekey.Maker).Legacy)},
		{"legacy-truss-words", repeat("", "\ntrussx trussx trussx trussx trussx\n", (*fakekey.Maker).Legacy)},
		{"legacy-spread", repeat("", "\n"+strings.Repeat("x ", 512), (*fakekey.Maker).Legacy)},
		{"legacy-dashes", repeat("", ":-", (*fakekey.Maker).Legacy)},
		{"legacy-hashes", repeat("$2b$10$", "$2b$10$", (*fakekey.Maker).Legacy)},
		{"legacy-binary", repeat("", "\x00\x01", (*fakekey.Maker).Legacy)},
		{"legacy-pickle", repeat("\x80\x02", "q", func(m *fakekey.Maker) string { return "X\x29\x00\x00\x00" + m.Legacy() })},
		{"id-secret.json", bracket("[", repeat("", `", "`, (*fakekey.Maker).Legacy), "]")},
		{"ultravox.csv", repeat("id,key,ultravox\n", ",ultravox\n", (*fakekey.Maker).Legacy)},
		{"drf.csv", repeat("", "\n", func(m *fakekey.Maker) string { return "djangorestframework,Api-Key " + m.Legacy() })},
		{"placeholders", repeat("", " ", func(*fakekey.Maker) string { return "abcd1234." + strings.Repeat("a1b2", 8) })},
		{"words", repeat("", " ", func(*fakekey.Maker) string { return "settings.createDefaultApplicationContexts" })},
		{"sky-lines", repeat("", "\n", (*fakekey.Maker).Federated)},
		{"sky-long", repeat("", " ", func(m *fakekey.Maker) string { return m.Federated() + "-" + m.Word(210) })},
		{"sky-marks", repeat("", "", func(*fakekey.Maker) string { return "sky_" })},
		{"b10-line", repeat("", " ", (*fakekey.Maker).B10)},
		{"b10-lines", repeat("", "\n", (*fakekey.Maker).B10)},
		{"b10-glued", repeat("", "", (*fakekey.Maker).B10)},
		{"b10-word-behind", repeat("", "x ", (*fakekey.Maker).B10)},
		{"b10-word-behind-far-zero", last("\x00", repeat("", "x ", (*fakekey.Maker).B10))},
		{"b10-word-behind-zero-first", bracket("\x00", repeat("", "x ", (*fakekey.Maker).B10), "")},
		{"b10-one-key", repeat("", "\n", same((*fakekey.Maker).B10))},
		{"legacy-one-key", repeat("baseten\n", "\n", same((*fakekey.Maker).Legacy))},
		{"b10-marks", text("b10_b10_")},
		{"b10-mark-spaces", text("b10_ ")},
		{"b10-mark-quotes", text(`b10_"+"`)},
		{"b10-prefix", repeat("", " ", func(m *fakekey.Maker) string { return "b10_" + m.Word(8) + "." + m.Word(31) })},
	}
}

// concatenations: keys that source code puts together of parts, whole and not.
func concatenations() []Case {
	return []Case{
		{"concat-letters", named(text(`"a"+"b"+`))},
		{"concat-key", named(repeat("", ", ", func(m *fakekey.Maker) string { return quoted(m.Legacy()) }))},
		{"concat-b10", repeat("", ", ", func(m *fakekey.Maker) string { return quoted(m.B10()) })},
		{"concat-never-ends", named(repeat("", "\n", func(m *fakekey.Maker) string { return quoted("b10_" + m.Word(39)) }))},
		{"concat-blanks", named(text(`"a"` + strings.Repeat(" ", 90) + `"b"`))},
		{"concat-dots", named(text(`"aaaaaaaa".`))},
		{"quotes", named(text(`"`))},
		{"continued", named(text("a\\\n"))},
		{"continued-indent", named(text("a\\\n" + strings.Repeat(" ", 90)))},
	}
}

// joints: what terminals, mail programs and documents put between the parts of a key.
func joints() []Case {
	return []Case{
		{"joint-returns", named(text("a\r"))},
		{"joint-lines", named(text("abcdefgh\n"))},
		{"joint-folded", named(text("a\n "))},
		{"joint-colours", named(text("a\x1b[31m"))},
		{"joint-links", named(text("a\x1b]8;;" + strings.Repeat("x", 280)))},
		{"joint-backspaces", named(text("aaaaaaaa\b\b\b\b"))},
		{"joint-invisible", named(text("a\u200b"))},
		{"joint-tags", named(text("a<b>"))},
		{"joint-long-tags", named(text("a<" + strings.Repeat("x", 2000) + ">"))},
		{"joint-many-tags", named(text("a" + strings.Repeat("<b>", 600)))},
		{"joint-tags-b10", text("b<b>10_")},
		{"joint-mark-ends", repeat("", " ", func(m *fakekey.Maker) string { return "bbbbbbbbbbbb_" + m.Word(8) + "." })},
		{"joint-mark-begins", text("b<b>b<b>b<b>10_AAAAAAAA.")},
		{"joint-rtf", bracket(`{\rtf1 baseten `, text(`a\b `), "}")},
		{"joint-rtf-long", bracket(`{\rtf1 baseten `, text("a"+strings.Repeat(`\b `, 600)), "}")},
		{"joint-kerning", named(text("a)-12("))},
		{"joint-comments", named(text(`"a" /* x */ + "b" + `))},
		{"joint-hashes", named(text(`"a"#`))},
		{"joint-asciinema", named(text(`"]` + "\n" + `[0.4, "o", "a`))},
		{"joint-words", named(text("a?= =?utf-8?q?"))},
		{"joint-b10-letters", repeat("", " ", func(m *fakekey.Maker) string { return "b10_" + strings.Join(strings.Split(m.Word(40), ""), "\x1b[31m") })},
	}
}

// escapes: escapes.
func escapes() []Case {
	return []Case{
		{"percent", text("%41")},
		{"percent-dense", repeat("", "", escapedBy("%%%02X"))},
		{"percent-keys", repeat("", " ", escapedBy("%%%02X"))},
		{"percent-nested", nestedEscape("%25", 4)},
		{"quoted-printable", text("=41")},
		{"quoted-printable-keys", repeat("", " ", escapedBy("=%02X"))},
		{"quoted-printable-soft", text("abcdefghijklmnopqrstuvwxyz0123456789abcdefghij=\n")},
		{"quoted-printable-soft-short", text("a=41=\n")},
		{"equals", text("=")},
		{"backslash", text(`\`)},
		{"backslash-quotes", text(`\"`)},
		{"backslash-x", text(`\x41`)},
		{"backslash-x-keys", repeat("", " ", escapedBy(`\x%02x`))},
		{"backslash-u", text(`\u0041`)},
		{"octal", text(`\101`)},
		{"entities", text("&#65;")},
		{"entities-hex", text("&#x41;")},
		{"entities-named", text("&amp;")},
		{"entities-keys", repeat("", " ", escapedBy("&#%d;"))},
		{"ampersands", text("&")},
		{"all-escapes", text(`%41&#65;\x41=41\101`)},
		{"nested-json", nestedJSON(4)},
		{"json-strings.json", text(`"\\\"a\\\"",`)},
	}
}

// digits: digits.
func digits() []Case {
	return []Case{
		{"hex", repeat("", "", hexOf)},
		{"hex-lines", repeat("", "\n", hexOf)},
		{"hex-4", encoded(4, hex.EncodeToString)},
		{"numbers", named(repeat("", "", func(m *fakekey.Maker) string { return fmt.Sprintf("%d, ", m.IntN(256)) }))},
		{"numbers-hex", named(repeat("", "", func(m *fakekey.Maker) string { return fmt.Sprintf("%02x ", m.IntN(256)) }))},
		{"numbers-words", named(text("11111111 1111 11 11 11 11 11 11 1111 1111 11 x\n"))},
		{"numbers-keys", named(repeat("", "10,", func(m *fakekey.Maker) string {
			return strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(m.B10())), " ", ","), "[]") + ","
		}))},
		{"numbers-rows", named(text("00000000: 0000 3131\n"))},
		{"hex-wrapped", wrap(76, encoded(1, hex.EncodeToString))},
		{"base64", encoded(1, base64.StdEncoding.EncodeToString)},
		{"base64-4", encoded(4, base64.StdEncoding.EncodeToString)},
		{"base64-4-lines", wrap(76, encoded(4, base64.StdEncoding.EncodeToString))},
		{"base64-wrapped-4", wrapped64(4)},
		{"base64-wrapped-3", wrapped64(3)},
		{"base64-wrapped-2", wrapped64(2)},
		{"base64-wrapped-1", wrapped64(1)},
		{"base64-keys", repeat("", "\n", func(m *fakekey.Maker) string { return base64.StdEncoding.EncodeToString([]byte(m.B10())) })},
		{"base64-short-lines", wrap(20, encoded(1, base64.StdEncoding.EncodeToString))},
		{"base64-uneven-lines", uneven(encoded(1, base64.StdEncoding.EncodeToString))},
		{"base64-of-marks", func(n int) []byte { return []byte(base64.StdEncoding.EncodeToString(text("b10_b10_")(n * 3 / 4))) }},
		{"base64-of-escapes", func(n int) []byte { return []byte(base64.StdEncoding.EncodeToString(text("%41&#65;=41")(n * 3 / 4))) }},
		{"base64-of-utf16", func(n int) []byte {
			return []byte(base64.StdEncoding.EncodeToString(wide(text("password, ")(n * 3 / 8))))
		}},
		{"strict-digits", text("IJKLMNOPQRSTUVWXYZabcdef")},
		{"digits-words", text("abcdefghIJKLMNOP cdefghIJKLMNOPqr\n")},
		{"lines-of-digits", text("abcdefghIJKLMNOPabcd\n")},
	}
}

// wideTexts: wide characters.
func wideTexts() []Case {
	return []Case{
		{"utf16", wideOf(text("ordinary text, of words\n"))},
		{"utf16-keys", wideOf(repeat("", "\n", (*fakekey.Maker).B10))},
		{"utf16-legacy", wideOf(repeat("", "\n", (*fakekey.Maker).Legacy))},
		{"utf16-base64", wideOf(encoded(1, base64.StdEncoding.EncodeToString))},
		{"utf16-base64-nested", wideOf(wrapped64(3))},
		{"utf16-strings", text("p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00é€")},
		{"utf16-pairs", text("a\x00b\x00c\x00d\x00e\x00f\x00g\x00h\x00\xff\xff")},
		{"emoji-keys", repeat("", "😀é", (*fakekey.Maker).B10)},
	}
}

// rare: text that is dense in what is rare.
func rare() []Case {
	return []Case{
		{"dots", text("abcdefgh.")},
		{"dot-words", text("abcdefgh.abcdefghijklmnopqrstuvwxyz012345 ")},
		{"zeros", text("\x00")},
		{"alternating", text("a\x00")},
		{"long-line", text("the quick brown fox jumps over a lazy dog ")},
		{"newlines", text("\n")},
	}
}

// comments: comments that accept, and notebooks.
func comments() []Case {
	return []Case{
		{"allow.py", text("# b10lint:allow x\n")},
		{"allow.md", text("<!-- b10lint:allow x -->\n")},
		{"allow-line.py", text("# b10lint:allow ")},
		{"allow-quotes.py", text(`"'# b10lint:allow x` + "\n")},
		{"allow-keys.py", repeat("", " # b10lint:allow test\n", (*fakekey.Maker).B10)},
		{"allow-keys-line.py", repeat("", " # b10lint:allow test ", (*fakekey.Maker).B10)},
		{"notebook.ipynb", notebook(func(m *fakekey.Maker) string { return "x = 1" })},
		{"notebook-keys.ipynb", notebook((*fakekey.Maker).B10)},
		{"notebook-lists.ipynb", bracket(`{"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": ["`, text(`a", "`), `"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`)},
		{"notebook-pictures.ipynb", bracket(`{"cells": [`, text(`{"cell_type": "code", "metadata": {}, "source": [], "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"image/png": "aGVsbG8="}}]}, `), `{"cell_type": "markdown", "metadata": {}, "source": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`)},
		{"notebook-allow.ipynb", notebook(func(m *fakekey.Maker) string { return m.B10() + " # b10lint:allow x" })},
		{"notebook-deep.ipynb", bracket(`{"cells": `, text("["), "")},
	}
}

// repeat makes a text of things with a separator between them.
func repeat(head, sep string, one func(*fakekey.Maker) string) func(int) []byte {
	return func(size int) []byte {
		m, out := fakekey.New(1), append(make([]byte, 0, size+1024), head...)
		for len(out) < size {
			out = append(append(out, one(m)...), sep...)
		}
		return out
	}
}

func same(one func(*fakekey.Maker) string) func(*fakekey.Maker) string {
	key := one(fakekey.New(2))
	return func(*fakekey.Maker) string { return key }
}

// text makes a text of one string over and over.
func text(s string) func(int) []byte {
	return func(size int) []byte { return bytes.Repeat([]byte(s), size/len(s)+1) }
}

func bracket(before string, make func(int) []byte, after string) func(int) []byte {
	return func(size int) []byte { return append(append([]byte(before), make(size)...), after...) }
}

func named(make func(int) []byte) func(int) []byte { return bracket("# baseten\n", make, "") }

func last(after string, make func(int) []byte) func(int) []byte { return bracket("", make, after) }

// quoted writes each character of a key as a literal.
func quoted(key string) string { return `"` + strings.Join(strings.Split(key, ""), `"+"`) + `"` }

func escapedBy(format string) func(*fakekey.Maker) string {
	return func(m *fakekey.Maker) string {
		var b strings.Builder
		for _, c := range []byte(m.B10()) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

// nestedEscape is text whose characters are escaped, and the escapes themselves again.
func nestedEscape(mark string, times int) func(int) []byte {
	return repeat("", " ", func(m *fakekey.Maker) string {
		s := escapedBy("%%%02X")(m)
		for range times - 1 {
			s = strings.ReplaceAll(s, "%", mark)
		}
		return s
	})
}

func nestedJSON(times int) func(int) []byte {
	return repeat("", "\n", func(m *fakekey.Maker) string {
		s := `{"key": "` + m.B10() + `"}`
		for range times {
			s = fmt.Sprintf("{%q: %q}", "k", s)
		}
		return s
	})
}

func hexOf(m *fakekey.Maker) string { return hex.EncodeToString([]byte(m.B10())) }

const prose = "The words of this text are of no interest, but for what they cost. "

// encoded is prose that was encoded a number of times, each time in one line.
func encoded(times int, encode func([]byte) string) func(int) []byte {
	return func(size int) []byte {
		n := size
		for range times {
			n = n * 4 / len(encode([]byte("123")))
			n = n * 3 / 4
		}
		data := text(prose)(n)
		for range times {
			data = []byte(encode(data))
		}
		return data
	}
}

// wrapped64 is prose in base64, wrapped into lines of 76 each time.
func wrapped64(times int) func(int) []byte {
	return func(size int) []byte {
		for range times {
			size = size * 3 / 4 * 76 / 77
		}
		data := text(prose)(size)
		for range times {
			data = lines([]byte(base64.StdEncoding.EncodeToString(data)), func(int) int { return 76 })
		}
		return data
	}
}

func wrap(width int, make func(int) []byte) func(int) []byte {
	return func(size int) []byte { return lines(make(size*width/(width+1)), func(int) int { return width }) }
}

// uneven wraps into lines of which no two neighbours have one length.
func uneven(make func(int) []byte) func(int) []byte {
	return func(size int) []byte { return lines(make(size*30/31), func(i int) int { return 20 + i%23 }) }
}

func lines(data []byte, width func(int) int) []byte {
	var out []byte
	for i := 0; len(data) > 0; i++ {
		n := min(width(i), len(data))
		out = append(append(out, data[:n]...), '\n')
		data = data[n:]
	}
	return out
}

func wideOf(make func(int) []byte) func(int) []byte {
	return func(size int) []byte { return wide(make(size / 2)) }
}

func wide(data []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(data))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// notebook has a cell for each text.
func notebook(one func(*fakekey.Maker) string) func(int) []byte {
	cell := func(m *fakekey.Maker) string {
		return fmt.Sprintf(`{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": ["%s\n"]}`, one(m))
	}
	return bracket(`{"cells": [`, repeat("", ", ", cell), `{"cell_type": "markdown", "metadata": {}, "source": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}`)
}
