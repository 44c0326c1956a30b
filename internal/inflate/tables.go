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
	preTableBits  = 7
	litTableBits  = 10
	distTableBits = 8
	// The sizes that the worst sets of code lengths need, main table and subtables, as counted by enough.c of zlib
	// for codes of up to 15 bits: enough 288 10 and enough 32 8.
	litTableSize  = 1334
	distTableSize = 402
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

// A coded is a symbol that has a code: the symbol in the low bits, and the length of its code above.
type coded uint16

const (
	codedShift = 9
	codedMask  = 1<<codedShift - 1
)

// counts holds how many codes there are of each length. counts[0] means nothing.
type counts [maxCode + 1]uint16

// A builder is the scratch space to build tables in, and what is the same for all of them.
type builder struct {
	protos  [numLit]uint32
	dProtos [numDist]uint32
	pProtos [19]uint32
	reverse [litIndex + 1]uint16 // litTableBits bits, in reverse
	pre     [1 << preTableBits]uint32

	coded  [numLit + numDist]coded // what has a code, by symbol
	sorted [numLit]uint16          // symbols by the length of their codes
}

// prepare fills in what depends on no stream.
func (d *Decoder) prepare() {
	b := &d.build
	b.makeProtos()
	for i := range b.reverse {
		b.reverse[i] = bits.Reverse16(uint16(i)) >> (16 - litTableBits)
	}
	var n counts
	for i := range numLit {
		size := 8
		switch {
		case i >= 144 && i < 256:
			size = 9
		case i >= 256 && i < 280:
			size = 7
		}
		b.coded[i] = coded(i | size<<codedShift)
		n[size]++
	}
	b.fill(d.fixed.lit[:], nil, b.coded[:numLit], &n, b.protos[:])
	n = counts{5: numDist}
	for i := range numDist {
		b.coded[i] = coded(i | 5<<codedShift)
	}
	b.fill(d.fixed.dist[:], nil, b.coded[:numDist], &n, b.dProtos[:])
	d.ready = true
}

// makeProtos computes the tables of RFC 1951, sections 3.2.5 and 3.2.7.
func (b *builder) makeProtos() {
	for i := range b.protos[:eobSymbol] {
		b.protos[i] = literal | uint32(i)<<valueShift
	}
	b.protos[eobSymbol] = special | endOfBlock<<valueShift
	base := uint32(3)
	for i := eobSymbol + 1; i < maxLit-1; i++ {
		extra := uint32(max(0, (i-261)/4))
		b.protos[i] = base<<valueShift | extra | (1<<extra-1)<<maskShift
		base += 1 << extra
	}
	b.protos[maxLit-1] = 258 << valueShift
	for i := maxLit; i < numLit; i++ {
		b.protos[i] = special
	}
	base = 1
	for i := range b.dProtos[:maxDist] {
		extra := uint32(max(0, i/2-1))
		b.dProtos[i] = base<<valueShift | extra
		base += 1 << extra
	}
	for i := maxDist; i < numDist; i++ {
		b.dProtos[i] = special
	}
	for i, extra := range [19]uint32{16: 2, 17: 3, 18: 7} {
		b.pProtos[i] = uint32(i)<<valueShift | extra
	}
}

// fill builds the table for a set of codes: the main table, whose size is a power of two, and subtables for the codes
// that are too long for it. It reports whether the set is valid: complete, or a single code of one bit, or empty; the
// entries that such a set leaves open are invalid codes. zlib and the standard library allow the same.
func (b *builder) fill(table, sub []uint32, set []coded, n *counts, protos []uint32) bool {
	var next counts
	n[0] = 0
	used, at := 0, uint16(0)
	for i := 1; i < len(n); i++ {
		next[i] = at
		at += n[i]
		used = used<<1 + int(n[i])
	}
	if used != 1<<maxCode {
		return degenerate(table, set, protos)
	}
	for _, c := range set {
		size := c >> codedShift & maxCode
		b.sorted[next[size]] = uint16(c & codedMask)
		next[size]++
	}
	b.fillMain(table, sub, n, protos)
	return true
}

// degenerate builds the table for a set that is not complete, if there may be one.
func degenerate(table []uint32, set []coded, protos []uint32) bool {
	for i := range table {
		table[i] = special | 1
	}
	switch {
	case len(set) == 0:
		return true
	case len(set) > 1 || set[0]>>codedShift != 1:
		return false
	}
	for i := 0; i < len(table); i += 2 {
		table[i] = protos[set[0]&codedMask] + 1 + 1<<codeShift
	}
	return true
}

// fillMain fills the table with the codes in b.sorted, shortest first. Codes are stored with their first bit lowest, so
// a code of n bits recurs every 1<<n entries. Rather than write it that often, fillMain keeps a table for codes of n
// bits and doubles it when codes get longer.
func (b *builder) fillMain(table, sub []uint32, n *counts, protos []uint32) {
	main := bits.Len(uint(len(table))) - 1
	size, first := 1, 0
	for n[size] == 0 {
		size++
	}
	code, i := 0, 0 // the code has litTableBits bits
	for ; size <= main; size++ {
		if first > 0 {
			copy(table[first:2*first], table[:first])
		}
		first = 1 << size
		add := uint32(size + size<<codeShift)
		for _, sym := range b.sorted[i : i+int(n[size])] {
			table[b.reverse[code&litIndex]] = protos[sym] + add
			code += 1 << (litTableBits - size)
		}
		i += int(n[size])
	}
	if code < 1<<litTableBits {
		b.fillSubtables(table, sub, n, protos, code>>(litTableBits-main), i)
	}
}

// fillSubtables fills in the codes too long for the main table, which are b.sorted[i:]. The first of them starts with
// prefix. In order, codes with the same prefix are neighbours, and the first of them goes on with zeros only.
func (b *builder) fillSubtables(table, sub []uint32, n *counts, protos []uint32, prefix, i int) {
	main := bits.Len(uint(len(table))) - 1
	code := prefix << (maxCode - main) // maxCode bits
	start, end := 0, 0
	for size := main + 1; size <= maxCode; size++ {
		short := size - main
		add := uint32(short + short<<codeShift)
		for left := int(n[size]); left > 0; left-- {
			if code&(1<<(maxCode-main)-1) == 0 {
				width := short
				for used := left; used < 1<<width; {
					width++
					used = used<<1 + int(n[main+width])
				}
				start, end = end, end+1<<width
				at := code >> (maxCode - main) << (litTableBits - main)
				table[b.reverse[at&litIndex]] = uint32(main+width<<codeShift+start<<valueShift) | subtable | special
			}
			e := protos[b.sorted[i]] + add
			for j := start + int(bits.Reverse16(uint16(code))>>1)>>main; j < end; j += 1 << short {
				sub[j] = e
			}
			i++
			code += 1 << (maxCode - size)
		}
	}
}
