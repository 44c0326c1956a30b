package rules

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func sweepAVX512(data *byte, from, to int, t *tables512, c *carries, out *[maxRecords]record) (at, size int)

// tables512 is what sweepAVX512 looks up: the kinds of the 128 bytes of ASCII, then the
// bit of each kind, and bytes to compare with.
type tables512 [138]byte

// The bits of the kinds in the tables.
const (
	tWord = 1 << iota
	tDense
	tEscape
	tNot64   // no strict digit of base64
	tNot16   // nor of hexadecimal
	tNotMark // no first byte of a mark
)

var for512 = func() (t tables512) {
	for c := range 128 {
		set := func(bit byte, yes bool) {
			if yes {
				t[c] |= bit
			}
		}
		set(tWord, kinds[c]&isWord != 0)
		set(tDense, kinds[c]&isDense != 0)
		set(tEscape, kinds[c]&isEscape != 0)
		set(tNot64, !base64Code.strict[c])
		set(tNot16, !hexCode.strict[c])
		set(tNotMark, byte(c) != b10Mark[0] && byte(c) != federatedMark[0])
	}
	copy(t[128:], []byte{tWord, tDense, tEscape, tNot64, tNot16, tNotMark, '.', b10Mark[ahead], '0', 0x7F})
	return t
}()

// hasVectors reports whether this processor has what sweepVector needs.
var hasVectors = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI && cpu.X86.HasBMI1

// sweepVector looks at the blocks that begin at data[from], 64 bytes on and so on
// below to, until out is full, and returns where it stopped and how many records it
// filled. It reads the 64 bytes before and three after as well.
func sweepVector(data []byte, from, to int, c *carries, out *[maxRecords]record) (at, n int) {
	_ = data[from-block : to+ahead]
	at, n = sweepAVX512(&data[0], from, to, &for512, c, out)
	return at, n / int(unsafe.Sizeof(out[0]))
}
