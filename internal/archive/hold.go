package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const chunkSize = 1 << 20

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
		return nil, &LimitError{Memory, w.limits.Memory}
	}
	if w.borrowed += n; w.borrowed/8 > w.limits.Bytes && w.over == nil {
		w.over = &LimitError{Bytes, w.limits.Bytes}
	}
	if err := w.charge(0); err != nil {
		return nil, err
	}
	if err := w.reserve(n); err != nil {
		return nil, err
	}
	return func() { w.held -= n }, nil
}

// drop gives the memory of h back.
func (w *walk) drop(h *held) {
	for _, c := range h.chunks {
		w.chunks.Put(c)
	}
	w.held -= int64(len(h.chunks)) * chunkSize
	h.chunks, h.size = nil, 0
}

// visitHeld visits a content of which only the start is held.
func (w *walk) visitHeld(n node, h *held) error {
	br := w.buffer(io.MultiReader(io.NewSectionReader(h, 0, h.size), h.rest))
	defer w.release(br)
	n.at, n.br = nil, br
	return w.visit(n)
}

// maxProgram is how much of a program in a stream is held to look for a zip at
// its end.
const maxProgram = 64 << 20

// sniff tells what n is. A program in a stream is held in memory for that, as a
// zip may follow it; the release function lets it go.
func (w *walk) sniff(n node) (Kind, node, func()) {
	nothing := func() {}
	if n.at != nil {
		head, tail := ends(n.at, n.size)
		return Sniff(head, tail), n, nothing
	}
	head, _ := n.br.Peek(HeadSize)
	kind := Sniff(head, nil)
	if kind != None || !mayCarryZip(head) || n.size > maxProgram {
		return kind, n, nothing
	}
	h, err := w.hold(n.br, n.size, min(maxProgram, w.limits.Memory))
	release := func() { w.drop(h) }
	if err != nil {
		return None, n, release
	}
	if h.rest == nil && h.err == nil {
		n.at, n.size = h, h.size
		head, tail := ends(h, h.size)
		return Sniff(head, tail), n, release
	}
	var rest io.Reader = failing{h.err}
	if h.rest != nil {
		rest = h.rest
	}
	br := w.buffer(io.MultiReader(io.NewSectionReader(h, 0, h.size), rest))
	n.br = br
	return None, n, func() { w.release(br); release() }
}

// failing is a reader that ends with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// ends reads the two ends of a content.
func ends(r io.ReaderAt, size int64) (head, tail []byte) {
	head = make([]byte, min(size, HeadSize))
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	if size <= HeadSize {
		return head, head
	}
	tail = make([]byte, TailSize)
	n, _ = r.ReadAt(tail, size-TailSize)
	return head, tail[:n]
}
