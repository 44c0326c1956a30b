package rules

import (
	"slices"
	"sort"
)

// Digits that are wrapped over lines are put together before they are decoded: PEM,
// block scalars of YAML, literals of source code.

// wrapEnd returns where digits go on after a line end at e, or 0: white space,
// quotes, commas, escaped line ends and the like may stand between, with one line
// end at least.
func wrapEnd(data []byte, c *digitCode, e int) int {
	newline := false
	for i := e; i < len(data) && i < e+64; i++ {
		switch b := data[i]; {
		case b == '\n' || b == '\r':
			newline = true
		case b == '\\' && i+1 < len(data) && (data[i+1] == 'n' || data[i+1] == 'r'):
			newline = true
			i++
		case isWrap(b), b == '+' && i > e && i+1 < len(data) && isWrap(data[i+1]):
		case c.value[b] >= 0 && newline:
			return i
		default:
			return 0
		}
	}
	return 0
}

// isWrap reports whether a byte may stand between the lines of wrapped digits.
func isWrap(b byte) bool { return wraps[b] }

var wraps = func() (set [256]bool) {
	for _, c := range []byte(" \t\r\n\"'`,|>#*\\") {
		set[c] = true
	}
	return set
}()

// wrappedBefore returns where the line of digits before s begins that goes on at
// s, repeatedly; s if there is none. A line that reaches back too far counts from
// there on when it is the last one.
func wrappedBefore(data []byte, c *digitCode, s, reach int) int {
	floor := max(0, s-reach)
	for first := s; ; {
		e := s // steps back over what may stand between two lines
		for e > floor && (isWrap(data[e-1]) || e-1 > floor && data[e-2] == '\\' && (data[e-1] == 'n' || data[e-1] == 'r') ||
			data[e-1] == '+' && e < s) {
			e--
		}
		start := e
		for start > floor && c.value[data[start-1]] >= 0 {
			start--
		}
		if e == s || start == e || wrapEnd(data, c, e) != s {
			return s
		}
		if start == floor && floor > 0 && s < first {
			return s
		}
		s = start
	}
}

// wrapped is digits of several lines, with where each line's begin.
type wrapped struct {
	digits []byte
	lines  []wrappedLine
	end    int // of the last whole line in the data
}

type wrappedLine struct{ index, at int }

// at returns the place in the data of a digit.
func (w *wrapped) at(i int) int {
	k := sort.Search(len(w.lines), func(k int) bool { return w.lines[k].index > i }) - 1
	return w.lines[k].at + i - w.lines[k].index
}

// gather collects digits from s on over line ends, whole lines until there are as many
// as limit, of a long one its beginning. They are valid until the next call for the layer.
func (f *finder) gather(l *layer, c *digitCode, s, limit int) *wrapped {
	data, w := l.data, &f.wrapped[l.depth]
	w.digits, w.lines, w.end = w.digits[:0], w.lines[:0], s
	for len(w.digits) < limit {
		e := c.end(data[:min(len(data), s+longLine+1)], s)
		whole := e-s <= longLine
		if !whole {
			e = s + longBack
		}
		w.lines = append(w.lines, wrappedLine{len(w.digits), s})
		w.digits = append(w.digits, data[s:e]...)
		if !whole {
			break
		}
		w.end = e
		if s = wrapEnd(data, c, e); s == 0 {
			break
		}
	}
	return w
}

// part returns the digits of the lines from i to before j, and where they are.
func (w *wrapped) part(i, j int) (digits []byte, at func(int) int) {
	start, end := w.lines[i].index, len(w.digits)
	if j < len(w.lines) {
		end = w.lines[j].index
	}
	return w.digits[start:end], func(k int) int { return w.at(start + k) }
}

// width returns the length of a line.
func (w *wrapped) width(i int) int {
	digits, _ := w.part(i, i+1)
	return len(digits)
}

// parts looks at the lines together, at each block of them, and at each line alone.
// The words of a text read as lines of digits too, and would be taken for what goes
// before a key or follows it. A block is lines of one width and a shorter one; where it
// has several lines of that width, one that is a text alone begins with a whole group,
// and only a key that it begins or ends with is not found among the others.
func (f *finder) parts(l *layer, c *digitCode, w *wrapped) {
	const several = 3
	before, all := len(f.found), len(w.lines)
	look := func(i, j, alignments int) {
		digits, at := w.part(i, j)
		if len(digits) < c.shortest {
			return
		}
		n := len(f.found)
		f.stretches(l, c, digits, alignments, at)
		// A match that overlaps one from before that is at least as long is dropped: of a
		// key that is wrapped, fewer lines can hold what looks like a shorter one.
		whole := f.found[before:n]
		kept := slices.DeleteFunc(f.found[n:], func(m Match) bool {
			return slices.ContainsFunc(whole, func(p Match) bool {
				return m.Start < p.End && p.Start < m.End && m.End-m.Start <= p.End-p.Start
			})
		})
		f.found = f.found[:n+len(kept)]
	}
	if align, ok := w.isText(c); ok {
		// No word of a text reads so, but for the last line, when it is short.
		f.stretches(l, c, w.digits[align:], 1, func(k int) int { return w.at(align + k) })
		look(max(1, all-1-several), all-1, 1)
		return
	}
	look(0, all, c.group)
	for i := 0; i < all; {
		j := i + 1
		for j < all && w.width(j) == w.width(i) {
			j++
		}
		if j < all && w.width(j) < w.width(i) && j+1-i < all {
			look(i, j+1, c.group)
		}
		alignments := c.group
		if j-i >= several {
			alignments = 1
		}
		if j-i < all {
			look(i, j, alignments)
		}
		for k := i; k < j && j-i > 1; k++ {
			if line, _ := w.part(k, k+1); alignments == c.group || c.edged(line) {
				look(k, k+1, alignments)
			}
		}
		i = j
	}
}

// isText reports whether many lines of one width, but for the last and a first that is
// the end of one, decode to a text: they are one encoding then. Digits that are words, or
// begin elsewhere, decode to control characters soon. align is where its groups begin.
func (w *wrapped) isText(c *digitCode) (align int, ok bool) {
	const many = 8
	all := len(w.lines)
	if all < many {
		return 0, false
	}
	width := w.width(1)
	if width%c.group != 0 || w.width(0) > width || w.width(all-1) > width {
		return 0, false
	}
	for i := 1; i < all-1; i++ {
		if w.width(i) != width {
			return 0, false
		}
	}
	align = w.width(0) % c.group
	var buf [3 * 64]byte
	for i := align; i < len(w.digits); i += 4 * 64 {
		for _, b := range c.decode(buf[:0], w.digits[i:min(i+4*64, len(w.digits))]) {
			if b < 0x20 && !isText(b) || b == 0x7f {
				return 0, false
			}
		}
	}
	return align, true
}
