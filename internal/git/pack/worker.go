package pack

// A step is an object to be made: a delta and what it is made from.
type step struct {
	n     node
	base  *buffer // nil for a root, or if the base could not be read
	delta bool    // false for a root
	kind  Kind    // of the base
	whole bool    // the base had hits, or may have had
}

// A frame is an object of which deltas are being made.
type frame struct {
	step       // to each of its deltas
	next  node // the next delta
	end   node // the one after the last; none is the end of the list
	heavy node // the delta with most under it, which is not made in its turn but
	gave  bool // last, in place of its base; unless it was given away
}

// A worker makes objects and hands them over. It goes through a family depth
// first, so that what a delta is made from is still in the processor's cache.
type worker struct {
	sw    *sweep
	stats SweepStats
	stack []frame

	inf    inflater
	loose  looseReader
	stream streamInflater
	pool   bufferPool
	fresh  []Span
	obj    Object
	reader *Reader // made when needed
	check  *hasher
	made   int64 // bytes made of deltas and not yet taken off sweep.expand
}

func newWorker(sw *sweep) *worker {
	w := &worker{sw: sw, check: newHasher(sw.store.hash)}
	w.fresh = make([]Span, 0, 64) // not nil, which would mean all
	w.pool.lane, w.pool.most = sw.lane, sw.store.opts.HoldMost
	return w
}

func (w *worker) run() {
	for {
		t, ok := w.sw.queue.next()
		if !ok {
			return
		}
		if t.part != nil {
			w.stack = append(w.stack, *t.part)
			w.drain()
		}
		for _, n := range t.roots {
			if t.cyclic {
				w.cyclic(n)
			} else {
				w.family(step{n: n})
			}
			if w.sw.queue.stopped.Load() {
				return
			}
		}
	}
}

// family makes the object of s and all that is made from it.
func (w *worker) family(s step) {
	w.visit(s)
	w.drain()
}

// drain works until the stack is empty.
func (w *worker) drain() {
	for len(w.stack) > 0 {
		if w.sw.queue.stopped.Load() {
			w.unwind()
			return
		}
		if w.sw.queue.hungry.Load() > 0 {
			w.share()
		}
		if s, ok := w.nextStep(); ok {
			w.visit(s)
		}
	}
}

// nextStep takes a step from the top frame. The step has a hold of its own on the
// base, which for the last step is the frame's.
func (w *worker) nextStep() (step, bool) {
	f := w.sw.forest
	top := &w.stack[len(w.stack)-1]
	s := top.step
	for top.next != top.end {
		n := top.next
		top.next = f.next[n]
		if n == top.heavy || f.weight[n] == 0 {
			continue
		}
		s.n = n
		if s.base != nil {
			s.base.share()
		}
		return s, true
	}
	s.n = top.heavy
	gave := top.gave
	w.stack = w.stack[:len(w.stack)-1]
	if gave {
		w.pool.put(s.base)
		return s, false
	}
	return s, true
}

// push makes a frame of the deltas of n, to each of which s is the step.
func (w *worker) push(n node, s step) {
	f := w.sw.forest
	fr := frame{step: s, next: f.first[n], end: none, heavy: none}
	most := uint32(0)
	for c := fr.next; c != none; c = f.next[c] {
		if f.weight[c] > most {
			fr.heavy, most = c, f.weight[c]
		}
	}
	if fr.heavy == none {
		w.pool.put(s.base)
		return
	}
	w.stack = append(w.stack, fr)
}

// shareLeast is how many bytes must be there to be made for it to be worth the
// while to give a part away.
const shareLeast = 256 << 10

// share gives a part of the lowest frame that has more than one delta left to an
// idle worker: the heaviest, or half of the others. A family with large members
// is not shared, since they are in the worker's own lane.
func (w *worker) share() {
	if w.pool.large > 0 {
		return
	}
	f := w.sw.forest
	for i := range w.stack {
		fr := &w.stack[i]
		if fr.base == nil {
			continue
		}
		count, weight := 0, 0
		for c := fr.next; c != fr.end; c = f.next[c] {
			if c != fr.heavy && f.weight[c] > 0 {
				count++
				weight += int(f.weight[c])
			}
		}
		var part *frame
		switch {
		case count > 0 && !fr.gave && int(f.weight[fr.heavy]) >= weight:
			part = &frame{step: fr.step, next: none, end: none, heavy: fr.heavy}
			fr.gave = true
		case count > 1 && count*len(fr.base.data) >= shareLeast:
			part = w.halve(fr, count/2)
		default:
			continue
		}
		part.base.share()
		w.sw.queue.give(task{part: part})
		return
	}
}

// halve takes all but the next n deltas off fr.
func (w *worker) halve(fr *frame, n int) *frame {
	f := w.sw.forest
	mid := fr.next
	for ; n > 0; mid = f.next[mid] {
		if mid != fr.heavy && f.weight[mid] > 0 {
			n--
		}
	}
	part := &frame{step: fr.step, next: mid, end: fr.end, heavy: fr.heavy, gave: true}
	fr.end = mid
	return part
}

// unwind gives up what the stack holds.
func (w *worker) unwind() {
	for _, fr := range w.stack {
		w.pool.put(fr.base)
	}
	w.stack = w.stack[:0]
}
