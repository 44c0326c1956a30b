package pack

import (
	"sync"
	"sync/atomic"
)

// A sweep is what the workers of one Sweep share.
type sweep struct {
	store  *Store
	forest *forest
	fn     func(*Object) (hits int, err error)
	opts   SweepOptions
	lane   chan struct{} // see bufferPool
	expand atomic.Int64  // bytes that may yet be made of deltas
	queue  queue
}

// A step is an object to be made and what it is made from.
type step struct {
	n     node
	delta bool    // made from base; false at the top of a family
	base  *buffer // nil at the top, or if the base could not be read
	kind  Kind    // of the base
	whole bool    // the base had hits or was not searched: all of the object is fresh
}

// A frame is an object of which deltas are being made. They are the list in
// forest.next from next up to end, which is none for the whole list.
type frame struct {
	step // to each of the deltas; n aside
	next node
	end  node
	// heavy is the delta with most under it. It is skipped in the list and made
	// last, when the frame is gone and nothing else needs the base. So each frame on
	// top of another holds half of what is under that one at most, and a worker's stack
	// is as deep as the logarithm of the family.
	heavy      node
	heavyGiven bool // another worker makes heavy
}

// A task is a piece of work for one worker: a run of families, or a part of a
// family that another worker gave away.
type task struct {
	roots  []node
	cyclic bool   // roots lead to each other; none may be followed
	part   *frame // when roots is nil
}

// chunkWeight is how many compressed bytes of families a worker takes at once:
// a millisecond's work or so.
const chunkWeight = 128 << 10

// A queue shares the work out. Families are taken in the order of the pack, which
// is also the order of the disk. When they run out, workers that still have some
// give parts of theirs away.
type queue struct {
	jobs   int
	roots  []node   // families that no one has taken
	weight []uint32 // by node

	mu    sync.Mutex
	cond  sync.Cond
	tasks []task
	idle  int

	hungry  atomic.Int32 // idle workers for whom there is no task
	stopped atomic.Bool
	err     error
}

// next waits for a task. It is false when there will be no more.
func (q *queue) next() (t task, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.idle++
	for !q.stopped.Load() {
		if n := len(q.tasks); n > 0 {
			t = q.tasks[n-1]
			q.tasks = q.tasks[:n-1]
			q.idle--
			q.countHungry()
			return t, true
		}
		if len(q.roots) > 0 {
			q.idle--
			n, weight := 0, 0
			for n < len(q.roots) && weight < chunkWeight {
				weight += int(q.weight[q.roots[n]])
				n++
			}
			t.roots, q.roots = q.roots[:n], q.roots[n:]
			return t, true
		}
		if q.idle == q.jobs {
			q.stopped.Store(true)
			q.cond.Broadcast()
			break
		}
		q.countHungry()
		q.cond.Wait()
	}
	return task{}, false
}

// give offers a task to idle workers.
func (q *queue) give(t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks = append(q.tasks, t)
	q.countHungry()
	q.cond.Signal()
}

func (q *queue) countHungry() { q.hungry.Store(int32(max(0, q.idle-len(q.tasks)))) }

// stop makes all workers end; the first error stays.
func (q *queue) stop(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.stopped.Store(true)
	q.cond.Broadcast()
}
