package rules

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// TestNextDenseAgrees compares the vector form with the generic one.
func TestNextDenseAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := [][]byte{[]byte("ab9_.+/%\\&#;=-Z"), {0}, []byte(" \n\"'{}(),<>|~^*!?@:$`[]"), {0x80, 0xFF, 0x5B, 0x40, 0x2F}}
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
			if a, b := nextDense(data, i), nextDenseGeneric(data, i); a != b {
				t.Fatalf("case %d: from %d: %d and %d in %q", n, i, a, b, data)
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
			eachRun(data, finding.Span{End: len(data)}, func(r run) bool {
				found++
				if r.wide != c.wide || r.start < off || r.start > off+1 {
					t.Errorf("%s at %d: %+v", c.name, off, r)
				}
				return true
			})
			if found != 1 {
				t.Errorf("%s at %d: %d runs", c.name, off, found)
			}
		}
	}
}

func TestIndexMarkAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		data := make([]byte, r.IntN(120))
		for i := range data {
			data[i] = "b10_b10_b10_x"[r.IntN(13)]
		}
		if len(data) > 10 {
			copy(data[r.IntN(len(data)-5):], b10Mark)
		}
		for i := range len(data) + 1 {
			want := bytes.Index(data[i:], []byte(b10Mark))
			if want >= 0 {
				want += i
			}
			if a, b := indexPair(data, i, 'b', '0'), indexPairGeneric(data, i, 'b', '0'); a != b {
				t.Fatalf("from %d: pair at %d and %d in %q", i, a, b, data)
			}
			if got := indexMark(data, i); got != want {
				t.Fatalf("from %d: %d, want %d in %q", i, got, want, data)
			}
		}
	}
}
