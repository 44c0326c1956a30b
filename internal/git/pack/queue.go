package pack

import (
	"sync"
	"sync/atomic"
)

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

func (q *queue) init(jobs int) {
	q.jobs = jobs
	q.cond.L = &q.mu
}

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
			q.tellHungry()
			return t, true
		}
		if len(q.roots) > 0 {
			q.idle--
			return task{roots: q.chunk()}, true
		}
		if q.idle == q.jobs {
			q.stopped.Store(true)
			q.cond.Broadcast()
			break
		}
		q.tellHungry()
		q.cond.Wait()
	}
	return task{}, false
}

func (q *queue) chunk() []node {
	n, weight := 0, 0
	for n < len(q.roots) && weight < chunkWeight {
		weight += int(q.weight[q.roots[n]])
		n++
	}
	chunk := q.roots[:n]
	q.roots = q.roots[n:]
	return chunk
}

// give offers a task to idle workers.
func (q *queue) give(t task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks = append(q.tasks, t)
	q.tellHungry()
	q.cond.Signal()
}

func (q *queue) tellHungry() {
	q.hungry.Store(int32(max(0, q.idle-len(q.tasks))))
}
