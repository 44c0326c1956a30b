package rules

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
	// longLine is a line that is not looked at together with others but for its ends.
	longLine = longGather - 2*longBack
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
	alone := func() { f.stretches(l, c, l.data[s:e], func(i int) int { return s + i }) }
	if !c.wraps {
		alone()
		return
	}
	next := wrapEnd(l.data, c, e)
	first := wrappedBefore(l.data, c, s, shortBack)
	isWrapped := first < s || next > 0
	if !isWrapped && e-s < c.row*c.group {
		return // too short
	}
	inside, atEdge := c.hasRow(l.data[s:e])
	switch {
	case !inside && !(atEdge && isWrapped):
	case !isWrapped:
		alone()
	case e-s > longLine:
		alone()
		f.ends(l, c, s, e)
	default:
		f.block(l, c, s, first, inside)
	}
}

// block looks at the lines about the one that begins at data[s].
func (f *finder) block(l *layer, c *digitCode, s, first int, inside bool) {
	// A row at the edge is most often chance: a few lines tell.
	if !inside {
		w := f.gather(l, c, first, shortGather)
		if inside, _ = c.hasRow(w.digits); !inside {
			return
		}
	}
	w := f.gather(l, c, wrappedBefore(l.data, c, s, longBack), longGather)
	l.gathered = w.end
	f.parts(l, c, w)
}

// ends looks at what a long line shares with the lines before and after it.
func (f *finder) ends(l *layer, c *digitCode, s, e int) {
	if first := wrappedBefore(l.data, c, s, longBack); first < s {
		f.parts(l, c, f.gather(l, c, first, 2*longBack))
	}
	w := f.gather(l, c, e-longBack, longGather)
	l.gathered = w.end
	f.parts(l, c, w)
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
	out := c.decode(f.scratch[l.depth][:0], digits)
	f.scratch[l.depth] = out
	if promising(out) {
		f.descend(l, c.name, out, func(start, end int) (int, int) {
			return at(start * 8 / c.bits), at((end*8-1)/c.bits) + 1
		})
	}
}

// decode appends what digits stand for: whole groups, then what the rest holds.
func (c *digitCode) decode(out, digits []byte) []byte {
	n, v := len(digits)/c.group*c.group, &c.value
	switch c.group {
	case 2:
		for i := 0; i+2 <= n; i += 2 {
			out = append(out, byte(v[digits[i]])<<4|byte(v[digits[i+1]]))
		}
	case 4:
		for i := 0; i+4 <= n; i += 4 {
			d := digits[i : i+4 : i+4]
			x := uint32(v[d[0]])<<18 | uint32(v[d[1]])<<12 | uint32(v[d[2]])<<6 | uint32(v[d[3]])
			out = append(out, byte(x>>16), byte(x>>8), byte(x))
		}
	}
	acc, bits := uint32(0), 0
	for _, d := range digits[n:] {
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
		sweep(data, 0, len(data), func(hit, int) { any = true })
	}
	return any
}
