package rules

import (
	"bytes"

	"golang.org/x/sys/cpu"
)

//go:noescape
func denseSSSE3(data *byte, i, n int, tables *[64]byte) int

//go:noescape
func markSSE2(data *byte, i, n int) int

// indexMark returns the first place at or after i where "b10_" stands, or -1.
func indexMark(data []byte, i int) int {
	for i+19 <= len(data) {
		at := markSSE2(&data[0], i, len(data))
		if at < 0 {
			break
		}
		if data[at+1] == '1' && data[at+2] == '0' {
			return at
		}
		i = at + 1
	}
	// The vector form stops short of the end by less than two of its steps.
	from := max(i, len(data)-40)
	if from >= len(data) {
		return -1
	}
	if n := bytes.Index(data[from:], []byte(b10Mark)); n >= 0 {
		return from + n
	}
	return -1
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
