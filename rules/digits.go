package rules

import (
	"slices"
	"sort"
)

// Base64 and hexadecimal write a few bytes as a group of digits. The first digit
// of a group holds the high bits of one byte, so when the bytes are dense ones it
// is one of few: I to Z, a to f in base64, 2 to 7 in hexadecimal. A key, encoded
// further or not, shows as a row of such groups at one alignment, in any run, and
// nothing needs decoding where there is none. RFC 4648 defines both; the URL
// alphabet is taken too, and padding is not asked for.
type digitCode struct {
	name   string
	value  [256]int8 // of a digit; -1 for any other byte
	group  int       // digits
	bits   int       // of a digit
	strict [256]bool // first digits of a group when its first byte is dense, or zero
	loose  [256]bool // when it is text
	// strictBit is strict as 0 and 1.
	strictBit [256]uint64
	row       int // how many strict groups in a row mark a stretch
	// shortest is the length of the shortest piece of a line that is looked at: a
	// key is 55 digits of base64, half of it when a line ends in it.
	shortest int
	wraps    bool // goes on over line ends
	mixed    bool // has large and small letters
}

// maxDecoded bounds how many digits are decoded in one go. Longer ones are taken
// in parts that overlap.
const maxDecoded = 256 << 10

// How many digits of wrapped lines are looked at together, and how far before the
// line where something shows they may begin: for a first look, and for a key,
// encoded further or not.
const (
	shortGather, shortBack = 256, 128
	longGather, longBack   = 4 << 10, 1024
)

// margin is how many groups about a stretch are decoded with it, for what a
// stretch leaves out at its ends.
const margin = 16

// The codes that are looked through.
var (
	base64Code = newDigitCode(digitCode{name: "base64", group: 4, bits: 6, row: 10, shortest: minPart, wraps: true, mixed: true},
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "-_", 62)
	hexCode = newDigitCode(digitCode{name: "hex", group: 2, bits: 4, row: 16, shortest: 64}, "0123456789abcdef", "ABCDEF", 10)
)

// newDigitCode fills in the tables of a code. more are further digits, of the
// values from second on.
func newDigitCode(c digitCode, digits, more string, second int8) digitCode {
	for i := range c.value {
		c.value[i] = -1
	}
	for i := range digits {
		c.value[digits[i]] = int8(i)
	}
	for i := range more {
		c.value[more[i]] = second + int8(i)
	}
	high := func(b byte) int8 {
		return int8(b >> (8 - c.bits))
	}
	for d, v := range c.value {
		for b := range 128 {
			if v < 0 || high(byte(b)) != v {
				continue
			}
			text := b >= 0x20 && b < 0x7f || b == '\n' || b == '\r' || b == '\t' || b == 0
			c.loose[d] = c.loose[d] || text
			c.strict[d] = c.strict[d] || kinds[b]&isDense != 0 || b == 0
		}
		if c.strict[d] {
			c.strictBit[d] = 1
		}
	}
	return c
}

// piece looks at the digits data[s:e], all of one line; if they are wrapped,
// together with the lines before and after.
func (f *finder) piece(l *layer, c *digitCode, s, e int) {
	if !c.wraps {
		f.stretches(l, c, l.data[s:e], func(i int) int { return s + i })
		return
	}
	if s < l.gathered {
		return
	}
	if e-s < c.row*c.group && wrapEnd(l.data, c, e) == 0 && wrappedBefore(l.data, c, s, shortBack) == s {
		return // too short, and no line of several
	}
	inside, atEdge := c.hasRow(l.data[s:e])
	if !inside && !atEdge {
		return
	}
	first := wrappedBefore(l.data, c, s, shortBack)
	if first == s && wrapEnd(l.data, c, e) == 0 {
		if inside {
			f.stretches(l, c, l.data[s:e], func(i int) int { return s + i })
		}
		return
	}
	// A row at the edge is most often chance: a few lines tell.
	if !inside {
		if inside, _ = c.hasRow(gather(l.data, c, first, shortGather).digits); !inside {
			return
		}
	}
	w := gather(l.data, c, wrappedBefore(l.data, c, s, longBack), longGather)
	l.gathered = w.end
	before := len(f.found)
	f.stretches(l, c, w.digits, w.at)
	together := len(f.found)
	f.eachLine(l, c, w)
	f.dropCut(before, together)
}

// dropCut drops the matches from together on that overlap one from before on: of a key
// that is wrapped, a line alone can hold what looks like a shorter one.
func (f *finder) dropCut(before, together int) {
	whole := f.found[before:together]
	kept := slices.DeleteFunc(f.found[together:], func(m Match) bool {
		return slices.ContainsFunc(whole, func(p Match) bool { return m.Start < p.End && p.Start < m.End })
	})
	f.found = f.found[:together+len(kept)]
}

// eachLine looks at the lines of what was gathered one by one as well: the words of a
// text read as lines of digits, and would be taken for the end of a key's.
func (f *finder) eachLine(l *layer, c *digitCode, w *wrapped) {
	for i, line := range w.lines {
		end := len(w.digits)
		if i+1 < len(w.lines) {
			end = w.lines[i+1].index
		}
		digits := w.digits[line.index:end]
		if len(digits) < c.shortest {
			continue
		}
		if inside, _ := c.hasRow(digits); inside {
			f.stretches(l, c, digits, func(k int) int { return line.at + k })
		}
	}
}

// hasRow reports whether digits have a row of strict groups at some alignment, and
// whether they have a good half of one at their beginning or end.
func (c *digitCode) hasRow(digits []byte) (inside, atEdge bool) {
	half := c.row*3/5 - 1 // groups after the first
	for at := 0; ; {
		part := digits[at:min(at+128, len(digits))]
		m := c.strictBits(part)
		if m.rows(c.row, c.group) != (bits128{}) {
			return true, false
		}
		if at == 0 {
			atEdge = m.rows(half+1, c.group).lo&(1<<c.group-1) != 0
		}
		if at+len(part) == len(digits) {
			last := m.rows(half+1, c.group).shift(max(0, len(part)-(half+1)*c.group))
			return false, atEdge || last.lo&(1<<c.group-1) != 0
		}
		at += len(part) - c.row*c.group
	}
}

// bits128 is a set of places in 128 digits, the first in the lowest bit.
type bits128 struct{ lo, hi uint64 }

func (m bits128) shift(n int) bits128 {
	if n >= 64 {
		return bits128{lo: m.hi >> (n - 64)}
	}
	return bits128{m.lo>>n | m.hi<<(64-n), m.hi >> n}
}

// rows returns the places at which a row of n groups begins.
func (m bits128) rows(n, group int) bits128 {
	have := 1
	for have < n {
		add := min(have, n-have)
		s := m.shift(add * group)
		m.lo &= s.lo
		m.hi &= s.hi
		have += add
	}
	return m
}

// strictBits returns the places of strict first digits among at most 128.
func (c *digitCode) strictBits(digits []byte) (m bits128) {
	lo := digits[:min(64, len(digits))]
	for i, d := range lo {
		m.lo |= c.strictBit[d] << (i & 63)
	}
	for i, d := range digits[len(lo):] {
		m.hi |= c.strictBit[d] << (i & 63)
	}
	return m
}

func (c *digitCode) skip() int { return c.row / 2 * c.group }

// stretches decodes each part of the digits that can hold a key, at each
// alignment. at gives the place of a digit in the layer.
func (f *finder) stretches(l *layer, c *digitCode, digits []byte, at func(int) int) {
	for align := range c.group {
		for i := align; i+c.group < len(digits); {
			if !c.strict[digits[i]] || !c.strict[digits[i+c.group]] {
				i += c.skip()
				continue
			}
			from, to := extend(digits, i, c.group, &c.strict)
			if to-from < c.row*c.group {
				i = max(to, i+c.group)
				i += (c.group - (i-align)%c.group) % c.group
				continue
			}
			from, to = extend(digits, i, c.group, &c.loose)
			from = max(align, from-margin*c.group, i-clip)
			to = min(to+margin*c.group, from+maxDecoded, len(digits))
			f.decodeDigits(l, c, digits[from:to], func(i int) int { return at(from + i) })
			if to == from+maxDecoded {
				to -= clip // what lies on the bound is looked at from both sides
			}
			i = to + (c.group-(to-align)%c.group)%c.group
		}
	}
}

// extend returns the bounds of the groups about i whose first digits are in a set.
func extend(digits []byte, i, group int, set *[256]bool) (from, to int) {
	from, to = i, i
	for from-group >= 0 && set[digits[from-group]] {
		from -= group
	}
	for to < len(digits) && set[digits[to]] {
		to += group
	}
	return from, min(to, len(digits))
}

// decodeDigits decodes whole groups, and what a last one without padding holds.
func (f *finder) decodeDigits(l *layer, c *digitCode, digits []byte, at func(int) int) {
	if f.budget -= int64(len(digits)); f.budget < 0 {
		return
	}
	out := f.scratch[l.depth][:0]
	acc, bits := uint32(0), 0
	for _, d := range digits {
		acc = acc<<c.bits | uint32(c.value[d])
		if bits += c.bits; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	f.scratch[l.depth] = out
	if promising(out) {
		f.descend(l, c.name, out, func(start, end int) (int, int) {
			return at(start * 8 / c.bits), at((end*8-1)/c.bits) + 1
		})
	}
}

// promising reports whether decoded bytes can hold a key at all.
func promising(data []byte) bool {
	any := false
	if len(data) >= minPart {
		sweep(data, 0, len(data), func(hit, int) { any = true })
	}
	return any
}

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
// s, repeatedly; s if there is none.
func wrappedBefore(data []byte, c *digitCode, s, reach int) int {
	floor := max(0, s-reach)
	for {
		e := endBefore(data, s, floor)
		start := e
		for start > floor && c.value[data[start-1]] >= 0 {
			start--
		}
		if e == s || start == e || wrapEnd(data, c, e) != s {
			return s
		}
		s = start
	}
}

// endBefore steps back from s over what may stand between two lines of digits.
func endBefore(data []byte, s, floor int) int {
	e := s
	for e > floor && (isWrap(data[e-1]) || e-1 > floor && data[e-2] == '\\' && (data[e-1] == 'n' || data[e-1] == 'r') || data[e-1] == '+' && e < s) {
		e--
	}
	return e
}

// wrapped is digits of several lines, with where each line's begin.
type wrapped struct {
	digits []byte
	lines  []wrappedLine
	end    int // of the last line in the data
}

type wrappedLine struct{ index, at int }

// at returns the place in the data of a digit.
func (w *wrapped) at(i int) int {
	k := sort.Search(len(w.lines), func(k int) bool { return w.lines[k].index > i }) - 1
	return w.lines[k].at + i - w.lines[k].index
}

// gather collects digits from s on over line ends, up to a limit.
func gather(data []byte, c *digitCode, s, limit int) *wrapped {
	w := &wrapped{digits: make([]byte, 0, shortGather)}
	for len(w.digits) < limit {
		e := s
		for e < len(data) && c.value[data[e]] >= 0 && e-s < limit {
			e++
		}
		w.lines = append(w.lines, wrappedLine{len(w.digits), s})
		w.digits = append(w.digits, data[s:e]...)
		w.end = e
		if s = wrapEnd(data, c, e); s == 0 {
			break
		}
	}
	return w
}
