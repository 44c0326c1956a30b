package disk

import (
	"sync"
	"sync/atomic"
)

// A queue hands out jobs last in, first out, so that the walk stays deep and the
// queue short. It ends when every job that was taken is done and none is left.
type queue struct {
	mu     sync.Mutex
	ready  *sync.Cond
	jobs   []job
	open   int // pushed and not done
	closed bool
	idle   atomic.Int32 // goroutines that wait for a job
}

func newQueue() *queue {
	q := &queue{}
	q.ready = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(j job) {
	q.mu.Lock()
	q.jobs = append(q.jobs, j)
	q.open++
	q.mu.Unlock()
	q.ready.Signal()
}

// pop waits for a job; not ok means that there will be none.
func (q *queue) pop() (j job, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && q.open > 0 && !q.closed {
		q.idle.Add(1)
		q.ready.Wait()
		q.idle.Add(-1)
	}
	if q.closed || len(q.jobs) == 0 {
		return job{}, false
	}
	last := len(q.jobs) - 1
	j = q.jobs[last]
	q.jobs[last] = job{}
	q.jobs = q.jobs[:last]
	return j, true
}

// done ends a job that pop gave out.
func (q *queue) done() {
	q.mu.Lock()
	q.open--
	ended := q.open == 0
	q.mu.Unlock()
	if ended {
		q.ready.Broadcast()
	}
}

// close makes every pop return at once.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Broadcast()
}

// drop lets go of what the jobs hold that were never taken. Nobody uses the queue
// any more.
func (q *queue) drop() {
	for _, j := range q.jobs {
		j.in.release()
	}
	q.jobs = nil
}
