package archivetest

import (
	"bytes"
	"math/bits"
	"sort"
	"testing"
)

// Bzip2 packs data. There is no writer in the standard library; this one writes
// small blocks with a flat code, and does not aim to make anything smaller.
func Bzip2(_ testing.TB, data []byte) []byte {
	w := &bitWriter{}
	w.bits('B'<<24|'Z'<<16|'h'<<8|'9', 32)
	var combined uint32
	for len(data) > 0 {
		n := min(len(data), 4000)
		sum := bzip2Sum(data[:n])
		combined = bits.RotateLeft32(combined, 1) ^ sum
		w.block(bzip2Runs(data[:n]), sum)
		data = data[n:]
	}
	w.bits(0x177245385090, 48)
	w.bits(uint64(combined), 32)
	w.bits(0, -w.n&7)
	return w.out
}

type bitWriter struct {
	out []byte
	n   int // bits written
}

func (w *bitWriter) bits(v uint64, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.n&7 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[len(w.out)-1] |= byte(v>>i&1) << (7 - w.n&7)
		w.n++
	}
}

func bzip2Sum(b []byte) uint32 {
	sum := ^uint32(0)
	for _, c := range b {
		sum ^= uint32(c) << 24
		for range 8 {
			sum = sum<<1 ^ 0x04c11db7*(sum>>31)
		}
	}
	return ^sum
}

// bzip2Runs writes four to 255 equal bytes as four and a count.
func bzip2Runs(b []byte) (out []byte) {
	for i := 0; i < len(b); {
		n := 1
		for n < 255 && i+n < len(b) && b[i+n] == b[i] {
			n++
		}
		out = append(out, bytes.Repeat(b[i:i+1], min(n, 4))...)
		if n >= 4 {
			out = append(out, byte(n-4))
		}
		i += n
	}
	return out
}

func (w *bitWriter) block(b []byte, sum uint32) {
	w.bits(0x314159265359, 48)
	w.bits(uint64(sum), 32)
	w.bits(0, 1)
	last, origin := sortRotations(b)
	w.bits(uint64(origin), 24)
	var used [256]bool
	for _, c := range b {
		used[c] = true
	}
	var alphabet []byte
	for i := range 16 {
		any := uint64(0)
		for j := range 16 {
			if used[16*i+j] {
				any = 1
				alphabet = append(alphabet, byte(16*i+j))
			}
		}
		w.bits(any, 1)
	}
	for i := range 16 {
		row := uint64(0)
		for j := range 16 {
			if row <<= 1; used[16*i+j] {
				row |= 1
			}
		}
		if row != 0 {
			w.bits(row, 16)
		}
	}
	w.symbols(moveToFront(last, alphabet), len(alphabet)+2)
}

func sortRotations(b []byte) (last []byte, origin int) {
	double := append(bytes.Clone(b), b...)
	at := make([]int, len(b))
	for i := range at {
		at[i] = i
	}
	sort.Slice(at, func(i, j int) bool {
		return bytes.Compare(double[at[i]:at[i]+len(b)], double[at[j]:at[j]+len(b)]) < 0
	})
	for i, p := range at {
		last = append(last, double[p+len(b)-1])
		if p == 0 {
			origin = i
		}
	}
	return last, origin
}

// moveToFront gives the symbols of a block: 0 and 1 write the length of a run of
// the front byte in bijective base 2, the last symbol ends the block.
func moveToFront(b, alphabet []byte) (out []int) {
	front := bytes.Clone(alphabet)
	run := 0
	flush := func() {
		for ; run > 0; run = (run - 1) / 2 {
			out = append(out, (run+1)&1)
		}
	}
	for _, c := range b {
		i := bytes.IndexByte(front, c)
		if i == 0 {
			run++
			continue
		}
		flush()
		out = append(out, i+1)
		copy(front[1:], front[:i])
		front[0] = c
	}
	flush()
	return append(out, len(alphabet)+1)
}

// symbols writes with a complete code of two lengths, in two equal tables as the
// format asks for at least two.
func (w *bitWriter) symbols(s []int, n int) {
	long := bits.Len(uint(n - 1))
	short := 1<<long - n // how many symbols have a code of one bit less
	selectors := (len(s) + 49) / 50
	w.bits(2, 3)
	w.bits(uint64(selectors), 15)
	w.bits(0, selectors)
	for range 2 {
		length := long - 1
		if short == 0 {
			length = long
		}
		w.bits(uint64(length), 5)
		for i := range n {
			if i == short && length < long {
				w.bits(2, 2)
			}
			w.bits(0, 1)
		}
	}
	for _, v := range s {
		if v < short {
			w.bits(uint64(v), long-1)
		} else {
			w.bits(uint64(v+short), long)
		}
	}
}
