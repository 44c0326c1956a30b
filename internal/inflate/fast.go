package inflate

import "encoding/binary"

const (
	srcMargin  = 16 // what the two refills of a turn of the fast loop may read
	dstMargin  = 3  // the literals that it may write
	copyMargin = 32 // how far the copy of a match may write past its end
)

// fast decodes the symbols of a block while src and dst have room for a whole turn of the loop without checks. It says
// whether it came to the end of the block.
//
// A refill brings at least 56 bits. With them a turn takes at most two literals of the main table and then a literal
// (10+10+15) or a length (10+10+15+5); a third literal of the main table ends the turn. The distance that follows
// takes at most 15+13. Every way leaves the litTableBits with which the next symbol is looked up before the next refill,
// which keeps the refill out of the chain of dependent steps. Of count, only the low six bits are valid within the
// loop: so the whole entry can be subtracted.
//
// The two checks at the head of the loop, and the one before a match is copied, make the bounds that the compiler checks
// hold for any input.
func (s *stream) fast(t *tables) (done bool, err error) {
	s.refill()
	src, dst := s.src, s.dst
	sp, dp, bits, count := s.sp, s.dp, s.bits, s.count
	e := t.lit[bits&litIndex]
	for sp+srcMargin <= len(src) && dp+dstMargin <= len(dst) {
		bits |= binary.LittleEndian.Uint64(src[sp:sp+8:sp+8]) << (count & 63)
		sp += int(7 - count>>3&7)
		count |= 56
		if e&literal != 0 {
			bits >>= e & 63
			count -= uint64(e)
			dst[dp] = byte(e >> valueShift)
			dp++
			e = t.lit[bits&litIndex]
			if e&literal != 0 {
				bits >>= e & 63
				count -= uint64(e)
				dst[dp] = byte(e >> valueShift)
				dp++
				e = t.lit[bits&litIndex]
				if e&literal != 0 {
					bits >>= e & 63
					count -= uint64(e)
					dst[dp] = byte(e >> valueShift)
					dp++
					e = t.lit[bits&litIndex]
					continue
				}
			}
		}
		if e&special != 0 {
			if e&subtable != 0 {
				bits >>= litTableBits
				count -= litTableBits
				e = t.litSub[uint64(e>>valueShift)+bits&(1<<(e>>codeShift&63)-1)]
			}
			if e&literal != 0 {
				bits >>= e & 63
				count -= uint64(e)
				dst[dp] = byte(e >> valueShift)
				dp, e = dp+1, t.lit[bits&litIndex]
				continue
			}
			if e&special != 0 {
				s.sp, s.dp, s.bits, s.count = sp, dp, bits>>(e&63), (count-uint64(e))&63
				if e>>valueShift != endOfBlock {
					return false, ErrCorrupt
				}
				return true, nil
			}
		}
		length := int(e>>valueShift&lengthMask) + int(bits>>(e>>codeShift&63)&uint64(e>>maskShift))
		bits >>= e & 63
		count -= uint64(e)

		if count&63 < 15+13+litTableBits {
			bits |= binary.LittleEndian.Uint64(src[sp:sp+8:sp+8]) << (count & 63)
			sp += int(7 - count>>3&7)
			count |= 56
		}
		e = t.dist[bits&distIndex]
		if e&special != 0 {
			if e&subtable == 0 {
				s.dp = dp
				return false, ErrCorrupt
			}
			bits >>= distTableBits
			count -= distTableBits
			e = t.distSub[uint64(e>>valueShift)+bits&(1<<(e>>codeShift&63)-1)]
		}
		dist := int(e>>valueShift) + int(bits&(1<<(e&63)-1)>>(e>>codeShift&63))
		bits >>= e & 63
		count -= uint64(e)
		e = t.lit[bits&litIndex]
		from, end := dp-dist, dp+length
		if dist < 16 || from < 0 || end+copyMargin > len(dst) {
			s.dp = dp
			if err := s.match(length, dist); err != nil {
				return false, err
			}
			dp = end
			continue
		}
		*(*[16]byte)(dst[dp : dp+16 : dp+16]) = *(*[16]byte)(dst[from : from+16 : from+16])
		*(*[16]byte)(dst[dp+16 : dp+32 : dp+32]) = *(*[16]byte)(dst[from+16 : from+32 : from+32])
		for ; length > 32; length -= 16 {
			from, dp = from+16, dp+16
			*(*[16]byte)(dst[dp+16 : dp+32 : dp+32]) = *(*[16]byte)(dst[from+16 : from+32 : from+32])
		}
		dp = end
	}
	s.sp, s.dp, s.bits, s.count = sp, dp, bits, count&63
	return false, nil
}

// fillPattern repeats the dist bytes before dp, fewer than 8 of them, up to end.
func fillPattern(dst []byte, dp, dist, end int) {
	width := uint(dist) * 8
	v := binary.LittleEndian.Uint64(dst[dp-dist:]) & (1<<width - 1)
	v |= v << width
	v |= v << (2 * width)
	v |= v << (4 * width)
	step := 8 - 8%dist
	for ; dp < end; dp += step {
		binary.LittleEndian.PutUint64(dst[dp:], v)
	}
}
