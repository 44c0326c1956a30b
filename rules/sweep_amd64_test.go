package rules

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// eachForm runs a test with every form of the sweep that this processor has.
func eachForm(t *testing.T, test func(t *testing.T)) {
	avx2, avx512 := hasAVX2, hasAVX512
	defer func() { hasVectors, hasAVX512 = avx2, avx512 }()
	for _, form := range []struct {
		name            string
		have            bool
		vectors, widest bool
	}{{"generic", true, false, false}, {"AVX2", avx2, true, false}, {"AVX-512", avx512, true, true}} {
		hasVectors, hasAVX512 = form.vectors, form.widest
		t.Run(form.name, func(t *testing.T) {
			if !form.have {
				t.Skip("this processor does not have it")
			}
			test(t)
		})
	}
}

// TestFormsAgree compares the vector forms with each other, place by place.
func TestFormsAgree(t *testing.T) {
	if !hasAVX512 {
		t.Skip("there is one form alone on this processor")
	}
	defer func() { hasAVX512 = true }()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 4000 {
		data := mixture(r, r.IntN(700))
		from := r.IntN(len(data) + 1)
		to := from + r.IntN(len(data)-from+1)
		var got [2]string
		for k := range got {
			hasAVX512 = k == 1
			sweep(data, from, to, n%2 == 0, func(h hit, i int) { got[k] += fmt.Sprintf("%d@%d ", h, i) })
		}
		if got[0] != got[1] {
			t.Fatalf("case %d: %d to %d of %q:\nAVX2    %s\nAVX-512 %s", n, from, to, data, got[0], got[1])
		}
	}
}
