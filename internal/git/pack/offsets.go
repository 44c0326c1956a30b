package pack

// sortOffsets fills offs and pos: the objects of a pack in the order in which
// they lie there. An object whose offset cannot be right is a Problem, and left
// out.
func (g *group) sortOffsets(s *Store) error {
	p := g.pack
	end := uint64(len(p.data))
	offs := make([]uint64, 0, p.idx.ids.n+1)
	pos := make([]uint32, 0, p.idx.ids.n)
	for i := range p.idx.ids.n {
		off, err := p.idx.offset(i)
		if err == nil && (off < packHeaderBytes || off >= end) {
			err = errIndexOffset
		}
		if err != nil {
			s.opts.Problem(Problem{IDFromBytes(p.idx.ids.at(i)), p.path, int64(off), err})
			continue
		}
		offs, pos = append(offs, off), append(pos, uint32(i))
	}
	offs, pos = radixSort(offs, pos, end)
	n := 0
	for i, off := range offs {
		if n > 0 && offs[n-1] == off {
			s.opts.Problem(Problem{IDFromBytes(p.idx.ids.at(int(pos[i]))), p.path, int64(off), errIndexTwice})
			continue
		}
		offs[n], pos[n] = off, pos[i]
		n++
	}
	g.n, g.offs, g.pos = n, append(offs[:n], end), pos[:n]
	return nil
}

// radixSort sorts keys, all below limit, and carries vals along: several times
// faster than comparing, and a sweep waits for it.
func radixSort(keys []uint64, vals []uint32, limit uint64) ([]uint64, []uint32) {
	const bits = 11
	keys2, vals2 := make([]uint64, len(keys), len(keys)+1), make([]uint32, len(vals))
	for shift := 0; limit>>shift != 0; shift += bits {
		var at [1 << bits]int
		for _, k := range keys {
			at[k>>shift&(1<<bits-1)]++
		}
		sum := 0
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for i, k := range keys {
			d := k >> shift & (1<<bits - 1)
			keys2[at[d]], vals2[at[d]] = k, vals[i]
			at[d]++
		}
		keys, keys2, vals, vals2 = keys2, keys, vals2, vals
	}
	return keys, vals
}
