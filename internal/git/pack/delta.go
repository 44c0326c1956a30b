package pack

// A delta is: the length of its base, the length of its result, and commands
// that copy from the base or insert bytes of their own (gitformat-pack, "Deltified
// representation").

// deltaSizes reads the two lengths and gives the commands that follow them.
func deltaSizes(d []byte) (base, result uint64, cmds []byte, err error) {
	base, d, err = sizeVarint(d)
	if err == nil {
		result, d, err = sizeVarint(d)
	}
	return base, result, d, err
}

func sizeVarint(d []byte) (v uint64, rest []byte, err error) {
	for i := 0; i < len(d); i++ {
		if i > 8 {
			return 0, nil, errEntrySize
		}
		v |= uint64(d[i]&0x7f) << (7 * i)
		if d[i]&0x80 == 0 {
			return v, d[i+1:], nil
		}
	}
	return 0, nil, errTruncated
}

// copyCommand reads the command at the start of d, which has its high bit set.
// It reports n = 0 if d ends too early.
func copyCommand(d []byte) (off, size uint64, n int) {
	if len(d) < 8 {
		var whole [8]byte
		copy(whole[:], d)
		if off, size, n = copyCommand(whole[:]); n > len(d) {
			return 0, 0, 0
		}
		return off, size, n
	}
	c := d[0]
	n = 1
	b := (*[8]byte)(d) // enough for every operand, so no test per byte
	for i := range 4 {
		if c&(1<<i) != 0 {
			off |= uint64(b[n&7]) << (8 * i)
			n++
		}
	}
	for i := range 3 {
		if c&(16<<i) != 0 {
			size |= uint64(b[n&7]) << (8 * i)
			n++
		}
	}
	if size == 0 {
		size = 0x10000
	}
	return off, size, n
}

// checkDelta runs over cmds without carrying them out. When it returns nil,
// applyDelta with a base of base bytes makes exactly result bytes.
func checkDelta(cmds []byte, base, result uint64) error {
	made := uint64(0)
	for len(cmds) > 0 {
		c := cmds[0]
		switch {
		case c&0x80 != 0:
			off, size, n := copyCommand(cmds)
			if n == 0 {
				return errTruncated
			}
			if off+size > base {
				return errDeltaCopy
			}
			made += size
			cmds = cmds[n:]
		case c == 0:
			return errDeltaCommand
		case len(cmds) <= int(c):
			return errTruncated
		default:
			made += uint64(c)
			cmds = cmds[1+int(c):]
		}
		if made > result {
			return errDeltaSize
		}
	}
	if made != result {
		return errDeltaSize
	}
	return nil
}

// applyDelta fills dst, of the length the delta declares, by commands that
// checkDelta has passed. It appends to fresh what of dst is not as it was in
// base, as Object.Fresh says.
func applyDelta(dst, base, cmds []byte, fresh []Span) []Span {
	// The result is treated as if both it and its base had one border before
	// the first byte and one after the last: copied is where in the base the last
	// copied run ended.
	at, copied := 0, 0
	for len(cmds) > 0 {
		c := cmds[0]
		if c&0x80 == 0 {
			at += copy(dst[at:], cmds[1:1+int(c)])
			fresh = grow(fresh, at-int(c), at)
			cmds = cmds[1+int(c):]
			copied = -1
			continue
		}
		off, size, n := copyCommand(cmds)
		cmds = cmds[n:]
		if copied >= 0 && copied != int(off) {
			fresh = append(fresh, Span{Start: at, End: at})
		}
		at += copy(dst[at:], base[off:off+size])
		copied = int(off + size)
	}
	if copied >= 0 && copied != len(base) {
		fresh = append(fresh, Span{Start: at, End: at})
	}
	return fresh
}

// grow adds [start, end) to spans, as part of the last one if they touch.
func grow(spans []Span, start, end int) []Span {
	if n := len(spans); n > 0 && spans[n-1].End == start && spans[n-1].Start < start {
		spans[n-1].End = end
		return spans
	}
	return append(spans, Span{Start: start, End: end})
}
