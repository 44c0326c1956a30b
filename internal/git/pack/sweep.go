package pack

import (
	"cmp"
	"context"
	"runtime"
	"sync"
)

// Sweep hands every object of the store to fn: those of all packs and all loose
// ones, alternates included, reachable or not, each once, from many goroutines at
// once and in no fixed order. What is handed over for an object does not depend
// on the number of jobs.
//
// fn returns how many matches it found in the object. Most objects are deltas,
// and for them Object.Fresh names the places that fn has to search. If the object
// a delta was made from had hits, though, the delta is handed over with Fresh nil,
// because it may have inherited them; so every object that holds a match is found,
// by these rules for fn: it returns more than 0 for everything that could count as
// a match in another object with the same bytes in it, and it decides by the
// token and by what it can see in Data around it.
//
// What cannot be read goes to Options.Problem, and the sweep continues. Sweep fails
// if fn returns an error, which it passes on, or if ctx ends.
func (s *Store) Sweep(ctx context.Context, fn func(*Object) (hits int, err error), opts SweepOptions) (SweepStats, error) {
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	opts.Kinds = cmp.Or(opts.Kinds, KindSet(Blob, Commit, Tag))
	opts.window = cmp.Or(opts.window, 4<<20)
	opts.overlap = min(cmp.Or(opts.overlap, 64<<10), opts.window)
	if p := s.received(); p != nil && p.ids == nil {
		p.ids = make([]byte, (len(p.offs)-1)*p.hash)
	}
	f, err := s.forest(ctx, opts)
	if err != nil {
		return SweepStats{}, err
	}
	sw := &sweep{store: s, forest: f, fn: fn, opts: opts, lane: make(chan struct{}, 1)}
	sw.expand.Store(s.expandMost())
	q := &sw.queue
	q.jobs, q.weight, q.cond.L = opts.Jobs, f.weight, &q.mu
	q.roots = sw.wanted(f.roots)
	q.tasks = []task{{roots: sw.wanted(f.heads)}, {roots: sw.wanted(f.cyclic), cyclic: true}}
	defer context.AfterFunc(ctx, func() { q.stop(context.Cause(ctx)) })()

	stats := sw.count()
	if p := s.received(); opts.Rest && p != nil && p.early != nil {
		if p.early.err != nil {
			return p.early.stats, p.early.err
		}
		stats.add(&p.early.stats)
	}
	var wg sync.WaitGroup
	workers := make([]*worker, opts.Jobs)
	for i := range workers {
		workers[i] = &worker{maker: maker{
			sw:    sw,
			check: newHasher(s.hash),
			fresh: make([]Span, 0, 64), // not nil, which would mean all
			pool:  bufferPool{lane: sw.lane, most: s.opts.holdMost},
		}}
		wg.Go(workers[i].run)
	}
	wg.Wait()
	for _, w := range workers {
		stats.add(&w.stats)
	}
	if q.err == nil {
		s.identified |= opts.Identify
	}
	return stats, q.err
}

// wanted returns the families to be made: not those of other kinds, nor those that
// were searched in an earlier sweep. The kind of a loose object is not known yet.
func (sw *sweep) wanted(tops []node) (want []node) {
	f := sw.forest
	for _, n := range tops {
		if f.weight[n] > 0 && (f.kind[n] == 0 || sw.opts.Kinds.Has(f.kind[n])) {
			want = append(want, n)
		}
	}
	return want
}

// count counts what is not handed over, as far as that is known beforehand.
func (sw *sweep) count() (st SweepStats) {
	f := sw.forest
	st.copies = int64(f.copies)
	for _, g := range f.groups {
		if g.pack != nil {
			st.packed += int64(g.n)
		} else {
			st.Loose += int64(g.n)
		}
		for n := g.base; n < g.base+node(g.n); n++ {
			switch {
			case f.isCopy(n):
			case g.done != nil && g.done[n-g.base] != leftOver: // is counted in early.stats
			case g.skip:
				st.Seen[f.kind[n]]++
			case f.kind[n] != 0 && !sw.opts.Kinds.Has(f.kind[n]):
				st.Others[f.kind[n]]++
			}
		}
	}
	return st
}
