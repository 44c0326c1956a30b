package pack

// A worker makes objects and hands them over. It goes through a family depth first,
// so that what a delta is made from is still in the processor's cache. The stack has a
// frame for each object that still has deltas to be made.
type worker struct {
	maker
	stack []frame
}

// run works until the queue has nothing more.
func (w *worker) run() {
	q := &w.sw.queue
	for {
		t, ok := q.next()
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
				w.descend(step{n: n})
				w.drain()
			}
			if q.stopped.Load() {
				return
			}
		}
	}
}

// drain works until the stack is empty.
func (w *worker) drain() {
	q := &w.sw.queue
	for len(w.stack) > 0 {
		if q.stopped.Load() {
			for _, fr := range w.stack {
				w.pool.put(fr.base)
			}
			w.stack = w.stack[:0]
			return
		}
		if q.hungry.Load() > 0 {
			w.share()
		}
		if s, ok := w.nextStep(); ok {
			w.descend(s)
		}
	}
}

// descend makes the object of s, and a frame of its deltas if any are wanted.
func (w *worker) descend(s step) {
	deltas, ok := w.visit(s)
	if !ok {
		return
	}
	f := w.sw.forest
	fr := frame{step: deltas, next: f.first[s.n], end: none, heavy: none}
	most := uint32(0)
	for c := fr.next; c != none; c = f.next[c] {
		if f.weight[c] > most {
			fr.heavy, most = c, f.weight[c]
		}
	}
	if fr.heavy == none {
		w.pool.put(fr.base)
		return
	}
	w.stack = append(w.stack, fr)
}

// nextStep takes a step from the top frame. The step has a hold of its own on the
// base; the last step, to the heavy delta, takes the frame's hold and place. ok is
// false when that one was given away.
func (w *worker) nextStep() (s step, ok bool) {
	f := w.sw.forest
	top := &w.stack[len(w.stack)-1]
	s = top.step
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
	s.n, ok = top.heavy, !top.heavyGiven
	w.stack = w.stack[:len(w.stack)-1]
	if !ok {
		w.pool.put(s.base)
	}
	return s, ok
}

// shareLeast is how many bytes must be there to be made for it to be worth the
// while to give a part away.
const shareLeast = 256 << 10

// share gives a part of the lowest frame that has more than one delta left to an
// idle worker: the heavy one when it outweighs the others, else half of those. A
// family with large members is not shared, since they are in the worker's own lane.
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
		case count > 0 && !fr.heavyGiven && int(f.weight[fr.heavy]) >= weight:
			part = &frame{step: fr.step, next: none, end: none, heavy: fr.heavy}
			fr.heavyGiven = true
		case count > 1 && count*len(fr.base.data) >= shareLeast:
			mid := fr.next // after the half that stays
			for n := count / 2; n > 0; mid = f.next[mid] {
				if mid != fr.heavy && f.weight[mid] > 0 {
					n--
				}
			}
			part = &frame{step: fr.step, next: mid, end: fr.end, heavy: fr.heavy, heavyGiven: true}
			fr.end = mid
		default:
			continue
		}
		part.base.share()
		w.sw.queue.give(task{part: part})
		return
	}
}
