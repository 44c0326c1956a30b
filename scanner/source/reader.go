package source

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/b10lint/b10lint/finding"
)

// Reader is a Source over one stream, such as standard input. What fits in
// WholeLimit is handed over whole, more in windows.
func Reader(r io.Reader, at finding.Location) Source { return reader{r, at} }

type reader struct {
	r  io.Reader
	at finding.Location
}

func (s reader) Walk(ctx context.Context, to Sink) error {
	in := newPatient(ctx, s.r)
	defer in.Close()
	head, err := io.ReadAll(io.LimitReader(in, WholeLimit+1))
	switch {
	case err != nil:
		return s.broken(ctx, to, head, err)
	case len(head) <= WholeLimit:
		_, err = to.Blob(&Blob{At: s.at, Data: head})
		return err
	}
	var ended error
	whole := io.MultiReader(bytes.NewReader(head), in)
	_, err = stream(whole, s.at, make([]byte, windowSize), overlap, func(b *Blob) (int, error) {
		var n int
		n, ended = to.Blob(b)
		return n, ended
	})
	if err != nil && ended == nil {
		return s.broken(ctx, to, nil, err)
	}
	return err
}

// broken scans what came before the stream broke, or before the context ended, and
// reports that it did.
func (s reader) broken(ctx context.Context, to Sink, head []byte, cause error) error {
	if len(head) > 0 {
		if _, err := to.Blob(&Blob{At: s.at, Data: head}); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return to.Problem(finding.Problem{Path: s.at.Path, Error: "reading stopped early: " + reason(cause)})
}

// newPatient returns a reader whose Read fails as soon as the context ends, also
// while a read of r waits, as one of a terminal or a pipe may for ever. The
// goroutine that waits for r is left behind until r answers; nothing else can be
// done about it, and what it still reads is dropped.
func newPatient(ctx context.Context, r io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		_, err := io.CopyBuffer(in, struct{ io.Reader }{r}, make([]byte, windowSize))
		_ = in.CloseWithError(err) // nil means the end of the stream
	}()
	stop := context.AfterFunc(ctx, func() { _ = in.CloseWithError(ctx.Err()) })
	return &patient{out, stop}
}

type patient struct {
	*io.PipeReader
	stop func() bool
}

func (p *patient) Close() error {
	p.stop()
	return p.PipeReader.Close()
}

// A cancelReader ends when its context does, at the next read.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// reason returns the plain words of an error, without the path that a Problem
// carries beside them.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
