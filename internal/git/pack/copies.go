package pack

import (
	"bytes"
)

func (f *forest) isCopy(n node) bool { return f.canon != nil && f.canon[n] != none }

// standIn is the node that stands for n.
func (f *forest) standIn(n node) node {
	if f.isCopy(n) {
		return f.canon[n]
	}
	return n
}

// joinCopies finds the objects that are in more than one group, by merging the
// groups' sorted tables of ids.
func (f *forest) joinCopies() {
	if len(f.groups) == 0 || len(f.groups) == 1 && f.groups[0].strict() {
		return
	}
	m := newMerge(f.groups)
	var last cursor
	stands := none
	for ; len(m.heap) > 0; m.advance() {
		c := m.heap[0]
		if last.g == nil || !bytes.Equal(c.id(), last.id()) {
			last, stands = c, none
			continue
		}
		if stands == none {
			stands = last.node()
		}
		switch n := c.node(); {
		case stands == none:
			stands = n
		case n != none:
			f.setCopy(n, stands)
		}
	}
}

func (g *group) strict() bool { return g.pack == nil || g.pack.idx.strict }

func (f *forest) setCopy(n, of node) {
	if f.canon == nil {
		f.canon = make([]node, len(f.next))
		for i := range f.canon {
			f.canon[i] = none
		}
	}
	f.canon[n] = of
	f.copies++
}

// A merge is a heap of cursors, the smallest id on top, and of equal ids the one
// of the earliest group.
type merge struct{ heap []cursor }

type cursor struct {
	g     *group
	order int
	i     int // in the table of ids
}

func (c *cursor) id() []byte { return c.g.ids.at(c.i) }

// node is the node of the object at the cursor, or none if it was left out.
func (c *cursor) node() node {
	if c.g.pack == nil {
		return c.g.base + node(c.i)
	}
	off, err := c.g.pack.idx.offset(c.i)
	if err != nil {
		return none
	}
	if r, ok := c.g.rank(off); ok && int(c.g.pos[r]) == c.i {
		return c.g.base + node(r)
	}
	return none
}

func newMerge(groups []*group) *merge {
	m := &merge{}
	for i, g := range groups {
		if g.ids.n > 0 {
			m.heap = append(m.heap, cursor{g: g, order: i})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m
}

func (m *merge) less(i, j int) bool {
	a, b := &m.heap[i], &m.heap[j]
	if c := bytes.Compare(a.id(), b.id()); c != 0 {
		return c < 0
	}
	return a.order < b.order
}

func (m *merge) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heap); c++ {
			if m.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// advance moves the top cursor on.
func (m *merge) advance() {
	top := &m.heap[0]
	if top.i++; top.i == top.g.ids.n {
		last := len(m.heap) - 1
		m.heap[0] = m.heap[last]
		m.heap = m.heap[:last]
	}
	m.sink(0)
}
