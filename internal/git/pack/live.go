package pack

import (
	"cmp"
	"runtime"
	"sync"
)

// A live sweep hands the objects of a pack over while it arrives. It takes those that
// cost nothing more: what is not a delta, and deltas whose base is still at hand. Git
// writes families together, so that is nearly all; what is left is for a
// sweep of the rest.
type live struct {
	sw      *sweep
	group   *group
	batches chan []*liveItem
	wg      sync.WaitGroup

	// Of the goroutine that reads the pack.
	bases    map[uint32]*liveItem // what was made lately, by rank
	order    []uint32             // the ranks of bases, the oldest first
	held     int                  // bytes of bases
	heldMost int
	batch    []*liveItem // that no worker has yet
	bytes    int         // of batch

	taken []int // ranks

	mu    sync.Mutex
	free  [25][]*buffer // by size class
	hits  []int         // ranks
	named []identified
	stats SweepStats
}

type identified struct {
	rank int
	id   ID
}

// A liveItem is an object on its way to the callback.
type liveItem struct {
	item
	base *liveItem // of a delta
	done chan struct{}
	used bool // as a base, since it was last passed over
}

const (
	liveHeld = 24 << 20 // bytes of a generation of bases; there are two
	liveMost = 1 << 20  // bytes of an object; larger ones are left
	// Batches are large enough for a worker not to wait for each object, and there are
	// liveAhead at most that wait for a worker.
	liveBatch = 256 << 10
	liveAhead = 8
)

// An early sweep is what Receive has handed over.
type early struct {
	state []uint8 // by rank
	stats SweepStats
	err   error // that ended it
}

// What early.state says of an object.
const (
	leftOver uint8 = iota
	handedOver
	handedWithHits
)

func newLive(s *Store, p *packFile, o ReceiveOptions) *live {
	opts := o.Sweep
	opts.Kinds = cmp.Or(opts.Kinds, KindSet(Blob, Commit, Tag))
	if opts.Jobs <= 0 {
		opts.Jobs = runtime.GOMAXPROCS(0)
	}
	l := &live{sw: &sweep{store: s, fn: o.Early, opts: opts}, group: &group{pack: p}, batches: make(chan []*liveItem, liveAhead),
		bases: map[uint32]*liveItem{}, heldMost: cmp.Or(o.earlyHeld, liveHeld)}
	l.sw.queue.cond.L = &l.sw.queue.mu
	for range opts.Jobs {
		l.wg.Go(l.work)
	}
	return l
}

// work hands objects over. A base is ahead of its deltas, so whoever waits for one waits
// for a worker that waits for none of those behind it.
func (l *live) work() {
	m := &maker{sw: l.sw, check: newHasher(l.sw.store.hash)}
	for batch := range l.batches {
		for _, it := range batch {
			l.hand(m, it)
		}
	}
	l.mu.Lock()
	l.stats.add(&m.stats)
	l.mu.Unlock()
}

func (l *live) hand(m *maker, it *liveItem) {
	if it.base != nil {
		<-it.base.done
		if it.base.whole { // its matches may be inherited
			it.fresh = nil
		}
		it.base = nil
	}
	m.item = it.item
	if !l.sw.queue.stopped.Load() {
		m.hand(&m.item)
	}
	it.whole = m.item.whole
	if id := m.item.id; !id.IsZero() {
		l.mu.Lock()
		l.named = append(l.named, identified{it.rank, id})
		if it.whole {
			l.hits = append(l.hits, it.rank)
		}
		l.mu.Unlock()
	}
	close(it.done)
	l.release(it)
}

func (l *live) buffer(size int) (b *buffer) {
	class := sizeClass(size)
	l.mu.Lock()
	if free := l.free[class]; len(free) > 0 {
		b, l.free[class] = free[len(free)-1], free[:len(free)-1]
	}
	l.mu.Unlock()
	if b == nil {
		b = &buffer{all: make([]byte, 1<<class)}
	}
	b.data = b.all[:size]
	b.refs.Store(2) // of the worker, and of the cache
	return b
}

// release gives up one hold on the content of an object.
func (l *live) release(it *liveItem) {
	if b := it.buf; b.refs.Add(-1) == 0 {
		class := sizeClass(len(b.all))
		l.mu.Lock()
		if (len(l.free[class])+1)<<class <= keptBytes {
			l.free[class] = append(l.free[class], b)
		}
		l.mu.Unlock()
	}
}

// take makes the object of an entry whose inflated bytes are given, and has it handed
// over. baseRank is that of its base, if it is a delta with a base.
func (l *live) take(rank int, e entry, off uint64, baseRank int, inflated []byte) {
	it := &liveItem{done: make(chan struct{})}
	it.group, it.rank, it.off = l.group, rank, off
	switch {
	case len(inflated) > liveMost:
		return
	case e.kind == ofsDelta:
		base := l.find(uint32(baseRank))
		if base == nil {
			return
		}
		size, result, cmds, err := deltaSizes(inflated)
		if err != nil || size != uint64(len(base.buf.data)) || result > liveMost || checkDelta(cmds, size, result) != nil {
			return // the sweep of the rest says what is wrong
		}
		it.kind, it.base, it.buf = base.kind, base, l.buffer(int(result))
		it.fresh = applyDelta(it.buf.data, base.buf.data, cmds, make([]Span, 0, 8))
	case Kind(e.kind).valid():
		it.kind, it.buf = Kind(e.kind), l.buffer(len(inflated))
		copy(it.buf.data, inflated)
	default:
		return
	}
	l.taken = append(l.taken, rank)
	l.keep(uint32(rank), it)
	l.batch, l.bytes = append(l.batch, it), l.bytes+len(it.buf.all)
	if l.bytes >= liveBatch {
		l.flush()
	}
}

func (l *live) flush() {
	if len(l.batch) > 0 {
		l.batches <- l.batch
		l.batch, l.bytes = nil, 0
	}
}

// find returns a base that is at hand; nil if it is not.
func (l *live) find(rank uint32) *liveItem {
	it := l.bases[rank]
	if it != nil {
		it.used = true
	}
	return it
}

// keep holds an object for the deltas of it that may come. The oldest go, but for those
// that were a base since they were last passed over.
func (l *live) keep(rank uint32, it *liveItem) {
	l.bases[rank] = it
	l.order = append(l.order, rank)
	l.held += len(it.buf.all)
	for l.held > l.heldMost {
		rank := l.order[0]
		l.order = l.order[1:]
		if it := l.bases[rank]; it.used {
			it.used = false
			l.order = append(l.order, rank)
		} else {
			delete(l.bases, rank)
			l.held -= len(it.buf.all)
			l.release(it)
		}
	}
}

// finish waits for the workers, and notes in the pack what was handed over.
func (l *live) finish(p *packFile) {
	l.flush()
	close(l.batches)
	l.wg.Wait()
	n := len(p.offs) - 1
	p.early = &early{state: make([]uint8, n), stats: l.stats, err: l.sw.queue.err}
	for _, rank := range l.taken {
		if rank < n { // else the end of the last one did not come
			p.early.state[rank] = handedOver
		}
	}
	p.ids = make([]byte, n*p.hash)
	for _, x := range l.named {
		if x.rank < n {
			copy(p.ids[x.rank*p.hash:], x.id.sum[:p.hash])
		}
	}
	for _, rank := range l.hits {
		p.early.state[rank] = handedWithHits
	}
}
