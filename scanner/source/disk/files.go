package disk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

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

// readUpTo fills buf. A file that yields the size it reported is not asked for more:
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

// errHolds ends the windows of a file that is handed over whole.
var errHolds = errors.New("the file holds something")

// readLarge hands a file over in windows. One that holds something is handed over
// whole instead, from the first window on that does, where memory allows: its first
// lines and the rest of it count as context.
func (r *fileReader) readLarge(ctx context.Context, f io.Reader, e entry, st stamp) error {
	before := 0
	hits, broken, err := source.Windows(&cancelReader{ctx, f}, finding.Location{Path: e.shown}, r.buf, source.Overlap, func(b *source.Blob) (int, error) {
		b.Open = opener(e.real)
		b.Window.Probe = st.size <= source.WholeLimit && !b.Window.Last
		hits, err := r.to.Blob(b)
		if b.Window.Probe && hits > 0 && err == nil {
			before, err = int(b.Window.Offset)+b.Window.Own.End, errHolds
		}
		return hits, err
	})
	if errors.Is(err, errHolds) {
		err = nil
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case broken != nil:
		return r.problem(e, broken)
	}
	if hits > 0 && st.size <= source.WholeLimit {
		if err := r.again(e, before); err != nil {
			return err
		}
	}
	if g, ok := f.(file); ok { // not a stream that began in the buffer
		if after, err := g.stat(); err != nil || after != st {
			return r.changed(e)
		}
	}
	return nil
}

// again hands a file over whole, of which so many bytes are counted, or all. Only one at
// a time is held.
func (w *walker) again(e entry, before int) error {
	w.whole.Lock()
	defer w.whole.Unlock()
	data, err := regular.ReadFile(e.real, source.WholeLimit)
	if err != nil {
		return w.problem(e, err)
	}
	_, err = w.to.Blob(&source.Blob{At: finding.Location{Path: e.shown}, Data: data, Again: before == 0, Before: min(before, len(data)), Open: opener(e.real)})
	return err
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

// Files hands over single files that a source has picked by name, each as
// a folder scan hands over one, with what the source knows of the place added.
type Files struct {
	to  source.Sink
	buf []byte
}

// NewFiles returns Files that hand over to a Sink, one after another.
func NewFiles(to source.Sink) Files { return Files{to, make([]byte, source.WindowSize)} }

// Send hands over one file. Symbolic links are followed; anything but a regular
// file is passed over; what cannot be read becomes a Problem of the place.
func (r Files) Send(ctx context.Context, at finding.Location, name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return r.to.Problem(source.Unreadable(at.Path, err))
	}
	f := &fileReader{walker: &walker{to: marking{r.to, at}}, buf: r.buf}
	return f.read(ctx, nil, entry{real: real, shown: at.Path})
}

// marking is a Sink that sets the exposure and context of every blob.
type marking struct {
	source.Sink
	at finding.Location
}

// Blob hands the blob on, marked.
func (m marking) Blob(b *source.Blob) (int, error) {
	b.At.Exposure, b.At.Context = m.at.Exposure, m.at.Context
	return m.Sink.Blob(b)
}

// RealPath follows symbolic links and, on Windows, spells the names as the disk
// does. A file that is gone keeps its name.
func RealPath(name string) string {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		if dir, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
			real = filepath.Join(dir, filepath.Base(name))
		} else {
			real = name
		}
	}
	if abs, err := filepath.Abs(real); err == nil {
		real = abs
	}
	return real
}
