package inflate

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// A bitWriter writes DEFLATE streams that no compressor would.
type bitWriter struct {
	out []byte
	n   int
}

// put writes the low n bits of v, lowest first.
func (w *bitWriter) put(v, n int) {
	for i := range n {
		if w.n%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[w.n/8] |= byte(v >> i & 1 << (w.n % 8))
		w.n++
	}
}

// code writes the code of a symbol in the canonical code with these lengths.
func (w *bitWriter) code(lens []int, sym int) {
	v := 0
	for n := 1; n <= lens[sym]; n++ {
		v <<= 1
		for s, l := range lens {
			if l == n && (n < lens[sym] || s < sym) {
				v++
			}
		}
	}
	w.put(int(bits.Reverse16(uint16(v)))>>(16-lens[sym]), lens[sym])
}

// header begins a last block with dynamic codes, whose lengths are written with a code of 5 bits for each.
func (w *bitWriter) header(lit, dist []int) {
	pre := make([]int, 19)
	for i := range pre {
		pre[i] = 4
		if i >= 13 {
			pre[i] = 5
		}
	}
	w.put(1, 1)
	w.put(2, 2)
	w.put(len(lit)-257, 5)
	w.put(len(dist)-1, 5)
	w.put(19-4, 4)
	for _, s := range preOrder {
		w.put(pre[s], 3)
	}
	for _, l := range append(append([]int{}, lit...), dist...) {
		w.code(pre, l)
	}
}

// A codeSet is a block with these codes and symbols.
type codeSet struct {
	name      string
	lit, dist map[int]int // symbol to length
	symbols   []int       // literals and lengths; 1000+d is distance symbol d, -1 a bit of one
	valid     bool
}

func (c codeSet) stream() []byte {
	lens := func(m map[int]int, n int) []int {
		l := make([]int, n)
		for s, v := range m {
			l[s] = v
		}
		return l
	}
	lit, dist := lens(c.lit, 286), lens(c.dist, 30)
	var w bitWriter
	w.header(lit, dist)
	for _, s := range c.symbols {
		switch {
		case s >= 1000:
			w.code(dist, s-1000)
		case s < 0:
			w.put(1, 1)
		default:
			w.code(lit, s)
		}
	}
	return w.out
}

func codeSets() []codeSet {
	ab := map[int]int{'a': 2, 'b': 2, 256: 2, 257: 2}
	return []codeSet{
		{"complete", ab, map[int]int{0: 1, 1: 1}, []int{'a', 'b', 257, 1001, 256}, true},
		{"one distance of one bit", ab, map[int]int{0: 1}, []int{'a', 257, 1000, 256}, true},
		{"another distance of one bit", ab, map[int]int{1: 1}, []int{'a', 'b', 257, 1001, 256}, true},
		{"one distance of two bits", ab, map[int]int{0: 2}, []int{'a', 256}, false},
		{"no distances, none used", ab, nil, []int{'a', 'b', 256}, true},
		{"no distances, one used", ab, nil, []int{'a', 257, 256}, false},
		{"distances over-subscribed", ab, map[int]int{0: 1, 1: 1, 2: 1}, []int{'a', 256}, false},
		{"distances incomplete", ab, map[int]int{0: 2, 1: 2, 2: 2}, []int{'a', 256}, false},
		{"distance before the start", ab, map[int]int{0: 1, 1: 1}, []int{'a', 257, 1001, 256}, false},
		{"only an end", map[int]int{256: 1}, nil, []int{256}, true},
		{"only an end, of two bits", map[int]int{256: 2}, nil, []int{256}, false},
		{"no end", map[int]int{'a': 1, 'b': 1}, nil, []int{'a', 'b'}, false},
		{"no end, but a symbol above", map[int]int{'a': 1, 257: 1}, nil, []int{'a'}, false},
		{"nothing", nil, nil, nil, false},
		{"literals over-subscribed", map[int]int{'a': 1, 'b': 1, 256: 1}, nil, []int{'a', 256}, false},
		{"literals incomplete", map[int]int{'a': 2, 'b': 2, 256: 2}, nil, []int{'a', 256}, false},
		{"the other code of one", map[int]int{256: 1}, map[int]int{0: 1}, []int{-1}, false},
	}
}

func TestCodeSets(t *testing.T) {
	var d Decoder
	for _, c := range codeSets() {
		for _, padding := range []int{0, 40} {
			src := append(c.stream(), bytes.Repeat([]byte{0xff}, padding)...)
			if err := agreeRaw(t, &d, src); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if _, _, err := d.Raw(make([]byte, 1000), src); (err == nil) != c.valid {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// randomLengths returns the lengths of a complete code with n symbols of at most 15 bits, in random order. It splits
// random codes in two until there are enough; deep makes it prefer the longest.
func randomLengths(rng *rand.Rand, n int, deep bool) []int {
	lens := []int{1, 1}
	for len(lens) < n {
		i := rng.IntN(len(lens))
		for range 3 {
			if j := rng.IntN(len(lens)); deep && lens[j] < maxCode && lens[j] > lens[i] {
				i = j
			}
		}
		if lens[i] < maxCode {
			lens[i]++
			lens = append(lens, lens[i])
		}
	}
	rng.Shuffle(n, func(i, j int) { lens[i], lens[j] = lens[j], lens[i] })
	return lens
}

// lengthOf returns the shortest length of a symbol and how many extra bits it has: RFC 1951, section 3.2.5.
func lengthOf(sym int) (base, extra int) {
	bases := []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	extras := []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	return bases[sym-257], extras[sym-257]
}

// distanceOf is lengthOf for distances, up to 32768.
func distanceOf(sym int) (base, extra int) {
	bases := []int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
		4097, 6145, 8193, 12289, 16385, 24577}
	return bases[sym], max(0, sym/2-1)
}

// TestRandomCodes decodes every symbol of many codes, most of which need subtables.
func TestRandomCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var d Decoder
	for round := range 60 {
		lit, dist := randomLengths(rng, maxLit, round%2 == 0), randomLengths(rng, maxDist, round%3 == 0)
		var w bitWriter
		w.header(lit, dist)
		var want []byte
		for _, i := range rng.Perm(2 * 256) {
			w.code(lit, i%256)
			want = append(want, byte(i))
		}
		for range 300 {
			length, distance := 257+rng.IntN(29), rng.IntN(18)
			l, x := lengthOf(length)
			w.code(lit, length)
			extra := rng.IntN(1 << x)
			w.put(extra, x)
			l += extra
			b, x := distanceOf(distance)
			w.code(dist, distance)
			extra = rng.IntN(1 << x)
			w.put(extra, x)
			for range l {
				want = append(want, want[len(want)-b-extra])
			}
			w.code(lit, int(byte(length)))
			want = append(want, byte(length))
		}
		w.code(lit, 256)
		got, consumed, err := decode(t, d.Raw, len(want), w.out)
		if err != nil || consumed != len(w.out) || !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d of %d bytes, %v", round, len(got), len(want), err)
		}
		if err := agreeRaw(t, &d, w.out); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// fixedCodes are the lengths of the codes of a fixed block.
func fixedCodes() (lit, dist []int) {
	lit = append(lit, repeat(8, 144)...)
	lit = append(lit, repeat(9, 112)...)
	lit = append(lit, repeat(7, 24)...)
	lit = append(lit, repeat(8, 8)...)
	return lit, repeat(5, numDist)
}

func repeat(v, n int) (l []int) {
	for range n {
		l = append(l, v)
	}
	return l
}

// putMatch writes a match with fixed codes.
func (w *bitWriter) putMatch(lit, dist []int, length, distance int) {
	for sym := 285; ; sym-- {
		if base, extra := lengthOf(sym); base <= length {
			w.code(lit, sym)
			w.put(length-base, extra)
			break
		}
	}
	for sym := 29; ; sym-- {
		if base, extra := distanceOf(sym); base <= distance {
			w.code(dist, sym)
			w.put(distance-base, extra)
			return
		}
	}
}

// TestMatches decodes a match of every length and distance near the limits of the ways to copy, with room after it and
// at the very end of the output.
func TestMatches(t *testing.T) {
	var d Decoder
	lit, dist := fixedCodes()
	for distance := 1; distance <= 64; distance++ {
		for length := 3; length <= 258; length++ {
			if length > 70 && (length+distance)%13 != 0 && length < 256 {
				continue
			}
			var w bitWriter
			var want []byte
			w.put(1, 1)
			w.put(1, 2)
			for i := range distance + 1 {
				w.code(lit, 33+i*7%200)
				want = append(want, byte(33+i*7%200))
			}
			w.putMatch(lit, dist, length, distance)
			for range length {
				want = append(want, want[len(want)-distance])
			}
			w.code(lit, 256)
			w.put(0, 7)
			for _, room := range []int{0, 1, 7, 8, 15, 16, 31, 32, 40} {
				src := append(bytes.Clone(w.out), make([]byte, room)...) // room at both ends
				got, _, err := decode(t, d.Raw, len(want)+room, src)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("length %d, distance %d, room %d: %d bytes, %v", length, distance, room, len(got), err)
				}
			}
		}
	}
}

// TestFarMatch reaches as far back as a stream can, and one byte too far.
func TestFarMatch(t *testing.T) {
	lit, dist := fixedCodes()
	for _, c := range []struct {
		have int
		want error
	}{{32768, nil}, {32767, ErrCorrupt}} {
		var w bitWriter
		w.put(0, 3)
		w.put(0, 5)
		w.put(c.have, 16)
		w.put(^c.have, 16)
		for i := range c.have {
			w.put(i*i>>3, 8)
		}
		w.put(1, 1)
		w.put(1, 2)
		w.putMatch(lit, dist, 258, 32768)
		w.code(lit, 256)
		w.put(0, 7)
		var d Decoder
		dst := make([]byte, c.have+258)
		n, _, err := d.Raw(dst, append(w.out, make([]byte, 30)...))
		if err != c.want || err == nil && (n != len(dst) || !bytes.Equal(dst[c.have:], dst[:258])) {
			t.Errorf("%d bytes back from %d: %d bytes, %v", 32768, c.have, n, err)
		}
	}
}
