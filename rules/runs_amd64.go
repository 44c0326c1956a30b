package rules

import "golang.org/x/sys/cpu"

//go:noescape
func windowSSSE3(data *byte, i, n int, tables *[112]byte) (at int, mask uint64)

// nibbles are the tables of windowSSSE3 for the dense bytes. Each high nibble of
// ASCII text has a bit of its own, so the method is exact for any set of them.
var nibbles = func() (t [112]byte) {
	for c := range 128 {
		if kinds[c]&isDense != 0 && c >= 0x20 {
			bit := byte(1) << (c>>4 - 2)
			t[c&15] |= bit
			t[16+c>>4] |= bit
		}
	}
	for i := range 16 {
		t[32+i], t[64+i], t[80+i], t[96+i] = 0x0F, b10Mark[0], federatedMark[0], b10Mark[3]
	}
	return t
}()

// nextWindow returns the first window of 16 bytes at i, i+16 and so on that is all
// dense, or dense and zero by turns, with marks 0; or in which b10_ or sky_ may
// begin, with a bit of marks for each place. at is -1 if there is none.
func nextWindow(data []byte, i int) (at int, marks uint64) {
	if cpu.X86.HasSSSE3 && len(data)-i > window+3 {
		if at, marks = windowSSSE3(&data[0], i, len(data), &nibbles); at >= 0 {
			return at, marks
		}
		// It stops when it would read past the end.
		i += (len(data) - i - 3) / window * window
	}
	return nextWindowGeneric(data, i)
}
