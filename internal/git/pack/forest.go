package pack

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// A forest holds every object of a store and which is a delta of which; doc.go draws
// one. Objects that the store has twice are in it once: the first copy, by the order
// of groups, stands for the others, and takes over the deltas made for them.
//
// A delta's base is in the delta's own pack, so it, or the copy that stands for
// it, is in the same group or an earlier one. So joining copies makes no cycles
// that the packs did not have.
type forest struct {
	groups []*group
	canon  []node // the node that stands for a copy, else none; nil: no copies

	// The tree: children of n are first[n], next[first[n]] and so on. While the
	// forest grows next[n] is the base of n.
	first, next []node
	// kind is the Kind that the chain leads to, as far as it is known.
	kind []Kind
	// weight is the sum of compressed bytes in n and what is made from n, without
	// groups to be skipped: 0 means there is nothing wanted under n.
	weight []uint32

	copies  int    // nodes that another one stands for
	forward int    // deltas that come before their base
	roots   []node // what is not a delta, in order
	heads   []node // deltas whose base is nowhere, and entries that cannot be read
	cyclic  []node // deltas that no base leads to
}

// forest builds the forest of the store.
func (s *Store) forest(ctx context.Context, opts SweepOptions) (*forest, error) {
	skip := make(map[string]bool, len(opts.SkipPacks))
	for _, p := range opts.SkipPacks {
		skip[p] = true
	}
	f, jobs := &forest{groups: s.groups(skip)}, opts.Jobs
	total := 0
	for _, g := range f.groups {
		if opts.Rest && g.pack != nil && g.pack.early != nil {
			g.done = g.pack.early.state
		}
		if total+g.n > maxNodes {
			return nil, errTooMany
		}
		g.base = node(total)
		total += g.n
	}
	f.first, f.next = slices.Repeat([]node{none}, total), make([]node, total)
	f.kind, f.weight = make([]Kind, total), make([]uint32, total)
	if err := guard(func() error { f.joinCopies(); return nil }); err != nil {
		return nil, err
	}
	if err := f.readHeaders(ctx, jobs); err != nil {
		return nil, err
	}
	f.link()
	if f.forward > 0 {
		f.followForward()
	}
	return f, ctx.Err()
}

func (f *forest) isCopy(n node) bool { return f.canon != nil && f.canon[n] != none }

// standIn is the node that stands for n.
func (f *forest) standIn(n node) node {
	if f.isCopy(n) {
		return f.canon[n]
	}
	return n
}

// at gives the group of n and its rank there.
func (f *forest) at(n node) (*group, int) {
	i := sort.Search(len(f.groups), func(i int) bool { return f.groups[i].base > n }) - 1
	return f.groups[i], int(n - f.groups[i].base)
}

// readHeaders fills kind, weight (of the node alone) and next (the base), in runs of
// nodes that goroutines take by turns.
func (f *forest) readHeaders(ctx context.Context, jobs int) error {
	const step = 1 << 14
	type run struct {
		g      *group
		lo, hi int
	}
	var runs []run
	for _, g := range f.groups {
		for lo := 0; lo < g.n; lo += step {
			runs = append(runs, run{g, lo, min(lo+step, g.n)})
		}
	}
	work := make(chan run, len(runs))
	for _, r := range runs {
		work <- r
	}
	close(work)
	var wg sync.WaitGroup
	for range min(jobs, len(runs)) {
		wg.Go(func() {
			for r := range work {
				if ctx.Err() != nil {
					return
				}
				f.readRun(r.g, r.lo, r.hi)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// readRun reads the headers of a part of g. What a fault keeps from being read is lost.
func (f *forest) readRun(g *group, lo, hi int) {
	for done := lo; done < hi; done++ {
		guard(func() error {
			for ; done < hi; done++ {
				f.readHeader(g, done)
			}
			return nil
		})
		if done < hi {
			f.next[g.base+node(done)] = lost
		}
	}
}

// looseWeight stands for the size of a loose object, which is not known yet: what
// opening a file costs, in bytes of a pack.
const looseWeight = 4 << 10

func (f *forest) readHeader(g *group, rank int) {
	n := g.base + node(rank)
	f.next[n] = none
	if f.isCopy(n) {
		return
	}
	done := g.done != nil && g.done[rank] != leftOver
	if !g.skip && !done {
		f.weight[n] = 1
	}
	if g.pack == nil {
		f.weight[n] = looseWeight
		return
	}
	f.next[n] = lost
	e, err := g.pack.entry(g.offs[rank])
	if err != nil {
		return
	}
	if !g.skip && !done {
		f.weight[n] = uint32(min(g.offs[rank+1]-g.offs[rank], 1<<31))
	}
	switch e.kind {
	case ofsDelta:
		if r, ok := g.rank(e.base); ok {
			f.next[n] = f.standIn(g.base + node(r))
		}
	case refDelta:
		f.next[n] = f.findBase(g, e.ref)
	default:
		f.next[n], f.kind[n] = none, Kind(e.kind)
	}
}

// findBase finds the node of an id, first in the pack that asks.
func (f *forest) findBase(own *group, id []byte) node {
	if r, ok := own.find(id); ok {
		return f.standIn(own.base + node(r))
	}
	for _, g := range f.groups {
		if r, ok := g.find(id); ok {
			return f.standIn(g.base + node(r))
		}
	}
	return lost
}

// link gives deltas the kind of their base, in the one direction in which nearly all
// of them lie, and turns bases into lists of children. That goes backwards, so that
// children come before their base: lists are then in order, and weights add up.
func (f *forest) link() {
	for n, base := range f.next {
		if base < node(n) {
			f.kind[n] = f.kind[base]
		}
	}
	for i := len(f.next) - 1; i >= 0; i-- {
		n := node(i)
		base := f.next[n]
		f.next[n] = none
		if base >= lost {
			switch {
			case base == lost:
				f.heads = append(f.heads, n)
			case !f.isCopy(n):
				f.roots = append(f.roots, n)
			}
			continue
		}
		f.next[n] = f.first[base]
		f.first[base] = n
		f.weight[base] += min(f.weight[n], ^uint32(0)-f.weight[base])
		if base >= n {
			f.forward++
		}
	}
	slices.Reverse(f.roots)
}

// followForward makes up for what link misses when some deltas come before their
// base: kinds, weights of zero, and chains that end in themselves.
func (f *forest) followForward() {
	reached := make([]bool, len(f.next))
	var stack []node
	for _, tops := range [][]node{f.roots, f.heads} {
		stack = append(stack, tops...)
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			reached[n] = true
			for c := f.first[n]; c != none; c = f.next[c] {
				f.kind[c] = f.kind[n]
				stack = append(stack, c)
			}
		}
	}
	for n, ok := range reached {
		f.weight[n] = max(f.weight[n], 1)
		if !ok && !f.isCopy(node(n)) {
			f.cyclic = append(f.cyclic, node(n))
		}
	}
}
