package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// What the sweep takes for granted of the formats holds for each row of the table.
func TestSweepKnowsTheFormats(t *testing.T) {
	for _, g := range grammars {
		if g.Mark == "" && (g.MinSecret != secretLen || g.MaxSecret != secretLen || g.Dashes) {
			t.Errorf("%s: without a mark, its secret has to have %d letters and digits", g.Name, secretLen)
		}
		if m := g.Mark; m != "" && (len(m) != markLen || m[markLen-1] != markEnd || class(m[0]) != 0) {
			t.Errorf("%s: the mark %s is not one that the sweep knows", g.Name, m)
		}
		if n := len(g.Mark) + g.Prefix + 1 + g.MaxSecret; g.MinSecret == g.MaxSecret && n > joinedLen || g.Prefix+1+g.MinSecret < minRun && g.Mark == "" {
			t.Errorf("%s: keys of %d characters", g.Name, n)
		}
	}
	for _, f := range []finding.Format{finding.B10, finding.Legacy, finding.Federated} {
		if !slices.ContainsFunc(grammars, func(g grammar) bool { return g.Name == string(f) }) {
			t.Errorf("the table has no row for %s", f)
		}
	}
}

// mixture is bytes of the kinds that the sweep tells apart, in stretches.
func mixture(r *rand.Rand, size int) []byte {
	kinds := []string{"abcdefghijABCDEFGHIJ0123456789", "ACEIMQYaceZb", "234567", "a.b_c-%\\&#;=", "b10_sky_", " \n\"'{}(),<>|~^*!?@:$`[]+/", "\x00a", "\x00\x00\x00a", "\x80\xFF\x5B", "0123456789, /:"}
	data := make([]byte, size)
	for i := 0; i < len(data); {
		kind := kinds[r.IntN(len(kinds))]
		for k := r.IntN(90); k >= 0 && i < len(data); k-- {
			data[i] = kind[r.IntN(len(kind))]
			if strings.HasPrefix(kind, "\x00") {
				data[i] = kind[i%len(kind)]
			}
			i++
		}
	}
	return data
}

// forms are the ways a key may stand in data; each leads to a key by Find alone.
func forms(key string) map[string]string {
	wide := make([]byte, 0, 2*len(key))
	for i := range len(key) {
		wide = append(wide, key[i], 0)
	}
	percent, half := "", len(key)/2
	for i := range len(key) {
		percent += fmt.Sprintf("%%%02X", key[i])
	}
	b64 := base64.StdEncoding.EncodeToString([]byte("key: " + key + "\n"))
	return map[string]string{
		"plain":    key,
		"base64":   b64,
		"wrapped":  strings.Repeat("IyMj", 12) + "\n" + b64[:30] + "\n" + b64[30:],
		"hex":      hex.EncodeToString([]byte(key)),
		"percent":  percent,
		"one":      key[:half] + fmt.Sprintf("%%%02x", key[half]) + key[half+1:],
		"utf-16":   string(wide),
		"utf-32":   strings.Join(strings.Split(key, ""), "\x00\x00\x00") + "\x00\x00\x00",
		"utf-16be": "\x00" + string(wide[:len(wide)-1]),
		"joined":   key[:20] + `" + "` + key[20:],
	}
}

// TestSweepFindsEveryOffset puts a key, as it is and encoded, at every offset, so that it
// meets the blocks, their seams and the ends of the data in every way.
func TestSweepFindsEveryOffset(t *testing.T) {
	key := fakekey.New(7).B10()
	eachForm(t, func(t *testing.T) {
		for name, form := range forms(key) {
			for off := range 140 {
				for _, tail := range []int{0, 1, 2, 3, 61, 64, 130} {
					data := append(bytes.Repeat([]byte{' '}, off), form...)
					data = append(data, bytes.Repeat([]byte{' '}, tail)...)
					found := false
					Find("x", data, nil, func(m Match) bool {
						found = found || m.Secret.Reveal() == key
						return true
					})
					if !found {
						t.Fatalf("%s at %d, %d bytes before the end: not found", name, off, tail)
					}
				}
			}
		}
	})
}

// TestFormsFindTheSame compares what Find answers with each form, on data with keys.
func TestFormsFindTheSame(t *testing.T) {
	r, m := rand.New(rand.NewPCG(5, 6)), fakekey.New(8)
	for range 1500 {
		var data []byte
		for range r.IntN(6) {
			data = append(data, mixture(r, r.IntN(300))...)
			key := m.B10()
			for _, form := range forms(key) {
				if r.IntN(9) == 0 {
					data = append(append(append(data, " \""...), form...), "\" "...)
				}
			}
		}
		var first string
		eachForm(t, func(t *testing.T) {
			got := ""
			Find("x", data, nil, func(m Match) bool {
				got += fmt.Sprintf("%d-%d %s %v; ", m.Start, m.End, m.Secret.Digest(), m.Decoded)
				return true
			})
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("found %s, with the first form %s", got, first)
			}
		})
	}
}

// TestSweepOfShortData looks at every length of data that fits few blocks.
func TestSweepOfShortData(t *testing.T) {
	eachForm(t, func(t *testing.T) {
		for size := range 300 {
			data := bytes.Repeat([]byte{'='}, size)
			for i := range data {
				data[i] = "a%b_"[i&3]
			}
			ends := 0
			sweep(data, 0, size, true, func(h hit, i int) {
				if h == hitEscape {
					ends++
				}
				if i < 0 || i > size {
					t.Fatalf("%d bytes: place %d", size, i)
				}
			})
			if size >= minRun && ends != 1 {
				t.Fatalf("%d bytes: %d ends of a run", size, ends)
			}
		}
	})
}

// TestNamesInAnyCase compares the search for names with a plain one.
func TestNamesInAnyCase(t *testing.T) {
	eachForm(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for range 100000 {
			b := make([]byte, r.IntN(90))
			for i := range b {
				b[i] = "basetrusBASETRUS   xy"[r.IntN(21)]
			}
			lower := bytes.ToLower(b)
			if want := bytes.Contains(lower, []byte("baset")) || bytes.Contains(lower, []byte("truss")); nameStands(b) != want {
				t.Fatalf("%q: %v, want %v", b, !want, want)
			}
		}
	})
}
