package rules

import (
	"sort"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// A grammar is a row of the table of formats.
type grammar struct {
	keyformat.Format
	secret *[256]byte // what the secret half is of
}

var grammars = func() (all []grammar) {
	for _, f := range keyformat.All() {
		g := grammar{f, &alnum}
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
func (g *grammar) at(data []byte, start int) (shape, bool) {
	dot := start + len(g.Mark) + g.Prefix
	if start < 0 || dot+g.MinSecret >= len(data) || data[dot] != '.' || !hasMark(data, start, g.Mark) ||
		!allAlnum(data[start+len(g.Mark):dot]) {
		return shape{}, false
	}
	end := dot + 1
	for end < len(data) && end-dot-1 <= g.MaxSecret && g.secret[data[end]] != 0 {
		end++
	}
	n := end - dot - 1
	return shape{start, dot, end, g}, n >= g.MinSecret && n <= g.MaxSecret && startsAt(data, start) && endsAt(data, end)
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

// A token begins after any byte that is not a letter, digit, "_", "-" or ".", and
// also after an escape or code that only looks like those: \n, \x0a, \u000a, \012,
// %0A, =0A and the colour codes of terminals. It ends before any byte that is not a
// letter, digit, "_" or "-"; a full stop ends it only at the end of a sentence, so
// that neither a file name nor the third part of a JWT passes. Escapes all begin
// with a byte that ends a token by itself, so the right side needs no more.

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
	return endsInEscape(before) || endsInColour(before)
}

// endsAt reports whether a token may end before data[i].
func endsAt(data []byte, i int) bool {
	if i == len(data) {
		return true
	}
	if data[i] == '.' {
		return i+1 == len(data) || token[data[i+1]] == 0
	}
	return token[data[i]] == 0
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
