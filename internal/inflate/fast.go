package inflate

import "encoding/binary"

// fast decodes the symbols of a block while src and dst have room for a whole turn of the loop without checks. It says
// whether it came to the end of the block.
func (s *stream) fast(t *tables) (done bool, err error) {
	const (
		srcMargin = 16 // two refills
		dstMargin = 3  // literals
	)
	src, dst := s.src, s.dst
	sp, dp, bits, count := s.sp, s.dp, s.bits, s.count
	litMask, distMask := uint64(1)<<t.litBits-1, uint64(1)<<t.distBits-1
	for sp+srcMargin <= len(src) && dp+dstMargin <= len(dst) {
		bits |= binary.LittleEndian.Uint64(src[sp:]) << (count & 63)
		sp += int(7 - count>>3&7)
		count |= 56
		e := t.lit[bits&litMask]
		if e&literal != 0 {
			bits >>= e & 63
			count -= uint64(e)
			dst[dp] = byte(e >> valueShift)
			dp++
			e = t.lit[bits&litMask]
			if e&literal != 0 {
				bits >>= e & 63
				count -= uint64(e)
				dst[dp] = byte(e >> valueShift)
				dp++
				e = t.lit[bits&litMask]
				if e&literal != 0 {
					bits >>= e & 63
					count -= uint64(e)
					dst[dp] = byte(e >> valueShift)
					dp++
					continue
				}
			}
		}
		if e&special != 0 {
			if e&subtable != 0 {
				bits >>= e & 63
				count -= uint64(e)
				e = t.lit[uint64(e>>valueShift)+bits&(1<<(e>>codeShift&63)-1)]
			}
			if e&literal != 0 {
				bits >>= e & 63
				count -= uint64(e)
				dst[dp] = byte(e >> valueShift)
				dp++
				continue
			}
			if e&special != 0 {
				bits >>= e & 63
				count -= uint64(e)
				s.sp, s.dp, s.bits, s.count = sp, dp, bits, count&63
				if e>>valueShift != endOfBlock {
					return false, ErrCorrupt
				}
				return true, nil
			}
		}
		length := int(e>>valueShift&lengthMask) + int(bits&(1<<(e&63)-1)>>(e>>codeShift&63))
		bits >>= e & 63
		count -= uint64(e)

		bits |= binary.LittleEndian.Uint64(src[sp:]) << (count & 63)
		sp += int(7 - count>>3&7)
		count |= 56
		e = t.dist[bits&distMask]
		if e&special != 0 {
			bits >>= e & 63
			count -= uint64(e)
			if e&subtable != 0 {
				e = t.dist[uint64(e>>valueShift)+bits&(1<<(e>>codeShift&63)-1)]
			}
			if e&special != 0 {
				s.dp = dp
				return false, ErrCorrupt
			}
		}
		dist := int(e>>valueShift) + int(bits&(1<<(e&63)-1)>>(e>>codeShift&63))
		bits >>= e & 63
		count -= uint64(e)
		if dist > dp {
			s.dp = dp
			return false, ErrCorrupt
		}
		if dp+length+copyMargin > len(dst) {
			s.dp = dp
			if err := s.match(length, dist); err != nil {
				return false, err
			}
		} else {
			copyWide(dst, dp, dp-dist, dp+length)
		}
		dp += length
	}
	s.sp, s.dp, s.bits, s.count = sp, dp, bits, count&63
	return false, nil
}

// copyMargin is how far copyWide may write past the end of what it copies.
const copyMargin = 16

// copyWide copies from dst[from:] to dst[dp:end], in steps.
func copyWide(dst []byte, dp, from, end int) {
	switch dist := dp - from; {
	case dist >= 16:
		for {
			*(*[16]byte)(dst[dp:]) = *(*[16]byte)(dst[from:])
			dp += 16
			from += 16
			if dp >= end {
				return
			}
		}
	case dist >= 8:
		for ; dp < end; dp, from = dp+8, from+8 {
			binary.LittleEndian.PutUint64(dst[dp:], binary.LittleEndian.Uint64(dst[from:]))
		}
	default:
		fillPattern(dst, dp, dist, end)
	}
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
