package rules

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// TestNextWindowAgrees compares the vector form with the generic one.
func TestNextWindowAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := [][]byte{[]byte("abs9_.+/%\\&#;=-Z"), {0}, []byte(" \n\"'{}(),<>|~^*!?@:$`[]"), {0x80, 0xFF, 0x5B, 0x40, 0x2F}}
	for n := range 3000 {
		data := make([]byte, r.IntN(200))
		for i := 0; i < len(data); {
			kind := kinds[r.IntN(4)]
			wide := r.IntN(3) == 0
			for k := r.IntN(60); k >= 0 && i < len(data); k-- {
				data[i] = kind[r.IntN(len(kind))]
				i++
				if wide && i < len(data) {
					data[i] = 0
					i++
				}
			}
		}
		for i := 0; i <= len(data); i++ {
			a, am := nextWindow(data, i)
			b, bm := nextWindowGeneric(data, i)
			if a != b || am != bm {
				t.Fatalf("case %d: from %d: %d/%x and %d/%x in %q", n, i, a, am, b, bm, data)
			}
		}
	}
}

// TestEachRunFindsEveryRun puts runs of the least length at every offset.
func TestEachRunFindsEveryRun(t *testing.T) {
	for _, c := range []struct {
		name string
		run  []byte
		wide bool
	}{
		{"bytes", bytes.Repeat([]byte("a"), minRun), false},
		{"little-endian", bytes.Repeat([]byte("a\x00"), minRun), true},
		{"big-endian", bytes.Repeat([]byte("\x00a"), minRun), true},
	} {
		for off := range 120 {
			data := bytes.Repeat([]byte{' '}, 300)
			copy(data[off:], c.run)
			found := 0
			eachRun(data, finding.Span{End: len(data)}, func(r run) {
				found++
				if r.wide != c.wide || r.start < off || r.start > off+1 {
					t.Errorf("%s at %d: %+v", c.name, off, r)
				}
			}, func(int) {})
			if found != 1 {
				t.Errorf("%s at %d: %d runs", c.name, off, found)
			}
		}
	}
}

// TestEachRunFindsEveryMark puts b10_ at every offset, apart and in runs.
func TestEachRunFindsEveryMark(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		data := make([]byte, r.IntN(150))
		for i := range data {
			data[i] = "b10_sky_b10_x   "[r.IntN(16)]
		}
		for range 4 {
			if len(data) > 10 {
				copy(data[r.IntN(len(data)-5):], []string{b10Mark, federatedMark}[r.IntN(2)])
			}
		}
		found := map[int]bool{}
		eachRun(data, finding.Span{End: len(data)}, func(r run) {
			for i := r.start; i < r.end; i++ {
				found[i] = true
			}
		}, func(i int) { found[i] = true })
		for i := range data {
			if isMark(data, i) && !found[i] {
				t.Fatalf("the mark at %d is not found in %q", i, data)
			}
		}
	}
}
