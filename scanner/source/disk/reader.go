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
	return source.Source{Walk: func(ctx context.Context, to source.Sink) error {
		// A read of r may wait for ever, as one of a terminal or a pipe does, and cannot be
		// interrupted. So the end of the context breaks a pipe between, and the goroutine
		// that waits for r is left behind until r answers; what it still reads is dropped.
		in, out := io.Pipe()
		defer in.Close()
		go func() {
			_, err := io.CopyBuffer(out, struct{ io.Reader }{r}, make([]byte, source.WindowSize))
			_ = out.CloseWithError(err) // nil means the end of the stream
		}()
		stop := context.AfterFunc(ctx, func() { _ = out.CloseWithError(ctx.Err()) })
		defer stop()
		head, broken := io.ReadAll(io.LimitReader(in, source.WholeLimit+1))
		var err error
		if len(head) > source.WholeLimit && broken == nil {
			whole := io.MultiReader(bytes.NewReader(head), in)
			_, broken, err = source.Windows(whole, at, make([]byte, source.WindowSize), source.Overlap, to.Blob)
		} else if len(head) > 0 || broken == nil {
			_, err = to.Blob(&source.Blob{At: at, Data: head})
		}
		switch {
		case err != nil:
			return err
		case broken != nil && ctx.Err() != nil:
			return ctx.Err()
		case broken != nil:
			return to.Problem(finding.Problem{Path: at.Path, Error: "reading stopped early: " + source.Reason(broken)})
		}
		return nil
	}}
}
