package pack

import (
	"context"
	"sync"
	"sync/atomic"
)

// Kinds is a set of kinds of objects.
type Kinds uint8

// KindSet is the set of the given kinds.
func KindSet(kinds ...Kind) Kinds {
	var s Kinds
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has says whether k is in s.
func (s Kinds) Has(k Kind) bool { return s&(1<<k) != 0 }

// SweepOptions say what a sweep reads. The zero value is every blob, commit and
// tag of the store.
type SweepOptions struct {
	// Jobs is the number of worker goroutines; 0 is one for each processor.
	Jobs int
	// Kinds are the kinds of objects to hand over; 0 is blobs, commits and tags.
	// What is of another kind is not even inflated.
	Kinds Kinds
	// SkipPacks are paths of packs whose objects were seen in an earlier sweep.
	// They are not handed over, from whatever place, and only read where an
	// object to be handed over is a delta of one.
	SkipPacks []string
	// Verify also compares each packed object with its id. Loose objects are
	// always compared. What differs is handed over all the same, and is a
	// Problem with ErrWrongContent.
	Verify bool
	// Window and Overlap are the sizes in bytes of the windows in which an object
	// over StreamOver is handed over, and of what is shown before and after each.
	// Defaults are 4 MiB and 64 KiB.
	Window, Overlap int
}

// SweepStats counts what a sweep did.
type SweepStats struct {
	Handed [Tag + 1]int64 // objects handed over, by Kind
	Seen   [Tag + 1]int64 // objects in packs that were skipped, by Kind
	Others [Tag + 1]int64 // objects of kinds not asked for
	Failed int64          // objects that could not be read
	Packed int64          // all objects in packs, and
	Loose  int64          // all loose ones, of which
	Copies int64          // were further copies of others
	Bytes  int64          // content of the objects handed over
	Fresh  int64          // the part of Bytes that was fresh
}

func (s *SweepStats) add(o *SweepStats) {
	for k := range s.Handed {
		s.Handed[k] += o.Handed[k]
		s.Seen[k] += o.Seen[k]
		s.Others[k] += o.Others[k]
	}
	s.Failed += o.Failed
	s.Packed += o.Packed
	s.Loose += o.Loose
	s.Copies += o.Copies
	s.Bytes += o.Bytes
	s.Fresh += o.Fresh
}

// Sweep hands every object of the store to fn: those of all packs and all loose
// ones, alternates included, reachable or not, each once, from many goroutines at
// once and in no fixed order. What is handed over for an object does not depend
// on the number of jobs.
//
// fn returns how many matches it found in the object. Most objects are deltas,
// and for them Object.Fresh names the places that fn has to look at. If the object
// a delta was made from had hits, though, the delta is handed over with Fresh nil,
// because it may have inherited them; so every object that holds a match is found,
// by these rules for fn: it returns more than 0 for everything that could count as
// a match in another object with the same bytes in it, and it decides by the
// token and by what it can see in Data around it.
//
// What cannot be read goes to Options.Problem, and the sweep goes on. Sweep fails
// if fn returns an error, which it passes on, or if ctx ends.
func (s *Store) Sweep(ctx context.Context, fn func(*Object) (hits int, err error), opts SweepOptions) (SweepStats, error) {
	opts.Jobs = defaultJobs(opts.Jobs)
	if opts.Kinds == 0 {
		opts.Kinds = KindSet(Blob, Commit, Tag)
	}
	opts.Window = orDefault(opts.Window, 4<<20)
	opts.Overlap = min(orDefault(opts.Overlap, 64<<10), opts.Window)
	skip := make(map[string]bool, len(opts.SkipPacks))
	for _, p := range opts.SkipPacks {
		skip[p] = true
	}
	f, err := s.forest(ctx, opts.Jobs, skip)
	if err != nil {
		return SweepStats{}, err
	}
	sw := &sweep{store: s, forest: f, fn: fn, opts: opts, lane: make(chan struct{}, 1)}
	sw.expand.Store(s.expandMost())
	return sw.run(ctx)
}

func orDefault(v, d int) int {
	if v <= 0 {
		return d
	}
	return v
}

// expandMost is how many bytes may be made of deltas in one go.
func (s *Store) expandMost() int64 {
	n := int64(64 << 30)
	for _, p := range s.packs {
		n += int64(len(p.data)) * s.opts.ExpandMost
	}
	return n
}

// A sweep is one run of Sweep.
type sweep struct {
	store  *Store
	forest *forest
	fn     func(*Object) (int, error)
	opts   SweepOptions
	lane   chan struct{}
	queue  queue
	expand atomic.Int64 // what may yet be made of deltas
}

func (sw *sweep) run(ctx context.Context) (SweepStats, error) {
	q := &sw.queue
	q.init(sw.opts.Jobs)
	stats := sw.count()
	q.roots, q.weight = sw.wanted(sw.forest.roots), sw.forest.weight
	q.tasks = append(q.tasks, task{roots: sw.wanted(sw.forest.heads)})
	q.tasks = append(q.tasks, task{roots: sw.wanted(sw.forest.cyclic), cyclic: true})
	defer context.AfterFunc(ctx, func() { q.stop(context.Cause(ctx)) })()
	var wg sync.WaitGroup
	workers := make([]*worker, sw.opts.Jobs)
	for i := range workers {
		workers[i] = newWorker(sw)
		wg.Go(workers[i].run)
	}
	wg.Wait()
	for _, w := range workers {
		stats.add(&w.stats)
	}
	return stats, q.err
}

// wanted leaves out families of other kinds, and those that were all seen. The
// kind of a loose object is not known yet.
func (sw *sweep) wanted(tops []node) []node {
	f := sw.forest
	var want []node
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
	st.Copies = int64(f.copies)
	for _, g := range f.groups {
		if g.pack != nil {
			st.Packed += int64(g.n)
		} else {
			st.Loose += int64(g.n)
		}
		for n := g.base; n < g.base+node(g.n); n++ {
			switch {
			case f.isCopy(n):
			case g.skip:
				st.Seen[f.kind[n]]++
			case f.kind[n] != 0 && !sw.opts.Kinds.Has(f.kind[n]):
				st.Others[f.kind[n]]++
			}
		}
	}
	return st
}
