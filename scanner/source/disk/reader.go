package disk

import (
	"bytes"
	"context"
	"io"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// Reader returns a Source over one stream, such as standard input. What fits in
// WholeLimit is handed over whole, more in windows.
func Reader(r io.Reader, at finding.Location) source.Source {
	return source.Source{Walk: reader{r, at}.walk}
}

type reader struct {
	r  io.Reader
	at finding.Location
}

func (s reader) walk(ctx context.Context, to source.Sink) error {
	in := newPatient(ctx, s.r)
	defer in.Close()
	head, err := io.ReadAll(io.LimitReader(in, source.WholeLimit+1))
	switch {
	case err != nil:
		return s.broken(ctx, to, head, err)
	case len(head) <= source.WholeLimit:
		_, err = to.Blob(&source.Blob{At: s.at, Data: head})
		return err
	}
	var ended error
	whole := io.MultiReader(bytes.NewReader(head), in)
	_, err = source.Windows(whole, s.at, make([]byte, source.WindowSize), source.Overlap, func(b *source.Blob) (int, error) {
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
func (s reader) broken(ctx context.Context, to source.Sink, head []byte, cause error) error {
	if len(head) > 0 {
		if _, err := to.Blob(&source.Blob{At: s.at, Data: head}); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return to.Problem(finding.Problem{Path: s.at.Path, Error: "reading stopped early: " + source.Reason(cause)})
}

// newPatient returns a reader whose Read fails as soon as the context ends, also
// while a read of r waits, as one of a terminal or a pipe may for ever. The
// goroutine that waits for r is left behind until r answers; nothing else can be
// done about it, and what it still reads is dropped.
func newPatient(ctx context.Context, r io.Reader) io.ReadCloser {
	out, in := io.Pipe()
	go func() {
		_, err := io.CopyBuffer(in, struct{ io.Reader }{r}, make([]byte, source.WindowSize))
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
