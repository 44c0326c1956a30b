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
	var n [2]counts
	codes, err := s.lengths(b, nlit, ndist, &n)
	if err != nil {
		return err
	}
	t, split := &d.dyn, codes
	for split > 0 && int(b.coded[split-1]&codedMask) >= nlit {
		split--
		b.coded[split] -= coded(nlit)
	}
	eob := split - 1
	for eob >= 0 && b.coded[eob]&codedMask > eobSymbol {
		eob--
	}
	if eob < 0 || b.coded[eob]&codedMask != eobSymbol {
		return ErrCorrupt
	}
	if !b.fill(t.lit[:], t.litSub[:], b.coded[:split], &n[0], b.protos[:]) ||
		!b.fill(t.dist[:], t.distSub[:], b.coded[split:codes], &n[1], b.dProtos[:]) {
		return ErrCorrupt
	}
	return nil
}

// preCode reads the code length code into b.pre.
func (s *stream) preCode(b *builder, npre int) error {
	var sizes [19]uint8
	for i := 0; i < npre; i++ {
		if s.count < 3 {
			if s.refill(); s.count < 3 {
				return ErrShort
			}
		}
		sizes[preOrder[i]] = uint8(s.take(3))
	}
	var n counts
	codes := 0
	for sym, size := range sizes {
		b.coded[codes] = coded(sym | int(size)<<codedShift)
		n[size&7]++
		if size != 0 {
			codes++
		}
	}
	// A code with one symbol or none cannot describe a valid block, so that zlib refuses it too.
	if codes < 2 || !b.fill(b.pre[:], nil, b.coded[:codes], &n, b.pProtos[:]) {
		return ErrCorrupt
	}
	return nil
}

// lengths decodes the code lengths of a block. It lists the symbols that have a code in b.coded, distances after
// literals and
// lengths, counts the codes of each length, and returns how many are listed.
func (s *stream) lengths(b *builder, nlit, ndist int, n *[2]counts) (codes int, err error) {
	bits, count := s.bits, s.count
	last := 0
	total := nlit + ndist
	for i := 0; i < total; {
		if count < preTableBits+7 {
			s.bits, s.count = bits, count
			s.refill()
			bits, count = s.bits, s.count
		}
		e := b.pre[bits&(1<<preTableBits-1)]
		if count < uint64(e&63) {
			return 0, ErrShort
		}
		rest := bits >> (e >> codeShift & 63)
		bits >>= e & 63
		count -= uint64(e & 63)
		sym := int(e >> valueShift & 31)
		if sym <= maxCode {
			last = sym
			b.coded[codes] = coded(i | sym<<codedShift)
			codes += (sym + maxCode) >> 4
			n[uint(nlit-1-i)>>63][sym]++
			i++
			continue
		}
		repeat := 3 + int(rest&3)
		if sym > 16 {
			last = 0
			if repeat = 3 + int(rest&7); sym == 18 {
				repeat = 11 + int(rest&127)
			}
		} else if i == 0 {
			return 0, ErrCorrupt
		}
		if repeat > total-i {
			return 0, ErrCorrupt
		}
		if last == 0 {
			i += repeat
			continue
		}
		for end := i + repeat; i < end; i++ {
			b.coded[codes] = coded(i | last<<codedShift)
			codes++
			n[uint(nlit-1-i)>>63][last]++
		}
	}
	s.bits, s.count = bits, count
	return codes, nil
}
