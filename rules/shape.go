package rules

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"slices"
	"sort"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// A grammar is a row of the table of formats.
type grammar struct {
	keyformat.Format
	word   uint32     // the mark, as four bytes; 0 for none
	secret *[256]byte // what the secret half is of
}

var grammars = func() (all []grammar) {
	for _, f := range keyformat.All() {
		g := grammar{Format: f, secret: &alnum}
		if f.Mark != "" {
			g.word = binary.LittleEndian.Uint32([]byte(f.Mark))
		}
		if f.Dashes {
			g.secret = &token
		}
		all = append(all, g)
	}
	return all
}()

// A shape is a span of the input that follows a grammar and stands between
// boundaries. Nothing is said yet about whether it is a key.
type shape struct {
	start, dot, end int
	of              *grammar
}

// touches reports whether data[start:end] overlaps one of the ordered spans or
// stands right beside it: a change beside a key can make or break its boundary.
func touches(spans []finding.Span, start, end int) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].End >= start })
	return i < len(spans) && spans[i].Start <= end
}

// at returns the shape that begins at data[start], if there is one.
func (g *grammar) at(t *text, start int) (shape, bool) {
	data := t.data
	dot := start + len(g.Mark) + g.Prefix
	if start < 0 || dot+g.MinSecret >= len(data) || data[dot] != '.' || !hasMark(data, start, g.Mark) ||
		!allAlnum(data[start+len(g.Mark):dot]) {
		return shape{}, false
	}
	end := dot + 1
	for end < len(data) && end-dot-1 < g.MaxSecret && g.secret[data[end]] != 0 {
		end++
	}
	return shape{start, dot, end, g}, end-dot-1 >= g.MinSecret && g.stands(t, start, end)
}

func hasMark(data []byte, i int, mark string) bool {
	return i+len(mark) <= len(data) && string(data[i:i+len(mark)]) == mark
}

func allAlnum(s []byte) bool {
	for _, c := range s {
		if alnum[c] == 0 {
			return false
		}
	}
	return true
}

// alnum is 1 for letters and digits, token also for the underscore and the hyphen.
var alnum, token = tables()

func tables() (a, t [256]byte) {
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			a[c], t[c] = 1, 1
		case c == '_', c == '-':
			t[c] = 1
		}
	}
	return a, t
}

// stands reports whether data[start:end] is a whole key and not a part of something
// longer. How much that takes depends on how much the form says by itself.
//
// A mark with both halves behind it is evidence enough, whatever comes before it: a
// word, a hyphen, the length byte of a string, which is "-" for 45 bytes. What comes
// after it may be anything but a further letter or digit, which the form has no place
// for. In data that is not text, where the next string may follow at once, the first
// letters and digits are the key.
//
// Any other form is a token: it begins after a byte that is not a letter, digit, "_",
// "-" or ".", or after an escape or code that only looks like those (\n, \x0a, \u000a,
// \012, %0A, =0A, the colour codes of terminals), and ends before the same. Hyphens and
// underscores that touch no word on their other side are not a part of it (":-", "->",
// a line that a diff takes away, the emphasis of Markdown). A full stop ends it at the
// end of a sentence only, so that neither a file name nor the middle of a JWT passes.
// Escapes all begin with a byte that ends a token by itself, so the right side needs no
// more. In data that is not text a letter, as the next opcode, may follow, and before
// it may stand one that is the length of a key.
func (g *grammar) stands(t *text, start, end int) bool {
	data := t.data
	if end+1 < len(data) && data[end] == '\b' && bytes.IndexByte([]byte(" \b\x1b"), data[end+1]) >= 0 {
		return false // a shell took the last letter back
	}
	if g.Alone == keyformat.High {
		return end == len(data) || alnum[data[end]] == 0 || hasMark(data, end, g.Mark) ||
			hasControl(data, start, end) || t.hasZero(start, end, farReach)
	}
	if inHash(data, start) {
		return false
	}
	left, right := startsAt(data, start), endsAt(data, end)
	if left && right || g.Mark != "" || !hasControl(data, start, end) {
		return left && right
	}
	stop := end < len(data) && data[end] == '.' && !(end+1 < len(data) && isControl(data[end+1]))
	return !stop && (left || isLength(data, start))
}

// hashMark is how crypt(3) and what goes by it begin a hash of a password. The alphabet of
// such hashes has the dot.
var hashMark = regexp.MustCompile(`\$(1|2[abxy]?|5|6|7|g?y|S|md5|sha1|apr1|scrypt|(argon2|bcrypt|pbkdf2)[a-z0-9-]*)\\?\$`)

// inHash reports whether data[start] stands in such a hash.
func inHash(data []byte, start int) bool {
	const longest = 256
	run := start
	for run > 0 && start-run < longest && (alnum[data[run-1]] != 0 || bytes.IndexByte([]byte(`./$\=,-+`), data[run-1]) >= 0) {
		run--
	}
	return bytes.IndexByte(data[run:start], '$') >= 0 && hashMark.Match(data[run:start])
}

const (
	nearReach = 64
	farReach  = 64 << 10 // Go programs keep 100 KiB of strings without a zero between them
)

// hasControl reports whether control characters that no text has stand near
// data[start:end].
func hasControl(data []byte, start, end int) bool {
	return slices.ContainsFunc(data[max(0, start-nearReach):start], isControl) ||
		slices.ContainsFunc(data[end:min(len(data), end+nearReach)], isControl)
}

// isControl reports whether c is a control character that no text has. Logs of
// terminals have the bell, backspaces and escapes.
func isControl(c byte) bool { return c < 0x20 && (c < '\a' || c > '\r') && c != 0x1b }

// isLength reports whether what goes before data[start] can be the length of a legacy
// key, 41, as Avro and Postgres write it behind any word, Ruby behind a quote and SQLite
// behind another number. Keys of others have a mark and a longer prefix.
func isLength(data []byte, start int) bool {
	switch data[start-1] {
	case 2 * minRun, 2*(minRun+1) + 1:
		word := start - 1
		for word > 0 && alnum[data[word-1]] != 0 && start-word < nearReach {
			word--
		}
		return word == 0 || token[data[word-1]] == 0
	case minRun + 5:
		return start > 1 && data[start-2] == '"'
	case 2*minRun + 13:
		return start > 1 && isControl(data[start-2])
	}
	return false
}

// startsAt reports whether a token may begin at data[i].
func startsAt(data []byte, i int) bool {
	if i == 0 {
		return true
	}
	c := data[i-1]
	if token[c] == 0 && c != '.' {
		return true
	}
	// An escape is at most ten bytes, a colour code a few more.
	before := data[max(0, i-40):i]
	word := bytes.TrimRight(before, "-_")
	return len(word) < len(before) && (len(word) == 0 || token[word[len(word)-1]] == 0 && word[len(word)-1] != '.') ||
		endsInEscape(before) || endsInColour(before)
}

// endsAt reports whether a token may end before data[i].
func endsAt(data []byte, i int) bool {
	if i < len(data) && data[i] == '.' {
		return i+1 == len(data) || token[data[i+1]] == 0
	}
	for ; i < len(data) && token[data[i]] != 0; i++ {
		if alnum[data[i]] != 0 {
			return false
		}
	}
	return i == len(data) || data[i] != '.'
}

// endsInEscape reports whether b ends in an escape for something that is no part
// of a token.
func endsInEscape(b []byte) bool {
	n := len(b)
	if n >= 2 && b[n-2] == '\\' && isEscapeLetter(b[n-1]) {
		return true
	}
	for _, form := range []struct {
		mark   string
		digits int
		base   int
	}{{"%", 2, 16}, {"=", 2, 16}, {`\x`, 2, 16}, {`\u`, 4, 16}, {`\U`, 8, 16}, {`\`, 3, 8}, {"%25", 2, 16}} {
		at := n - form.digits - len(form.mark)
		if at < 0 || string(b[at:at+len(form.mark)]) != form.mark {
			continue
		}
		if v, ok := number(b[n-form.digits:], form.base); ok && (v > 255 || token[byte(v)] == 0 && v != '.') {
			return true
		}
	}
	return false
}

func isEscapeLetter(c byte) bool {
	switch c {
	case 'n', 't', 'r', 'b', 'f', 'v', 'a', 'e', '0':
		return true
	}
	return false
}

// endsInColour reports whether b ends in a terminal's control sequence (ECMA-48:
// CSI, parameters, one final letter), whether its ESC stands there as a byte, as
// an escape, or was lost on the way. Without parameters only the two sequences
// that programs print so, "[m" and "[K", are known.
func endsInColour(b []byte) bool {
	n := len(b) - 1
	if n < 1 || alnum[b[n]] == 0 || class(b[n]) == digitClass {
		return false
	}
	final, parameters := b[n], 0
	for n--; n > 0 && b[n] >= '0' && b[n] <= '?'; n-- {
		parameters++
	}
	return b[n] == '[' && (parameters > 0 || final == 'm' || final == 'K')
}

// number reads b as digits of a base up to 16.
func number(b []byte, base int) (v int, ok bool) {
	for _, c := range b {
		d := hexDigit(c)
		if d < 0 || d >= base {
			return 0, false
		}
		v = v*base + d
	}
	return v, true
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int { return int(hexDigits[c]) }

var hexDigits = func() (t [256]int8) {
	for c := range t {
		t[c] = -1
	}
	for v := range 16 {
		t["0123456789abcdef"[v]], t["0123456789ABCDEF"[v]] = int8(v), int8(v)
	}
	return t
}()
