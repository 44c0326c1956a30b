package inflate

import "encoding/binary"

const (
	adlerMod = 65521
	// adlerBlock is how many bytes adler32 adds up before a 16-bit lane could overflow: after n words a lane of sums
	// holds at most 255*n*(n-1)/2.
	adlerBlock = 22 * 8
	// adlerRound is how many bytes it takes before it reduces its sums; with 64 bits there is no hurry.
	adlerRound = 1 << 20
	adlerLanes = 0x00ff00ff00ff00ff
)

// adler32 computes the checksum of RFC 1950. It adds eight bytes at a time, in lanes of 16 bits, for which the sum of
// sums is put together from the number of words that follow each byte and its place within the word.
func adler32(p []byte) uint32 {
	a, b := uint64(1), uint64(0)
	for len(p) > 0 {
		round := p[:min(len(p), adlerRound)]
		p = p[len(round):]
		for len(round) >= adlerBlock {
			a, b = addBlock(a, b, (*[adlerBlock]byte)(round))
			round = round[adlerBlock:]
		}
		a, b = addRest(a, b, round)
		a %= adlerMod
		b %= adlerMod
	}
	return uint32(b<<16 | a)
}

func addBlock(a, b uint64, p *[adlerBlock]byte) (uint64, uint64) {
	var even, odd, evens, odds uint64
	for i := 0; i < adlerBlock; i += 16 {
		w := binary.LittleEndian.Uint64(p[i : i+8])
		evens += even
		odds += odd
		even += w & adlerLanes
		odd += w >> 8 & adlerLanes
		w = binary.LittleEndian.Uint64(p[i+8 : i+16])
		evens += even
		odds += odd
		even += w & adlerLanes
		odd += w >> 8 & adlerLanes
	}
	return finish(a, b, adlerBlock, even, odd, evens, odds)
}

// addRest is addBlock for what is less than a block.
func addRest(a, b uint64, p []byte) (uint64, uint64) {
	var even, odd, evens, odds uint64
	size := uint64(len(p) &^ 7)
	for ; len(p) >= 8; p = p[8:] {
		w := binary.LittleEndian.Uint64(p)
		evens += even
		odds += odd
		even += w & adlerLanes
		odd += w >> 8 & adlerLanes
	}
	a, b = finish(a, b, size, even, odd, evens, odds)
	for _, c := range p {
		a += uint64(c)
		b += a
	}
	return a, b
}

// finish adds to a and b what size bytes, added up in lanes, make of them.
func finish(a, b, size, even, odd, evens, odds uint64) (uint64, uint64) {
	b += a*size + 8*(addLanes(evens)+addLanes(odds)) + weigh(even, 8) + weigh(odd, 7)
	return a + addLanes(even) + addLanes(odd), b
}

// addLanes adds the four 16-bit lanes of v.
func addLanes(v uint64) uint64 {
	v = v&0x0000ffff0000ffff + v>>16&0x0000ffff0000ffff
	return v&0xffffffff + v>>32
}

// weigh adds the four 16-bit lanes of v, the first one times w and each other one times two less.
func weigh(v, w uint64) uint64 {
	return v&0xffff*w + v>>16&0xffff*(w-2) + v>>32&0xffff*(w-4) + v>>48*(w-6)
}
