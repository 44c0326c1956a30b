package rules

import "bytes"

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
	bytes  int       // bytes that a group holds
	bits   int       // of a digit
	strict [256]bool // first digits of a group when its first byte is dense, or zero
	loose  [256]bool // when it is text
	row    int       // how many strict groups in a row mark a stretch
}

// minDigits is the length of the shortest piece of one line that is looked at: a
// key in base64 is 55 digits, half of it when a line ends in it.
const minDigits = 24

// maxWrapped is how much of digits that go on over lines is looked at together.
const maxWrapped = 256 << 10 // and of digits in one line

// margin is how many groups about a stretch are decoded with it, for what a
// stretch leaves out at its ends.
const margin = 16

// digitCodes are the codes that are looked through.
var digitCodes = [...]digitCode{
	newDigitCode("base64", 4, 3, 6, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "-_"),
	newDigitCode("hex", 2, 1, 4, 16, "0123456789abcdef", ""),
}

func newDigitCode(name string, group, bytes, bits, row int, digits, more string) digitCode {
	c := digitCode{name: name, group: group, bytes: bytes, bits: bits, row: row}
	for i := range c.value {
		c.value[i] = -1
	}
	for i := range digits {
		c.value[digits[i]] = int8(i)
	}
	if bits == 4 {
		for i, d := range []byte("ABCDEF") {
			c.value[d] = int8(10 + i)
		}
	}
	for i := range more {
		c.value[more[i]] = int8(62 + i)
	}
	high := func(b byte) int8 {
		if bits == 4 {
			return int8(b >> 4)
		}
		return int8(b >> 2)
	}
	for d, v := range c.value {
		for b := range 128 {
			if v < 0 || high(byte(b)) != v {
				continue
			}
			text := b >= 0x20 && b < 0x7f || b == '\n' || b == '\r' || b == '\t' || b == 0
			c.loose[d] = c.loose[d] || text
			c.strict[d] = c.strict[d] || dense[b] != 0 || b == 0
		}
	}
	return c
}

// digits looks for keys in base64 and hexadecimal in a run, and in the lines that
// go on with it.
func (f *finder) digits(l *layer, r run) {
	for i := range digitCodes {
		c := &digitCodes[i]
		for s := r.start; s < r.end; s++ {
			if c.value[l.data[s]] < 0 {
				continue
			}
			e := s + 1
			for e < r.end && c.value[l.data[e]] >= 0 {
				e++
			}
			if e-s >= minDigits {
				f.piece(l, c, s, e)
			}
			s = e
		}
	}
}

// piece looks at the digits data[s:e], all of one line, or together with the lines
// before and after when they are wrapped. Positions are kept for the latter only.
func (f *finder) piece(l *layer, c *digitCode, s, e int) {
	if c.bits == 6 {
		if s < l.gathered {
			return
		}
		if first := wrappedBefore(l.data, c, s); first < s || wrapEnd(l.data, c, e) > 0 {
			digits, at := gather(l.data, c, max(first, l.gathered))
			l.gathered = at[len(at)-1] + 1
			if len(at) == maxWrapped {
				l.gathered = at[len(at)-clip]
			}
			f.stretches(l, c, digits, func(i int) int { return at[i] })
			return
		}
	}
	f.stretches(l, c, l.data[s:e], func(i int) int { return s + i })
}

// stretches decodes each part of the digits that can hold a key, at each
// alignment. at gives the place of a digit in the layer.
func (f *finder) stretches(l *layer, c *digitCode, digits []byte, at func(int) int) {
	need := c.row * c.group
	for align := range c.group {
		// A row covers one of the places that are this far apart.
		skip := (c.row/2 + c.row%2) * c.group
		for i := align; i+c.group < len(digits); {
			if !c.strict[digits[i]] || !c.strict[digits[i+c.group]] {
				i += skip
				continue
			}
			from, to := extend(digits, i, c.group, &c.strict)
			if to-from < need {
				i = max(to, i+c.group)
				i += (c.group - (i-align)%c.group) % c.group
				continue
			}
			from, to = extend(digits, i, c.group, &c.loose)
			from = max(align, from-margin*c.group, i-clip)
			to = min(to+margin*c.group, from+maxWrapped, len(digits))
			f.decodeDigits(l, c, digits[from:to], func(i int) int { return at(from + i) })
			if to == from+maxWrapped {
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
	n := len(digits) * c.bits / 8
	if f.budget < int64(n) {
		return
	}
	out := make([]byte, 0, n)
	acc, bits := uint32(0), 0
	for _, d := range digits {
		acc = acc<<c.bits | uint32(c.value[d])
		if bits += c.bits; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	if !promising(out) {
		f.budget -= int64(n)
		return
	}
	from, to := make([]int, n), make([]int, n)
	for i := range out {
		from[i] = at(i * 8 / c.bits)
		to[i] = at((i*8+7)/c.bits) + 1
	}
	f.descend(l, c.name, out, from, to)
}

// promising reports whether decoded bytes can hold a key at all: they have a run,
// plain or wide.
func promising(data []byte) bool { return nextDense(data, 0) >= 0 }

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
func isWrap(b byte) bool { return bytes.IndexByte([]byte(" \t\r\n\"'`,|>#*\\"), b) >= 0 }

// wrappedBefore returns where the line of digits before s begins that goes on at
// s, repeatedly; s if there is none.
func wrappedBefore(data []byte, c *digitCode, s int) int {
	const lines, reach = 8, 2048
	floor := max(0, s-reach)
	for range lines {
		e := s
		for e > floor && (isWrap(data[e-1]) || e-1 > floor && data[e-2] == '\\' && (data[e-1] == 'n' || data[e-1] == 'r') || data[e-1] == '+' && e < s) {
			e--
		}
		start := e
		for start > floor && c.value[data[start-1]] >= 0 {
			start--
		}
		if e == s || start == e || wrapEnd(data, c, e) != s {
			break
		}
		s = start
	}
	return s
}

// gather collects digits from s on over line ends, with the place of each, up to a
// bound.
func gather(data []byte, c *digitCode, s int) (digits []byte, at []int) {
	for len(digits) < maxWrapped {
		for s < len(data) && c.value[data[s]] >= 0 && len(digits) < maxWrapped {
			digits = append(digits, data[s])
			at = append(at, s)
			s++
		}
		next := wrapEnd(data, c, s)
		if next == 0 {
			break
		}
		s = next
	}
	return digits, at
}
