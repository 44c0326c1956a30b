package rules

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// The sweep looks once at every byte, with vector instructions where the processor
// has them, and tells where a key can be at all. There are six kinds of places:
//
//   - a word of 32 letters and digits after a dot, the end of a key without a mark;
//   - a row of digits as an encoded key must have it (digits.go);
//   - a run of 41 or more dense bytes with a mark of an escape in it;
//   - a mark, where a key begins as it is or put together of shorter parts;
//   - dense bytes, each with a zero byte behind it, or with three, which is UTF-16 or UTF-32;
//   - a block of 64 bytes a third of which are decimal digits, as bytes that are written
//     as numbers have it.
//
// Everything else of the package looks at such places alone. In source text they
// are rare: in Go's own, one in 900 bytes.
type hit int

const (
	hitShape   hit = iota // at the dot
	hitRow                // at the last first digit of six groups of either code
	hitEscape             // at the end of the run
	hitMark               // at the mark, or at what looks alike in its first and last byte
	hitWide               // at a dense byte with a zero byte after it
	hitNumbers            // at the beginning of the block
)

// The kinds of bytes. Dense are those that an encoded key has: letters, digits, and
// what the escapes add.
const (
	isDense = 1 << iota
	isBase64
	isHex
	isUpper
	isLower
	isWord   // a letter or digit
	isEscape // marks an escape
)

var kinds = func() (k [256]byte) {
	for c := range 256 {
		b := byte(c)
		set := func(bit byte, yes bool) {
			if yes {
				k[c] |= bit
			}
		}
		set(isDense, token[b] != 0 || bytes.IndexByte([]byte(`.%\&#;=`), b) >= 0)
		set(isBase64, token[b] != 0 || b == '+' || b == '/')
		set(isHex, hexDigit(b) >= 0)
		set(isUpper, b >= 'A' && b <= 'Z')
		set(isLower, b >= 'a' && b <= 'z')
		set(isWord, alnum[b] != 0)
		set(isEscape, bytes.IndexByte([]byte(`%\&=`), b) >= 0)
	}
	return k
}()

// What the sweep takes for granted of the formats: it finds one without a mark by
// the word after its dot, and any other by a mark of four bytes, the first a small
// letter and the last an underscore. A test compares this with the table.
const (
	prefixLen = 8
	secretLen = 32
	markLen   = 4
	markEnd   = '_'
)

// marks are those of the formats that have one.
var marks = func() (all []string) {
	for i := range grammars {
		if m := grammars[i].Mark; m != "" {
			all = append(all, m)
		}
	}
	return all
}()

const (
	// minRun is the shortest key.
	minRun = prefixLen + 1 + secretLen
	// minPart is the longer part of the shortest key in base64 when it is wrapped
	// over two lines.
	minPart = (minRun*8/6 + 2) / 2
	// rowGroups groups of four digits begin in the shortest part, with strict digits.
	rowGroups = 6
	rowStep   = 4
	// minWide dense bytes with as many zero bytes behind each are UTF-16 or UTF-32.
	minWide = 8
	// minDigits decimal digits in a block are numbers. Of a key each byte has one at least
	// in hexadecimal, and two in decimal. No block has noDigits.
	minDigits = 20
	noDigits  = block + 1
)

// A record is what a block of 64 bytes shows, a bit for each place: the end of a
// word, the last digit of a row, the end of a run, a mark, the first byte of a pair; and
// how many decimal digits it has.
type record struct {
	at                                 int
	shapes, rows, escapes, marks, wide uint64
	digits                             int
}

const (
	block      = 64
	maxRecords = 16
	// ahead is how far after a block the vector forms look.
	ahead = markLen - 1
)

// carries is what one block leaves to the next: whether a word that follows a dot,
// a run with an escape, a run with a full lane goes on. digits is how many decimal digits
// in a block are numbers.
//
//lint:ignore U1000 the assembly reads and writes them
type carries struct{ shape, escape, lane, digits uint8 }

// sweep calls see for the places in data[from:to] where a key can be. Those of each
// kind come in order. numbers says whether numbers are asked for.
func sweep(data []byte, from, to int, numbers bool, see func(hit, int)) {
	digits := choose(numbers, minDigits, noDigits)
	if !hasVectors {
		sweepGeneric(data, from, to, digits, see)
		return
	}
	// The first block and the last ones are looked at in a copy, with zeros where
	// there is no data.
	c := carries{digits: uint8(digits)}
	if to-from >= 2*block+ahead {
		sweepCopy(data, from, from+block+ahead, 1, &c, see)
		from += block
		last := from + (to-ahead-from)/block*block
		sweepBlocks(data, from, last, 0, &c, see)
		from = last
	}
	sweepCopy(data, from, to, (to-from)/block+1, &c, see)
}

// sweepCopy looks at the first blocks, at most three, of data[from:to].
func sweepCopy(data []byte, from, to, blocks int, c *carries, see func(hit, int)) {
	var buf [5 * block]byte
	before := min(from, block)
	copy(buf[block-before:], data[from-before:to])
	sweepBlocks(buf[:], block, (1+blocks)*block, from-block, c, see)
}

// sweepBlocks calls see for what the blocks of data[from:to] show; shift is how far
// the places are off.
func sweepBlocks(data []byte, from, to, shift int, c *carries, see func(hit, int)) {
	var out [maxRecords]record
	for from < to {
		at, n := sweepVector(data, from, to, c, &out)
		for i := range out[:n] {
			r := &out[i]
			start := r.at + shift
			each(r.shapes, func(k int) { see(hitShape, start+k-secretLen-1) })
			each(r.rows, func(k int) { see(hitRow, start+k) })
			each(r.escapes, func(k int) { see(hitEscape, start+k) })
			each(r.marks, func(k int) { see(hitMark, start+k) })
			each(r.wide, func(k int) { see(hitWide, start+k) })
			if r.digits >= int(c.digits) {
				see(hitNumbers, start)
			}
		}
		from = at
	}
}

// each calls yield for the places of the bits of a mask.
func each(mask uint64, yield func(int)) {
	for ; mask != 0; mask &= mask - 1 {
		yield(bits.TrailingZeros64(mask))
	}
}

// sweepGeneric is sweep without vector instructions. It skips what is too short:
// dense runs shorter than the part of a key that a line may hold.
func sweepGeneric(data []byte, from, to, digits int, see func(hit, int)) {
	for i := from; i+minPart <= to; {
		j := i + minPart - 1
		for j >= i && kinds[data[j]]&isDense != 0 {
			j--
		}
		if j >= i {
			i = j + 1
			continue
		}
		for j = i + minPart; j < to && kinds[data[j]]&isDense != 0; {
			j++
		}
		sweepRun(data, i, j, see)
		i = j + 1
	}
	for _, mark := range marks {
		for i := from; i < to; i++ {
			n := bytes.Index(data[i:to], []byte(mark))
			if n < 0 {
				break
			}
			i += n
			see(hitMark, i)
		}
	}
	sweepWide(data, from, to, see)
	for i := from; i < to && digits < noDigits; i += block {
		if decimals(data[i:min(to, i+block)]) >= digits {
			see(hitNumbers, i)
		}
	}
}

// decimals counts the decimal digits of a block.
func decimals(b []byte) (n int) {
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b) ^ eight('0')
		w = (w | (w&eight(0x7f) + eight(0x76))) & eight(0x80) // a bit for each byte that is not one
		n += 8 - bits.OnesCount64(w)
	}
	for _, c := range b {
		n += choose(c >= '0' && c <= '9', 1, 0)
	}
	return n
}

// sweepRun looks at one run of dense bytes.
func sweepRun(data []byte, start, end int, see func(hit, int)) {
	escape := false
	word := start
	var rows [2][rowStep]int // the length of the row that ends here, by code and place
	for i := start; i < end; i++ {
		k := kinds[data[i]]
		escape = escape || k&isEscape != 0
		if k&isWord == 0 {
			sweepWord(data, word, i, see)
			word = i + 1
		}
		for n, c := range []*digitCode{&base64Code, &hexCode} {
			row := &rows[n][i%rowStep]
			if !c.strict[data[i]] {
				*row = 0
			} else if *row++; *row >= rowGroups {
				see(hitRow, i)
			}
		}
	}
	sweepWord(data, word, end, see)
	if escape && end-start >= minRun {
		see(hitEscape, end)
	}
}

// sweepWord looks at the letters and digits data[start:end].
func sweepWord(data []byte, start, end int, see func(hit, int)) {
	if end-start == secretLen && start > 0 && data[start-1] == '.' {
		see(hitShape, start-1)
	}
}

// sweepWide looks for dense bytes that each have a zero byte after them, or three.
func sweepWide(data []byte, from, to int, see func(hit, int)) {
	for i := from; i < to; i++ {
		n := bytes.IndexByte(data[i:to], 0)
		if n < 0 {
			return
		}
		i += n
		for _, zeros := range [][]byte{{0}, {0, 0, 0}} {
			units, step := 0, len(zeros)+1
			for at := i - 1; at >= from && at+step <= to && kinds[data[at]]&isDense != 0 && bytes.Equal(data[at+1:at+step], zeros); at += step {
				units++
			}
			if units >= minWide {
				see(hitWide, i-1)
				i += step*units - 2
			}
		}
	}
}
