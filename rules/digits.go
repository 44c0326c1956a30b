package rules

import "encoding/binary"

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
	row    int       // how many strict groups in a row mark a stretch
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
	longGather, longBack   = 16 << 10, 1024
	// longLine is a line that is not looked at together with others but for its ends.
	longLine = 2 * longBack
)

// margin is how many groups about a stretch are decoded with it, for what a
// stretch leaves out at its ends.
const margin = 16

// The codes that are looked through.
var (
	base64Code = newDigitCode(digitCode{name: "base64", group: 4, bits: 6, row: 10, shortest: minPart, wraps: true, mixed: true},
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "-_", 62)
	hexCode = newDigitCode(digitCode{name: "hex", group: 2, bits: 4, row: 16, shortest: 32, wraps: true}, "0123456789abcdef", "ABCDEF", 10)
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
	}
	return c
}

// piece looks at the digits data[s:e], all of one line; if they are wrapped,
// together with the lines before and after.
func (f *finder) piece(l *layer, c *digitCode, s, e int) {
	alone := func() { f.stretches(l, c, l.data[s:e], c.group, func(i int) int { return s + i }) }
	if !c.wraps {
		alone()
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
	isWrapped := first < s || wrapEnd(l.data, c, e) > 0
	switch {
	case !inside && !isWrapped:
	case !isWrapped:
		alone()
	case e-s > longLine: // alone, and what it shares with the lines before and after it
		alone()
		if first := wrappedBefore(l.data, c, s, longBack); first < s {
			f.parts(l, c, f.gather(l, c, first, 2*longBack)) // the lines before and the beginning of it
		}
		w := f.gather(l, c, e-longBack, longGather)
		l.gathered[c.bits] = w.end
		f.parts(l, c, w)
	default: // with the lines about it
		if !inside { // a row at the edge is most often chance: a few lines tell
			w := f.gather(l, c, first, shortGather)
			if inside, _ = c.hasRow(w.digits); !inside {
				return
			}
		}
		w := f.gather(l, c, wrappedBefore(l.data, c, s, longBack), longGather)
		l.gathered[c.bits] = w.end
		f.parts(l, c, w)
	}
}

// hasRow reports whether digits have a row of strict groups at some alignment, and
// whether they have a good half of one at their beginning or end.
func (c *digitCode) hasRow(digits []byte) (inside, atEdge bool) {
	half := c.row * 3 / 5
	for align := range c.group {
		if c.nextRow(digits, align) >= 0 {
			return true, false
		}
		atEdge = atEdge || c.isRow(digits, align, half) || c.isRow(digits, len(digits)-half*c.group+align, half)
	}
	return false, atEdge
}

// isRow reports whether n strict groups begin at digits[i].
func (c *digitCode) isRow(digits []byte, i, n int) bool {
	if i < 0 || i+(n-1)*c.group >= len(digits) {
		return false
	}
	for ; n > 0 && c.strict[digits[i]]; n-- {
		i += c.group
	}
	return n == 0
}

// nextRow returns where the next row of whole strict groups begins at digits[i] or a
// number of groups after it, or -1. It looks at each place from the end of the row, as
// Boyer and Moore do.
func (c *digitCode) nextRow(digits []byte, i int) int {
	for i+c.row*c.group <= len(digits) {
		k := i + (c.row-1)*c.group
		for k >= i && c.strict[digits[k]] {
			k -= c.group
		}
		if k < i {
			return i
		}
		i = k + c.group
	}
	return -1
}

// stretches decodes each part of the digits that can hold a key, at the first
// alignments. at gives the place of a digit in the layer.
func (f *finder) stretches(l *layer, c *digitCode, digits []byte, alignments int, at func(int) int) {
	for align := range alignments {
		for i := c.nextRow(digits, align); i >= 0; {
			from, to := i, i // the groups about it whose bytes can be text
			for from-c.group >= 0 && c.loose[digits[from-c.group]] {
				from -= c.group
			}
			for to < len(digits) && c.loose[digits[to]] {
				to += c.group
			}
			from = max(align, from-margin*c.group, i-clip)
			to = min(to+margin*c.group, from+maxDecoded, len(digits))
			if f.spend(l, to-from, at(from), at(to-1)+1) {
				out := c.decode(f.scratch[l.depth][:0], digits[from:to])
				f.scratch[l.depth] = out
				if promising(out) {
					f.descend(l, c.name, out, func(start, end int) (int, int) {
						return at(from + start*8/c.bits), at(from+(end*8-1)/c.bits) + 1
					})
				}
			}
			if to == from+maxDecoded {
				to -= clip // what lies on the bound is looked at from both sides
			}
			i = c.nextRow(digits, to+(c.group-(to-align)%c.group)%c.group)
		}
	}
}

// end returns where the digits end that go on at data[i].
func (c *digitCode) end(data []byte, i int) int {
	v := &c.value
	for ; i+4 <= len(data); i += 4 {
		if d := data[i : i+4 : i+4]; v[d[0]]|v[d[1]]|v[d[2]]|v[d[3]] < 0 {
			break
		}
	}
	for i < len(data) && v[data[i]] >= 0 {
		i++
	}
	return i
}

// edged reports whether whole groups begin or end with a strict row.
func (c *digitCode) edged(digits []byte) bool {
	n := len(digits) / c.group * c.group
	return c.isRow(digits, 0, c.row) || c.isRow(digits, n-c.row*c.group, c.row)
}

// decode appends what digits stand for: whole groups, then what the rest holds.
func (c *digitCode) decode(out, digits []byte) []byte {
	v := &c.value
	for c.group == 4 && len(digits) >= 8 { // base64, two groups at a time
		d := digits[:8:8]
		digits = digits[8:]
		x := uint64(v[d[0]])<<42 | uint64(v[d[1]])<<36 | uint64(v[d[2]])<<30 | uint64(v[d[3]])<<24 |
			uint64(v[d[4]])<<18 | uint64(v[d[5]])<<12 | uint64(v[d[6]])<<6 | uint64(v[d[7]])
		n := len(out)
		out = binary.BigEndian.AppendUint64(out, x<<16)[:n+6]
	}
	acc, bits := uint32(0), 0
	for _, d := range digits {
		acc = acc<<c.bits | uint32(v[d])
		if bits += c.bits; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out
}

// promising reports whether decoded bytes can hold a key at all.
func promising(data []byte) bool {
	any := false
	if len(data) >= minPart {
		sweep(data, 0, len(data), false, func(hit, int) { any = true })
	}
	return any
}
