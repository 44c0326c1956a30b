package pack

import (
	"math/bits"
	"sync/atomic"
)

// A buffer holds an object while things are made from it. It may be shared by
// workers that each make some of them.
type buffer struct {
	data  []byte // the content
	all   []byte // what was allocated, of which data is a part
	refs  atomic.Int32
	large bool // counts in the lane of the pool
}

func (b *buffer) share() *buffer {
	b.refs.Add(1)
	return b
}

const (
	smallestClass = 12       // 4 KiB
	largeBuffer   = 16 << 20 // see bufferPool.lane
	keptBytes     = 4 << 20  // most that is kept of a class
)

// A bufferPool keeps a worker's buffers of up to largeBuffer by powers of two.
// Since the heaviest child is made last and takes its base's place, a worker
// holds few at once: at most the logarithm of the size of a family.
type bufferPool struct {
	free [25][]*buffer
	// The members of delta chains that are large share a lane: one worker at a
	// time has it, and holds at most most bytes of them. A worker that waits for
	// it holds none, so no two can wait for each other.
	lane  chan struct{} // of capacity 1
	most  int64
	large int64 // bytes held in the lane
}

func sizeClass(size int) int {
	return max(bits.Len(uint(max(size, 1)-1)), smallestClass)
}

// get gives a buffer of size bytes. chained says that it is part of a delta chain
// and not alone.
func (p *bufferPool) get(size int, chained bool) (*buffer, error) {
	var b *buffer
	class := sizeClass(size)
	switch {
	case size >= largeBuffer:
		if chained {
			if int64(size) > p.most-p.large {
				return nil, errTooLarge
			}
			if p.large == 0 {
				p.lane <- struct{}{}
			}
			p.large += int64(size)
		}
		b = &buffer{all: make([]byte, size), large: chained}
	case len(p.free[class]) > 0:
		last := len(p.free[class]) - 1
		b, p.free[class] = p.free[class][last], p.free[class][:last]
	default:
		b = &buffer{all: make([]byte, 1<<class)}
	}
	b.data = b.all[:size]
	b.refs.Store(1)
	return b, nil
}

// put gives up one hold on b, which may be nil.
func (p *bufferPool) put(b *buffer) {
	if b == nil || b.refs.Add(-1) > 0 {
		return
	}
	c := len(b.all)
	class := sizeClass(c)
	switch {
	case b.large:
		if p.large -= int64(c); p.large == 0 {
			<-p.lane
		}
	case c == 0 || c >= largeBuffer: // of a Reader's, or not worth keeping
	case (len(p.free[class])+1)<<class <= keptBytes || len(p.free[class]) == 0:
		p.free[class] = append(p.free[class], b)
	}
}
