package rules

import (
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func sweepAVX512(data *byte, from, to int, c *carries, out *[maxRecords]record) (at, size int)

//go:noescape
func sweepAVX2(data *byte, from, to int, c *carries, out *[maxRecords]record) (at, size int)

//go:noescape
func nameAVX2(data *byte, n int) (at int)

// The sets of bytes that the blocks are told apart by.
func inWord(c byte) bool    { return kinds[c]&isWord != 0 }
func inDense(c byte) bool   { return kinds[c]&isDense != 0 }
func inEscape(c byte) bool  { return kinds[c]&isEscape != 0 }
func inStrict(c byte) bool  { return base64Code.strict[c] }
func inStrict2(c byte) bool { return hexCode.strict[c] }
func inDecimal(c byte) bool { return c >= '0' && c <= '9' }
func inMark(c byte) bool    { return slices.ContainsFunc(marks, func(m string) bool { return m[0] == c }) }

// tables512 is what sweepAVX512 looks up: the kinds of the 128 bytes of ASCII, then the
// bit of each kind, and bytes to compare with.
//
//lint:ignore U1000 the assembly reads it
var tables512 = func() (t [139]byte) {
	for c := range byte(128) {
		for bit, yes := range []bool{inWord(c), inDense(c), inEscape(c), !inStrict(c), !inStrict2(c), !inMark(c), inDecimal(c)} {
			if yes {
				t[c] |= 1 << bit
			}
		}
	}
	copy(t[128:], []byte{1, 2, 4, 8, 16, 32, '.', markEnd, '0', 0x7F, 64})
	return t
}()

// tables256 is what sweepAVX2 looks up, rows of 32 bytes. The first four are the two
// bytes of kinds, each by low and by high nibble: a byte has a bit when both have it.
// A bit can stand for a set whose bytes have one high nibble, or the same low ones
// under each, so that a larger set is one of several bits.
//
//lint:ignore U1000 the assembly reads it
var tables256 = func() (t [23][32]byte) {
	bit := func(row int, bit byte, high []byte, in func(byte) bool) {
		for _, h := range high {
			for half := range 2 {
				t[row+1][16*half+int(h)] |= bit
				for l := range byte(16) {
					if in(h<<4 | l) {
						t[row][16*half+int(l)] |= bit
					}
				}
			}
		}
	}
	among := func(s string) func(byte) bool {
		return func(c byte) bool { return strings.IndexByte(s, c) >= 0 }
	}
	bit(0, 1, []byte{3}, inWord)
	bit(0, 2, []byte{4, 6}, inWord)
	bit(0, 4, []byte{5, 7}, inWord)
	bit(0, 8, []byte{2}, inEscape)
	bit(0, 16, []byte{3}, inEscape)
	bit(0, 32, []byte{5}, inEscape)
	bit(0, 64, []byte{2}, inDense)
	bit(2, 1, []byte{4}, inStrict)
	bit(2, 2, []byte{5}, inStrict)
	bit(2, 4, []byte{6}, inStrict)
	bit(2, 8, []byte{3}, inStrict2)
	bit(2, 16, []byte{6}, inMark)
	bit(2, 32, []byte{7}, inMark)
	bit(2, 64, []byte{3}, among(";"))
	bit(2, 128, []byte{5}, among("_"))
	for row, c := range map[int]byte{4: 0x0F, 5: 1 | 2 | 4, 6: 8 | 16 | 32, 7: 64 | 128, 8: 1 | 2 | 4, 9: 8,
		10: 1, 11: 2, 12: '0', 13: 16 | 32, 14: markEnd, 15: '.',
		16: 0x20, 17: 'b', 18: 'a', 19: 's', 20: 't', 21: 'r', 22: 'u'} {
		for i := range t[row] {
			t[row][i] = c
		}
	}
	return t
}()

// The forms of the sweep for this processor, the best first.
var (
	hasAVX2    = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasPOPCNT
	hasAVX512  = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI
	hasVectors = hasAVX2
)

// sweepVector looks at the blocks that begin at data[from], 64 bytes on and so on
// below to, until out is full, and returns where it stopped and how many records it
// filled. It reads the 64 bytes before and three after as well.
func sweepVector(data []byte, from, to int, c *carries, out *[maxRecords]record) (at, n int) {
	_ = data[from-block : to+ahead]
	if hasAVX512 {
		at, n = sweepAVX512(&data[0], from, to, c, out)
	} else {
		at, n = sweepAVX2(&data[0], from, to, c, out)
	}
	return at, n / int(unsafe.Sizeof(out[0]))
}

// nextName returns where "bas" or "tru" may begin in b, in any case, or its length.
func nextName(b []byte) int {
	const step = 32
	if !hasVectors || len(b) < step+2 {
		return nextNameGeneric(b)
	}
	if at := nameAVX2(&b[0], len(b)); at < len(b) {
		return at
	}
	// It stops when it would read past the end; what is left is looked at with
	// some that was before.
	tail := len(b) - step - 2
	return tail + nameAVX2(&b[tail], step+2)
}
