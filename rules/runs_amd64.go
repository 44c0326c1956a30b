package rules

import "golang.org/x/sys/cpu"

//go:noescape
func denseSSSE3(data *byte, i, n int, tables *[64]byte) int

//go:noescape
func pairSSE2(data *byte, i, n int, first, fourth uint64) int

// indexPair returns the first place at or after i at which data has one byte and,
// three further on, another; -1 if there is none.
func indexPair(data []byte, i int, first, fourth byte) int {
	if i+19 <= len(data) {
		const each = 0x0101010101010101
		if at := pairSSE2(&data[0], i, len(data), uint64(first)*each, uint64(fourth)*each); at >= 0 {
			return at
		}
		// It stops when a step would pass the end.
		i += (len(data) - 19 - i) / window * window
	}
	return indexPairGeneric(data, i, first, fourth)
}

// nibbles are the tables of denseSSSE3 for the dense bytes. Each high nibble of
// ASCII text has a bit of its own, so the method is exact for any set of them.
var nibbles = func() (t [64]byte) {
	for c := range 128 {
		if dense[c] != 0 && c >= 0x20 {
			bit := byte(1) << (c>>4 - 2)
			t[c&15] |= bit
			t[16+c>>4] |= bit
		}
	}
	for i := range 16 {
		t[32+i] = 0x0F
	}
	return t
}()

// nextDense returns the first place at or after i, by steps of 17, at which 16
// bytes are all dense, or dense and zero by turns; -1 if there is none.
func nextDense(data []byte, i int) int {
	if len(data)-i < window {
		return -1
	}
	if cpu.X86.HasSSSE3 {
		return denseSSSE3(&data[0], i, len(data), &nibbles)
	}
	return nextDenseGeneric(data, i)
}
