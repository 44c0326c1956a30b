package pack

import (
	"bytes"
	"slices"
	"sort"
)

// A node is the number of an object. The objects of a group have consecutive numbers:
// those of a pack in the order of their offsets, loose ones in the order of their ids.
type node = uint32

// What forest.next holds in place of a node.
const (
	none = ^node(0)     // not a delta, or the end of a list
	lost = ^node(0) - 1 // a delta whose base is nowhere, or an entry that cannot be read
	// maxNodes keeps numbers apart from those.
	maxNodes = int(lost)
)

// A group is the objects of one place: a pack or a folder of loose objects. An
// object's rank is its number within the group.
type group struct {
	base  node // number of its first node
	n     int
	skip  bool    // searched in an earlier sweep
	done  []uint8 // early.state of the pack, in a sweep of the rest; else nil
	ids   *idTable
	pack  *packFile // nil: loose
	loose *looseDir
	offs  []uint64 // of a pack: where objects start, rising; and the end of the last
	pos   []uint32 // of a pack: their places in its index
}

// groups lists what the store holds, with the groups to skip first, so that what they
// hold is known to have been searched. A pack that cannot be listed is a Problem.
func (s *Store) groups(skip map[string]bool) []*group {
	var skipped, wanted []*group
	for _, p := range s.packs {
		g := &group{pack: p, ids: &p.idx.ids, skip: skip[p.path]}
		if err := guard(func() error { return g.sortOffsets(s) }); err != nil {
			s.problem(p.path, err)
			continue
		}
		if g.skip {
			skipped = append(skipped, g)
		} else {
			wanted = append(wanted, g)
		}
	}
	for _, dir := range s.dirs {
		d := listLoose(dir, s.hash, s.problem)
		if d.ids.n > 0 {
			wanted = append(wanted, &group{loose: d, ids: &d.ids, n: d.ids.n})
		}
	}
	return append(skipped, wanted...)
}

// sortOffsets fills n, offs and pos of a pack. An object whose offset cannot be right
// is a Problem, and not in the group.
func (g *group) sortOffsets(s *Store) error {
	p := g.pack
	if p.offs != nil {
		g.n, g.offs = len(p.offs)-1, p.offs
		return nil
	}
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

func (g *group) id(rank int) []byte {
	switch {
	case g.pack != nil && g.pack.offs != nil:
		return g.pack.id(rank)
	case g.pack != nil:
		rank = int(g.pos[rank])
	}
	return g.ids.at(rank)
}

// rank finds the object in g that starts at off.
func (g *group) rank(off uint64) (int, bool) {
	i := sort.Search(g.n, func(i int) bool { return g.offs[i] >= off })
	return i, i < g.n && g.offs[i] == off
}

// find gives the rank of an id in g.
func (g *group) find(id []byte) (int, bool) {
	if g.pack == nil {
		return g.ids.find(id, 0, g.n, 0)
	}
	i, ok := g.pack.idx.find(id)
	if !ok {
		return 0, false
	}
	return g.ranked(i)
}

// ranked gives the rank of the object at place i of the table of ids.
func (g *group) ranked(i int) (int, bool) {
	if g.pack == nil {
		return i, true
	}
	off, err := g.pack.idx.offset(i)
	if err != nil {
		return 0, false
	}
	return g.rank(off)
}

// joinCopies finds the objects that are in the groups more than once, by merging the
// sorted tables of ids, and notes for each further copy the node that stands for it:
// the first, by the order of groups.
func (f *forest) joinCopies() {
	if len(f.groups) == 0 {
		return
	}
	if p := f.groups[0].pack; len(f.groups) == 1 && (p == nil || p.offs != nil || p.idx.strict) {
		return
	}
	var m merge
	for i, g := range f.groups {
		if g.ids.n > 0 {
			m = append(m, cursor{g: g, order: i})
		}
	}
	for i := len(m)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	var last cursor
	standIn := none
	for len(m) > 0 {
		c := m[0]
		if last.g == nil || !bytes.Equal(c.id(), last.id()) {
			last, standIn = c, none
		} else {
			if standIn == none {
				standIn = last.node()
			}
			switch n := c.node(); {
			case standIn == none:
				standIn = n
			case n != none:
				if f.canon == nil {
					f.canon = slices.Repeat([]node{none}, len(f.next))
				}
				f.canon[n] = standIn
				f.copies++
			}
		}
		if m[0].i++; m[0].i == m[0].g.ids.n {
			m[0] = m[len(m)-1]
			m = m[:len(m)-1]
		}
		m.sink(0)
	}
}

// A merge is a heap of cursors, the smallest id on top, and of equal ids the one
// of the earliest group.
type merge []cursor

type cursor struct {
	g     *group
	order int
	i     int // in the table of ids
}

func (c *cursor) id() []byte { return c.g.ids.at(c.i) }

// node is the node of the object at the cursor, or none if it is not in the group.
func (c *cursor) node() node {
	r, ok := c.g.ranked(c.i)
	if !ok || c.g.pack != nil && int(c.g.pos[r]) != c.i {
		return none
	}
	return c.g.base + node(r)
}

func (m merge) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m); c++ {
			order := bytes.Compare(m[c].id(), m[least].id())
			if order < 0 || order == 0 && m[c].order < m[least].order {
				least = c
			}
		}
		if least == i {
			return
		}
		m[i], m[least] = m[least], m[i]
		i = least
	}
}
