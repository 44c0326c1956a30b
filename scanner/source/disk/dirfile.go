package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

// A fileReader is what one goroutine needs to read one file after another.
type fileReader struct {
	*walker
	buf  []byte
	blob source.Blob
}

func (r *fileReader) work(ctx context.Context) error {
	for {
		j, ok := r.queue.pop()
		if !ok {
			return ctx.Err()
		}
		err := r.do(ctx, j)
		r.queue.done()
		if err != nil {
			return err
		}
	}
}

func (r *fileReader) do(ctx context.Context, j job) (err error) {
	if j.dir != nil {
		if j, err = r.list(*j.dir); err != nil {
			return err
		}
	}
	defer j.in.release()
	for len(j.files) > 0 {
		if n := len(j.files); n > 1 && r.queue.idle.Load() > 0 { // these may be large archives
			j.in.retain()
			r.queue.push(job{files: j.files[n/2:], in: j.in})
			j.files = j.files[:n/2]
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.read(ctx, j.in, j.files[0]); err != nil {
			return err
		}
		j.files = j.files[1:]
	}
	return nil
}

// read hands one file over. What goes wrong with the file is a Problem; what comes
// back is an error of the sink or the end of the context.
func (r *fileReader) read(ctx context.Context, in *folder, e entry) error {
	f, err := openFile(in, e.real)
	if err != nil {
		return r.problem(e, err)
	}
	defer f.Close()
	st, err := f.stat()
	if err != nil {
		return r.problem(e, err)
	}
	switch {
	case !st.regular: // became something else since it was listed
		return nil
	case st.size > int64(len(r.buf)):
		return r.readLarge(ctx, f, e, st)
	}
	n, err := readUpTo(f, r.buf, st.size)
	if err != nil {
		return r.problem(e, err)
	}
	if n == len(r.buf) && st.size < int64(n) { // it grew, or is one of /proc, which say 0
		return r.readLarge(ctx, io.MultiReader(bytes.NewReader(bytes.Clone(r.buf)), f), e, st)
	}
	r.blob = source.Blob{At: finding.Location{Path: e.shown}, Data: r.buf[:n], Open: opener(e.real)}
	if _, err := r.to.Blob(&r.blob); err != nil {
		return err
	}
	if int64(n) != st.size && st.size > 0 {
		return r.changed(e)
	}
	return nil
}

// readUpTo fills buf. A file that yields the size it told is not asked for more:
// that saves a system call for each.
func readUpTo(f io.Reader, buf []byte, size int64) (n int, err error) {
	for n < len(buf) && (n == 0 || int64(n) != size) {
		m, err := f.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readLarge hands a file over in windows. One that holds something is handed over
// once more, whole, where memory allows: its first lines and the rest of it count
// as context.
func (r *fileReader) readLarge(ctx context.Context, f io.Reader, e entry, st stamp) error {
	var ended error
	hits, err := source.Windows(&cancelReader{ctx, f}, finding.Location{Path: e.shown}, r.buf, source.Overlap, func(b *source.Blob) (int, error) {
		b.Open = opener(e.real)
		var n int
		n, ended = r.to.Blob(b)
		return n, ended
	})
	switch {
	case ended != nil:
		return ended
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return r.problem(e, err)
	}
	if hits > 0 && st.size <= source.WholeLimit {
		if err := r.again(e); err != nil {
			return err
		}
	}
	if g, ok := f.(file); ok {
		return r.checkStamp(g, e, st)
	}
	return nil
}

// again hands a file over whole. Only one at a time is held.
func (w *walker) again(e entry) error {
	w.whole.Lock()
	defer w.whole.Unlock()
	data, err := regular.ReadFile(e.real, source.WholeLimit)
	if err != nil {
		return w.problem(e, err)
	}
	_, err = w.to.Blob(&source.Blob{At: finding.Location{Path: e.shown}, Data: data, Again: true, Open: opener(e.real)})
	return err
}

func (w *walker) checkStamp(f file, e entry, before stamp) error {
	if after, err := f.stat(); err != nil || after != before {
		return w.changed(e)
	}
	return nil
}

func (w *walker) changed(e entry) error {
	return w.to.Problem(finding.Problem{Path: e.shown, Error: "changed while being read", Hint: "scan again when nothing writes to it"})
}

func opener(name string) func() (source.Content, error) {
	return func() (source.Content, error) {
		f, size, err := regular.Open(name)
		if err != nil {
			return nil, err
		}
		return content{f, size}, nil
	}
}

type content struct {
	*os.File
	size int64
}

func (c content) Size() int64 { return c.size }
