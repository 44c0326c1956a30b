package archive

import (
	"bufio"
	"io"
	"math"
)

// A cursor reads a container from start to end. Where the content can be read
// at random, so can the members that are merely stored in it, and what is not
// needed is not read.
type cursor struct {
	w    *walk
	n    node
	pos  int64
	slow *bufio.Reader // over at, for the small reads between members
	from int64         // place in at of the next byte of slow
}

func (w *walk) cursor(n node) *cursor {
	c := &cursor{w: w, n: n}
	if n.at != nil {
		c.slow = w.buffer(&sectionFrom{c: c})
	}
	return c
}

func (c *cursor) close() {
	if c.slow != nil {
		c.w.release(c.slow)
	}
}

// sectionFrom feeds the buffer of a seekable cursor.
type sectionFrom struct{ c *cursor }

func (s *sectionFrom) Read(p []byte) (int, error) {
	c := s.c
	left := c.n.size - c.from
	if left <= 0 {
		return 0, io.EOF
	}
	// Headers lie between members: reading far ahead would be for nothing.
	n, err := c.n.at.ReadAt(p[:min(int64(len(p)), left, 8<<10)], c.from)
	c.from += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (c *cursor) buf() *bufio.Reader {
	if c.slow != nil {
		return c.slow
	}
	return c.n.br
}

// full fills p. The error is io.EOF only when nothing was left to read.
func (c *cursor) full(p []byte) (int, error) {
	n, err := io.ReadFull(c.buf(), p)
	c.pos += int64(n)
	return n, err
}

// Read implements io.Reader.
func (c *cursor) Read(p []byte) (int, error) {
	n, err := c.buf().Read(p)
	c.pos += int64(n)
	if c.slow != nil && err == nil {
		err = c.w.charge(int64(n))
	}
	return n, err
}

// skip passes over n bytes; it may pass the end of a seekable content.
func (c *cursor) skip(n int64) error {
	if n < 0 || c.pos > math.MaxInt64-n {
		return io.ErrUnexpectedEOF
	}
	if c.slow != nil {
		c.pos += n
		if k := int64(c.slow.Buffered()); n <= k {
			_, err := c.slow.Discard(int(n))
			return err
		}
		c.from = c.pos
		c.slow.Reset(&sectionFrom{c: c})
		return nil
	}
	for n > 0 {
		k, err := c.n.br.Discard(int(min(n, 1<<30)))
		n -= int64(k)
		c.pos += int64(k)
		if err != nil {
			return short(err)
		}
	}
	return nil
}

// open returns the next size bytes as a content of its own. The function skips what was
// not read of it and must be called before the cursor is used again.
func (c *cursor) open(size int64) (node, func() error) {
	if c.slow != nil {
		have := max(0, min(size, c.n.size-c.pos))
		return node{at: io.NewSectionReader(c.n.at, c.pos, have), size: have}, func() error {
			if err := c.skip(size); err != nil {
				return err
			}
			if have < size {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
	}
	part := &limited{r: c.n.br, left: size}
	br := c.w.buffer(part)
	return node{br: br, size: size}, func() error {
		c.w.release(br)
		c.pos += size - part.left
		return c.skip(part.left)
	}
}

// limited is io.LimitedReader, but for an early end, which is an error.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if err == io.EOF && l.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
