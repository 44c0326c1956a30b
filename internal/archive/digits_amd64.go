package archive

import "golang.org/x/sys/cpu"

//go:noescape
func digitBlockAVX2(data *byte, n int, tables *[2][32]byte) int

// digitTables has a bit for each set of digits that have one high nibble, by low nibble and
// by high nibble.
var digitTables = func() (t [2][32]byte) {
	for bit, high := range []byte{2, 3, 4, 5, 6, 7} {
		for half := range 2 {
			t[1][16*half+int(high)] |= 1 << bit
			for low := range byte(16) {
				if base64Code.value[high<<4|low] >= 0 {
					t[0][16*half+int(low)] |= 1 << bit
				}
			}
		}
	}
	return t
}()

// digitBlock returns the offset of the first of the blocks of 32 bytes, from the beginning
// of data on, that is all digits; behind the last whole block if there is none.
func digitBlock(data []byte) int {
	if !cpu.X86.HasAVX2 || len(data) == 0 {
		return digitBlockGeneric(data)
	}
	return digitBlockAVX2(&data[0], len(data), &digitTables)
}
