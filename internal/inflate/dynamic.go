package inflate

// preOrder is the order in which the lengths of the code length code are sent (RFC 1951, section 3.2.7).
var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the code lengths of a dynamic block and builds its tables. A set without a code for the end of the
// block is refused at once, as zlib does it; the standard library reads on until it runs into an error.
func (s *stream) dynamic(d *Decoder) error {
	s.refill()
	if s.count < 14 {
		return ErrShort
	}
	nlit := int(s.take(5)) + 257
	ndist := int(s.take(5)) + 1
	npre := int(s.take(4)) + 4
	if nlit > maxLit || ndist > maxDist {
		return ErrCorrupt
	}
	b := &d.build
	if err := s.preCode(b, npre); err != nil {
		return err
	}
	if err := s.lengths(b, nlit+ndist); err != nil {
		return err
	}
	if b.lens[eobSymbol] == 0 {
		return ErrCorrupt
	}
	t := &d.dyn
	if !b.fill(t.lit[:], t.litSub[:], b.lens[:nlit], b.litProtos[:]) ||
		!b.fill(t.dist[:], t.distSub[:], b.lens[nlit:nlit+ndist], b.distProtos[:]) {
		return ErrCorrupt
	}
	return nil
}

// preCode reads the code length code into b.pre.
func (s *stream) preCode(b *builder, npre int) error {
	var lens [19]uint8
	for i := 0; i < npre; i++ {
		if s.count < 3 {
			if s.refill(); s.count < 3 {
				return ErrShort
			}
		}
		lens[preOrder[i]] = uint8(s.take(3))
	}
	if !b.fill(b.pre[:], nil, lens[:], b.preProtos[:]) {
		return ErrCorrupt
	}
	return nil
}

// lengths decodes n code lengths into b.lens.
func (s *stream) lengths(b *builder, n int) error {
	for i := 0; i < n; {
		s.refill()
		e := b.pre[s.bits&127]
		if s.count < uint64(e&63) {
			return ErrShort
		}
		if e&special != 0 {
			return ErrCorrupt
		}
		sym := uint8(e >> valueShift & 31)
		if sym < 16 {
			s.take(uint64(e & 63))
			b.lens[i] = sym
			i++
			continue
		}
		repeat := int(s.extra(e)) + 3
		var v uint8
		switch {
		case sym == 16 && i == 0:
			return ErrCorrupt
		case sym == 16:
			v = b.lens[i-1]
		case sym == 18:
			repeat += 8
		}
		if i+repeat > n {
			return ErrCorrupt
		}
		for end := i + repeat; i < end; i++ {
			b.lens[i] = v
		}
	}
	return nil
}
