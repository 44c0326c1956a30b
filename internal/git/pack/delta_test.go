package pack

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeltaFresh(t *testing.T) {
	base := "0123456789abcdefghij"
	n := len(base)
	tests := []struct {
		name string
		cmds []string
		want string
		span []Span
	}{
		{"all copied", []string{copyFrom(0, 20)}, base, []Span{}},
		{"copied in two runs that meet", []string{copyFrom(0, 8), copyFrom(8, 12)}, base, []Span{}},
		{"insert in the middle", []string{copyFrom(0, 5), insert("XY"), copyFrom(5, 15)}, "01234XY56789abcdefghij", []Span{{Start: 5, End: 7}}},
		{"two inserts that touch", []string{insert("XY"), insert("Z"), copyFrom(0, 20)}, "XYZ" + base, []Span{{Start: 0, End: 3}}},
		{"insert at the end", []string{copyFrom(0, 20), insert("X")}, base + "X", []Span{{Start: 20, End: 21}}},
		{"removed in the middle", []string{copyFrom(0, 5), copyFrom(10, 10)}, "01234abcdefghij", []Span{{Start: 5, End: 5}}},
		{"removed at the start", []string{copyFrom(5, 15)}, "56789abcdefghij", []Span{{Start: 0, End: 0}}},
		{"removed at the end", []string{copyFrom(0, 15)}, "0123456789abcde", []Span{{Start: 15, End: 15}}},
		{"repeated", []string{copyFrom(0, 20), copyFrom(0, 20)}, base + base, []Span{{Start: 20, End: 20}}},
		{"two runs swapped", []string{copyFrom(10, 10), copyFrom(0, 10)}, "abcdefghij0123456789", []Span{{Start: 0, End: 0}, {Start: 10, End: 10}, {Start: 20, End: 20}}},
		{"seam beside an insert", []string{insert("X"), copyFrom(0, 2), copyFrom(4, 16)}, "X01456789abcdefghij", []Span{{Start: 0, End: 1}, {Start: 3, End: 3}}},
		{"nothing left", nil, "", []Span{{Start: 0, End: 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			delta := deltaOf(n, len(tt.want), tt.cmds...)
			baseSize, size, cmds, err := deltaSizes([]byte(delta))
			if err == nil {
				err = checkDelta(cmds, baseSize, size)
			}
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]byte, size)
			span := applyDelta(dst, []byte(base), cmds, []Span{})
			if string(dst) != tt.want {
				t.Errorf("made %q, want %q", dst, tt.want)
			}
			if diff := cmp.Diff(tt.span, span); diff != "" {
				t.Errorf("fresh spans (-want +got):\n%s", diff)
			}
			checkFresh(t, dst, []byte(base), span)
		})
	}
}

// checkFresh holds Object.Fresh to its word: what lies between two spans, and does
// not touch them, is in base byte for byte; and likewise at the start and end.
func checkFresh(t *testing.T, dst, base []byte, fresh []Span) {
	t.Helper()
	at, starts := 0, true
	run := func(end int, ends bool) {
		part := dst[at:end]
		switch {
		case starts && ends && !bytes.Equal(part, base), starts && !bytes.HasPrefix(base, part),
			ends && !bytes.HasSuffix(base, part), !bytes.Contains(base, part):
			t.Fatalf("%q is not fresh in %q, but the base is %q", part, dst, base)
		}
	}
	last := -1
	for _, s := range fresh {
		if s.Start < last || s.End < s.Start || s.End > len(dst) {
			t.Fatalf("spans %v of %d bytes", fresh, len(dst))
		}
		last = s.End
		if s.Start > 0 {
			run(s.Start, false)
		}
		at, starts = s.End, false
	}
	if at < len(dst) || len(fresh) == 0 {
		run(len(dst), true)
	}
}

// naiveDelta applies a delta as the format describes it, byte by byte.
func naiveDelta(base, delta []byte) (dst []byte, ok bool) {
	next := func() (c byte) {
		if len(delta) == 0 {
			ok = false
			return 0
		}
		c, delta = delta[0], delta[1:]
		return c
	}
	number := func() (v uint64) {
		for shift := 0; ; shift += 7 {
			c := next()
			v |= uint64(c&0x7f) << shift
			if c&0x80 == 0 || !ok || shift > 56 {
				ok = ok && shift <= 56
				return v
			}
		}
	}
	ok = true
	if baseSize := number(); baseSize != uint64(len(base)) {
		return nil, false
	}
	size := number()
	for ok && len(delta) > 0 {
		c := next()
		if c == 0 || uint64(len(dst)) > size {
			return nil, false
		}
		if c&0x80 == 0 {
			for range c {
				dst = append(dst, next())
			}
			continue
		}
		var args [7]byte
		for i := range args {
			if c>>i&1 != 0 {
				args[i] = next()
			}
		}
		off := int(args[0]) | int(args[1])<<8 | int(args[2])<<16 | int(args[3])<<24
		n := int(args[4]) | int(args[5])<<8 | int(args[6])<<16
		if n == 0 {
			n = 0x10000
		}
		if !ok || off+n > len(base) {
			return nil, false
		}
		dst = append(dst, base[off:off+n]...)
	}
	return dst, ok && uint64(len(dst)) == size
}

func FuzzDelta(f *testing.F) {
	base := []byte("0123456789abcdefghij")
	f.Add(base, []byte(deltaOf(20, 22, copyFrom(0, 5), insert("XY"), copyFrom(5, 15)))) // sound
	f.Add(base, []byte(deltaOf(20, 1, copyFrom(20, 1))))                                // copies from the end of the base
	f.Add(base, []byte(deltaOf(20, 20, "\x80")))                                        // no operands: offset 0, size 64 KiB
	f.Add(base, []byte(deltaOf(20, 3, "\x00")))                                         // the reserved command
	f.Add(base, []byte(deltaOf(20, 3, "\x05ab")))                                       // insert longer than the delta
	f.Add(base, []byte(deltaOf(20, 3, "\xff\x00\x00")))                                 // copy without all its operands
	f.Add(base, []byte(deltaOf(21, 1, insert("x"))))                                    // base of another length
	f.Add(base, []byte(deltaOf(20, 2, insert("x"))))                                    // result of another length
	f.Add(base, bytes.Repeat([]byte{0xff}, 20))                                         // length without an end
	f.Add([]byte{}, []byte(deltaOf(0, 0)))                                              // empty from empty
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		want, ok := naiveDelta(base, delta)
		s := &Store{opts: Options{holdMost: 1 << 20}}
		got, err := s.patch(base, delta, 0)
		if err == errTooLarge {
			return
		}
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("made %q, %v; want %q, %v", got, err, want, ok)
		}
		if err != nil {
			return
		}
		_, _, cmds, _ := deltaSizes(delta)
		checkFresh(t, got, base, applyDelta(make([]byte, len(got)), base, cmds, []Span{}))
	})
}

// TestRadixSort sorts offsets below and above 4 GiB.
func TestRadixSort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for _, limit := range []uint64{1, 2, 2048, 1 << 20, 1 << 33, 1 << 45} {
		keys, vals := make([]uint64, 5000), make([]uint32, 5000)
		for i := range keys {
			keys[i], vals[i] = rnd.Uint64N(limit), uint32(i)
		}
		from := slices.Clone(keys)
		got, carried := radixSort(keys, vals, limit)
		for i, v := range carried {
			if from[v] != got[i] {
				t.Fatalf("limit %d: value %d went to another key", limit, v)
			}
		}
		if !slices.IsSorted(got) {
			t.Errorf("limit %d: not sorted", limit)
		}
	}
}
