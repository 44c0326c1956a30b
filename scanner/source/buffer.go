package source

import (
	"context"
	"math/bits"
	"sync"

	"golang.org/x/sync/semaphore"
)

// bufferBudget bounds the memory of all buffers that hold whole files, on any
// number of goroutines.
const bufferBudget = 96 << 20

// buffers lends memory for whole files in powers of two and keeps what comes back,
// so that the heap stays near the budget however many large files there are.
type buffers struct {
	budget *semaphore.Weighted
	mu     sync.Mutex
	free   map[int][][]byte // by size
	held   int              // bytes in free
}

func newBuffers() *buffers {
	return &buffers{budget: semaphore.NewWeighted(bufferBudget), free: map[int][][]byte{}}
}

// lend waits for room and returns a buffer of at least n bytes, n at most WholeLimit+1.
func (b *buffers) lend(ctx context.Context, n int) ([]byte, error) {
	size := min(1<<bits.Len(uint(n-1)), bufferBudget)
	if err := b.budget.Acquire(ctx, int64(size)); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if list := b.free[size]; len(list) > 0 {
		b.free[size] = list[:len(list)-1]
		b.held -= size
		return list[len(list)-1], nil
	}
	return make([]byte, size), nil
}

func (b *buffers) giveBack(buf []byte) {
	b.mu.Lock()
	if b.held+len(buf) > bufferBudget/2 {
		clear(b.free)
		b.held = 0
	}
	b.free[len(buf)] = append(b.free[len(buf)], buf)
	b.held += len(buf)
	b.mu.Unlock()
	b.budget.Release(int64(len(buf)))
}
