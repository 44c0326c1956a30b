package inflate

import "math/bits"

// A table entry describes one symbol:
//
//	bits 0-5    bits to take: the code (in a subtable, what is left of it) and the extra bits that follow it
//	bits 8-13   length of the code alone; for a pointer to a subtable, the number of bits that index it
//	bit  14     subtable: a pointer to a subtable, which starts at the value
//	bit  15     special: neither a literal nor a length or distance: a subtable, the end of a block, or an invalid code
//	bits 16-30  value: literal, base of the length (9 bits), base of the distance, start of the subtable, or endOfBlock
//	bits 25-30  of a length only: mask of its extra bits
//	bit  31     literal
//
// Before the length of a code is known, bits 0-5 hold the number of extra bits and bits 8-13 are zero: a proto.
const (
	codeShift  = 8
	subtable   = 1 << 14
	special    = 1 << 15
	valueShift = 16
	lengthMask = 1<<9 - 1
	maskShift  = 25
	literal    = 1 << 31
	endOfBlock = 1
)

const (
	litTableBits  = 11
	distTableBits = 9
	// The sizes that the worst sets of code lengths need, main table and subtables, as counted by enough.c of zlib
	// for codes of up to 15 bits: enough 288 11 and enough 32 9.
	litTableSize  = 2342
	distTableSize = 594
	litIndex      = 1<<litTableBits - 1
	distIndex     = 1<<distTableBits - 1

	numLit    = 288 // two more than are valid: the fixed code has them
	numDist   = 32  // likewise
	maxLit    = 286
	maxDist   = 30
	eobSymbol = 256
	maxCode   = 15
)

// tables decode the symbols of one block.
type tables struct {
	lit     [litIndex + 1]uint32
	dist    [distIndex + 1]uint32
	litSub  [litTableSize - litIndex - 1]uint32
	distSub [distTableSize - distIndex - 1]uint32
}

// A builder is the scratch space to build tables in, and what is the same for all of them.
type builder struct {
	litProtos  [numLit]uint32
	distProtos [numDist]uint32
	preProtos  [19]uint32
	lens       [numLit + numDist]uint8
	sorted     [numLit]uint16
	pre        [128]uint32
}

// prepare fills in what depends on no stream.
func (d *Decoder) prepare() {
	b := &d.build
	b.makeProtos()
	lens := b.lens[:numLit]
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	b.fill(d.fixed.lit[:], nil, lens, b.litProtos[:])
	lens = b.lens[:numDist]
	for i := range lens {
		lens[i] = 5
	}
	b.fill(d.fixed.dist[:], nil, lens, b.distProtos[:])
	d.ready = true
}

// makeProtos computes the tables of RFC 1951, section 3.2.5.
func (b *builder) makeProtos() {
	for i := range b.litProtos[:eobSymbol] {
		b.litProtos[i] = literal | uint32(i)<<valueShift
	}
	b.litProtos[eobSymbol] = special | endOfBlock<<valueShift
	base := uint32(3)
	for i := eobSymbol + 1; i < maxLit-1; i++ {
		extra := uint32(max(0, (i-261)/4))
		b.litProtos[i] = base<<valueShift | extra | (1<<extra-1)<<maskShift
		base += 1 << extra
	}
	b.litProtos[maxLit-1] = 258 << valueShift
	base = 1
	for i := range b.distProtos[:maxDist] {
		extra := uint32(max(0, i/2-1))
		b.distProtos[i] = base<<valueShift | extra
		base += 1 << extra
	}
	for i := range b.preProtos {
		b.preProtos[i] = uint32(i) << valueShift
	}
	b.preProtos[16] |= 2
	b.preProtos[17] |= 3
	b.preProtos[18] |= 7
	for i := maxLit; i < numLit; i++ {
		b.litProtos[i] = special
	}
	for i := maxDist; i < numDist; i++ {
		b.distProtos[i] = special
	}
}

// fill builds the table for a set of code lengths and returns the number of bits that index its main part, at most
// maxBits. It reports whether the set is valid: complete, or a single code of one bit, or empty; the entries that such
// a set leaves open are invalid codes. zlib and the standard library allow the same.
func (b *builder) fill(table, sub []uint32, lens []uint8, protos []uint32) bool {
	var count [maxCode + 1]uint16
	for _, n := range lens {
		count[n&maxCode]++
	}
	zero := count[0]
	count[0] = 0
	longest := maxCode
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	var next [maxCode + 1]uint16
	used := 0 // code space, in codes of the longest length
	for n := 1; n <= longest; n++ {
		next[n] = next[n-1] + count[n-1]
		used = used<<1 + int(count[n])
	}
	if used != 1<<longest || longest == 0 {
		return b.degenerate(table, lens, protos, longest, len(lens)-int(zero))
	}
	for sym, n := range lens {
		if n != 0 {
			b.sorted[next[n&maxCode]] = uint16(sym)
			next[n&maxCode]++
		}
	}
	b.fillMain(table, sub, protos, &count, longest)
	return true
}

// degenerate builds the table for a set that is not complete, if there may be one.
func (b *builder) degenerate(table []uint32, lens []uint8, protos []uint32, longest, codes int) bool {
	if longest > 1 || codes > 1 {
		return false
	}
	for i := range table {
		table[i] = special | 1
	}
	for sym, n := range lens {
		if n != 0 {
			for i := 0; i < len(table); i += 2 {
				table[i] = protos[sym] + 1 + 1<<codeShift
			}
		}
	}
	return true
}

// fillMain fills the table with the codes in b.sorted, shortest first. Codes are stored with their first bit lowest, so
// a code of n bits recurs every 1<<n entries. Rather than write it that often, fillMain keeps a table for codes of n
// bits and doubles it when codes get longer.
func (b *builder) fillMain(table, sub, protos []uint32, count *[maxCode + 1]uint16, longest int) {
	main := bits.Len(uint(len(table))) - 1
	n := 1
	for count[n] == 0 {
		n++
	}
	end := 1 << min(n, main)
	code, i := 0, 0
	for ; n <= main; n++ {
		add := uint32(n + n<<codeShift)
		for _, sym := range b.sorted[i : i+int(count[n])] {
			table[code] = protos[sym] + add
			// The next code of this length, with its bits reversed: the highest zero becomes one, and the ones above it zero.
			if flip := code ^ (end - 1); flip != 0 {
				bit := 1 << (bits.Len(uint(flip)) - 1)
				code = code&(bit-1) | bit
			}
		}
		i += int(count[n])
		if n < main {
			copy(table[end:2*end], table[:end])
			end *= 2
		}
	}
	if longest > main {
		b.fillSubtables(table, sub, protos, count, main, code, i)
	}
}

// fillSubtables fills in the codes longer than main bits, which are b.sorted[i:]. The first of them starts with code.
func (b *builder) fillSubtables(table, sub, protos []uint32, count *[maxCode + 1]uint16, main, code, i int) {
	n := main + 1
	prefix, start, size := -1, 0, 0
	top := 0
	for n <= maxCode {
		if count[n] == 0 {
			n++
			continue
		}
		if p := code & (1<<main - 1); p != prefix {
			prefix = p
			start = top
			width := n - main
			for used := int(count[n]); used < 1<<width; {
				width++
				used = used<<1 + int(count[main+width])
			}
			size = 1 << width
			top += size
			table[prefix] = uint32(main) | uint32(width)<<codeShift | subtable | special | uint32(start)<<valueShift
		}
		e := protos[b.sorted[i]] + uint32(n-main+(n-main)<<codeShift)
		for j := start + code>>main; j < start+size; j += 1 << (n - main) {
			sub[j] = e
		}
		i++
		count[n]--
		if flip := code ^ (1<<n - 1); flip != 0 {
			bit := 1 << (bits.Len(uint(flip)) - 1)
			code = code&(bit-1) | bit
		}
	}
}
