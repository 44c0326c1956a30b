package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/b10lint/b10lint/internal/inflate"
)

const chunkSize = 1 << 20

// buffer returns a buffer over r, which release takes back.
func (w *Walker) buffer(r io.Reader) *bufio.Reader {
	br := w.buffers.Get().(*bufio.Reader)
	br.Reset(r)
	return br
}

func (w *Walker) release(br *bufio.Reader) {
	br.Reset(nil)
	w.buffers.Put(br)
}

// held is a content in memory, in chunks, so that growing it copies nothing.
type held struct {
	chunks []*[chunkSize]byte
	size   int64
	rest   *bufio.Reader // set when the content goes on and was not held
	err    error         // what ended the reading, but for the end
}

// ReadAt implements io.ReaderAt.
func (h *held) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the start")
	}
	n := 0
	for n < len(p) && off < h.size {
		at := int(off % chunkSize)
		k := copy(p[n:], h.chunks[off/chunkSize][at:min(chunkSize, int64(at)+h.size-off)])
		n += k
		off += int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// reader reads what is held and what follows it.
func (h *held) reader() io.Reader {
	var rest io.Reader = failing{h.err}
	if h.rest != nil {
		rest = h.rest
	}
	return io.MultiReader(io.NewSectionReader(h, 0, h.size), rest)
}

// failing is a reader that ends with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// hold reads br to its end, or up to a limit of its own and of the walk. The
// error is a *stopped.
func (w *walk) hold(br *bufio.Reader, declared, limit int64) (*held, error) {
	h := &held{}
	if declared > limit-w.held {
		h.rest = br
		return h, nil
	}
	for {
		if _, err := br.Peek(1); err != nil {
			if err != io.EOF {
				h.err = err
			}
			return h, nil
		}
		if w.held+chunkSize > w.limits.Memory || h.size >= limit {
			h.rest = br
			return h, nil
		}
		if err := w.reserve(chunkSize); err != nil {
			return h, err
		}
		c := w.chunks.Get().(*[chunkSize]byte)
		h.chunks = append(h.chunks, c)
		n, err := io.ReadFull(br, c[:])
		h.size += int64(n)
		if err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				h.err = err
			}
			return h, nil
		}
	}
}

// reserve counts n bytes of memory. A walk that wants more than a little waits
// until no other one holds much, and then may go up to its limit.
func (w *walk) reserve(n int64) error {
	w.held += n
	if w.held <= smallHold || w.big {
		return nil
	}
	select {
	case w.Walker.big <- struct{}{}:
		w.big = true
		return nil
	case <-w.ctx.Done():
		w.over = w.ctx.Err()
		return &stopped{w.over}
	}
}

// borrow reserves what a decoder needs for its dictionary. That is work too, even
// where the stream is of a few bytes. The function gives it back.
func (w *walk) borrow(n int64) (func(), error) {
	if n > maxDictionary {
		return nil, &UnsupportedError{fmt.Sprintf("a dictionary of %d bytes (more than %d)", n, maxDictionary)}
	}
	if w.held+n > w.limits.Memory {
		return nil, &LimitError{limitMemory, w.limits.Memory}
	}
	if w.borrowed += n; w.borrowed/8 > w.limits.Bytes && w.over == nil {
		w.over = &LimitError{limitBytes, w.limits.Bytes}
	}
	if err := w.charge(0); err != nil {
		return nil, err
	}
	if err := w.reserve(n); err != nil {
		return nil, err
	}
	return func() { w.held -= n }, nil
}

// drop gives the memory of h back, once nobody beside the walk reads it.
func (w *walk) drop(h *held) {
	w.beside.Wait()
	for _, c := range h.chunks {
		w.chunks.Put(c)
	}
	w.held -= int64(len(h.chunks)) * chunkSize
	h.chunks, h.size = nil, 0
}

// maxProgram is how much of a program in a stream is held to look for a zip at
// its end.
const maxProgram = 64 << 20

// sniff returns what n is. A program in a stream is held in memory for that, as a
// zip may follow it; the release function lets it go.
func (w *walk) sniff(n node) (kind, node, func()) {
	nothing := func() {}
	if n.at != nil {
		return sniff(ends(n.at, n.size)), n, nothing
	}
	head, _ := n.br.Peek(headSize)
	kind := sniff(head, nil)
	if kind != none || !mayCarryZip(head) || n.size > maxProgram {
		return kind, n, nothing
	}
	h, err := w.hold(n.br, n.size, min(maxProgram, w.limits.Memory))
	release := func() { w.drop(h) }
	if err != nil {
		return none, n, release
	}
	if h.rest == nil && h.err == nil {
		n.at, n.size = h, h.size
		return sniff(ends(h, h.size)), n, release
	}
	br := w.buffer(h.reader())
	n.br = br
	return none, n, func() { w.release(br); release() }
}

// ends reads the two ends of a content.
func ends(r io.ReaderAt, size int64) (head, tail []byte) {
	head = make([]byte, min(size, headSize))
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	if size <= headSize {
		return head, head
	}
	tail = make([]byte, tailSize)
	n, _ = r.ReadAt(tail, size-tailSize)
	return head, tail[:n]
}

// maxWhole is the largest member that is unpacked whole in memory.
const maxWhole = 4<<20 - 1

// A bench is what one goroutine needs to unpack one member after another in memory.
type bench struct {
	inflater     *inflate.Decoder
	packed, data []byte
}

// grow returns a buffer of n bytes, in b where that is large enough.
func grow(b *[]byte, n int64) []byte {
	if int64(cap(*b)) < n {
		*b = make([]byte, n, n+n/4)
	}
	return (*b)[:n]
}

// helper returns the bench of a goroutine that may run beside the walk, nil when none is
// free. The bench must go to aside.
func (w *walk) helper() *bench {
	select {
	case w.helpers <- struct{}{}:
		return w.benches.Get().(*bench)
	default:
		return nil
	}
}

// aside runs f beside the walk. The first error stands for the visitor's.
func (w *walk) aside(b *bench, f func() error) {
	w.beside.Go(func() {
		if err := f(); err != nil {
			w.visited.CompareAndSwap(nil, &stopped{err})
		}
		w.benches.Put(b)
		<-w.helpers
	})
}
