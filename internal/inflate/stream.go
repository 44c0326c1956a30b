package inflate

import "encoding/binary"

// A stream is the state of one decoding: where it stands in both buffers, and the bits read ahead.
type stream struct {
	src, dst []byte
	sp, dp   int
	// bits holds bits that were read from src and not used, the next one lowest. count says how many; bits above
	// that are either zero or those that the next refill brings, so that a refill may set them again.
	bits  uint64
	count uint64
}

// refill makes 56 bits or more available, unless src ends before.
func (s *stream) refill() {
	if s.sp+8 <= len(s.src) {
		s.bits |= binary.LittleEndian.Uint64(s.src[s.sp:]) << (s.count & 63)
		s.sp += int(7 - s.count>>3)
		s.count |= 56
		return
	}
	for s.count < 56 && s.sp < len(s.src) {
		s.bits |= uint64(s.src[s.sp]) << (s.count & 63)
		s.sp++
		s.count += 8
	}
}

// take removes n bits, which must be available and fewer than 57.
func (s *stream) take(n uint64) uint64 {
	v := s.bits & (1<<(n&63) - 1)
	s.bits >>= n & 63
	s.count -= n
	return v
}

// unread drops the bits up to the next byte of src and gives whole bytes back.
func (s *stream) unread() {
	s.sp -= int(s.count >> 3)
	s.bits, s.count = 0, 0
}

// block decodes one block and says whether it was the last.
func (s *stream) block(d *Decoder) (last bool, err error) {
	s.refill()
	if s.count < 3 {
		return false, ErrShort
	}
	last = s.take(1) == 1
	switch s.take(2) {
	case 0:
		return last, s.stored()
	case 1:
		return last, s.huffman(&d.fixed)
	case 2:
		if err := s.dynamic(d); err != nil {
			return false, err
		}
		return last, s.huffman(&d.dyn)
	}
	return false, ErrCorrupt
}

// stored copies a block that was not compressed.
func (s *stream) stored() error {
	s.unread()
	if len(s.src)-s.sp < 4 {
		return ErrShort
	}
	size := binary.LittleEndian.Uint16(s.src[s.sp:])
	if size != ^binary.LittleEndian.Uint16(s.src[s.sp+2:]) {
		return ErrCorrupt
	}
	s.sp += 4
	n := copy(s.dst[s.dp:], s.src[s.sp:min(len(s.src), s.sp+int(size))])
	s.sp += n
	s.dp += n
	switch {
	case n == int(size):
		return nil
	case s.dp == len(s.dst):
		return ErrLong
	}
	return ErrShort
}

// huffman decodes the symbols of a block up to its end: quickly as long as there is room at both ends, and then, for
// what is left, symbol by symbol.
func (s *stream) huffman(t *tables) error {
	done, err := s.fast(t)
	if done || err != nil {
		return err
	}
	return s.careful(t)
}

// careful decodes symbols with every check made. It finishes what fast had no room for.
func (s *stream) careful(t *tables) error {
	for {
		s.refill()
		e, err := s.symbol(t.lit[:], t.litSub[:])
		if err != nil {
			return err
		}
		if e&literal != 0 {
			if s.dp == len(s.dst) {
				return ErrLong
			}
			s.dst[s.dp] = byte(e >> valueShift)
			s.dp++
			s.take(uint64(e & 63))
			continue
		}
		if e&special != 0 {
			s.take(uint64(e & 63))
			if e>>valueShift != endOfBlock {
				return ErrCorrupt
			}
			return nil
		}
		length := e>>valueShift&lengthMask + s.extra(e)
		s.refill()
		if e, err = s.symbol(t.dist[:], t.distSub[:]); err != nil {
			return err
		}
		if e&special != 0 {
			return ErrCorrupt
		}
		if err := s.match(int(length), int(e>>valueShift+s.extra(e))); err != nil {
			return err
		}
	}
}

// symbol looks up the next symbol. Its bits are still to be taken, except those of the main table if it sits in a
// subtable.
func (s *stream) symbol(table, sub []uint32) (uint32, error) {
	e := table[s.bits&uint64(len(table)-1)]
	if e&subtable != 0 {
		if s.count < uint64(e&63) {
			return 0, ErrShort
		}
		s.take(uint64(e & 63))
		e = sub[uint64(e>>valueShift)+s.bits&(1<<(e>>codeShift&63)-1)]
	}
	if s.count < uint64(e&63) {
		return 0, ErrShort
	}
	return e, nil
}

// extra takes the bits of a length or distance symbol and returns the value of those that follow its code.
func (s *stream) extra(e uint32) uint32 {
	return uint32(s.take(uint64(e&63)) >> (e >> codeShift & 63))
}

// match copies length bytes from dist bytes back, which may overlap what is written.
func (s *stream) match(length, dist int) error {
	from, end := s.dp-dist, s.dp+length
	if from < 0 {
		return ErrCorrupt
	}
	if end+copyMargin <= len(s.dst) {
		if dist >= 8 {
			for dp := s.dp; dp < end; dp, from = dp+8, from+8 {
				*(*[8]byte)(s.dst[dp:]) = *(*[8]byte)(s.dst[from:])
			}
		} else {
			fillPattern(s.dst, s.dp, dist, end)
		}
		s.dp = end
		return nil
	}
	for n := min(length, len(s.dst)-s.dp); n > 0; {
		c := copy(s.dst[s.dp:s.dp+n], s.dst[s.dp-dist:s.dp])
		s.dp += c
		n -= c
	}
	if s.dp < end {
		return ErrLong
	}
	return nil
}
