package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

const (
	// wholeFile is the largest file that is handed over in one piece.
	wholeFile = 8 << 20
	// windowStep is how far the windows of a larger file are apart, and
	// windowLap how much of its neighbours each one shows on both sides.
	windowStep = 4 << 20
	windowLap  = 64 << 10
)

// A diskContent is a file that is opened again.
type diskContent struct {
	*os.File
	size int64
}

func (c diskContent) Size() int64 { return c.size }

func openContent(name string) (Content, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return diskContent{f, info.Size()}, nil
}

// sendFile hands a regular file to a sink, in windows when it is large. What
// cannot be read becomes a Problem of the place. The caller has seen that the file
// is regular; one that is a pipe by now is refused once it can be opened.
func sendFile(ctx context.Context, to Sink, at finding.Location, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return to.Problem(unreadable(at, err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file")
	}
	if err != nil {
		return to.Problem(unreadable(at, err))
	}
	open := func() (Content, error) { return openContent(name) }
	if info.Size() > wholeFile {
		return sendWindows(ctx, to, at, f, open)
	}
	data, err := io.ReadAll(io.LimitReader(f, wholeFile+1))
	if err != nil {
		return to.Problem(unreadable(at, err))
	}
	if len(data) > wholeFile { // it grew meanwhile
		return sendWindows(ctx, to, at, f, open)
	}
	_, err = to.Blob(&Blob{At: at, Data: data, Open: open})
	return err
}

// unreadable words a failure to read a place. The path stands in the Problem and
// so is taken out of the error.
func unreadable(at finding.Location, err error) finding.Problem {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	p := finding.Problem{Path: at.Path, Member: at.Member, Error: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		p.Hint = "run as a user who may read it"
	}
	return p
}

// sendWindows hands over a file of any size with a fixed amount of memory.
func sendWindows(ctx context.Context, to Sink, at finding.Location, f io.ReaderAt, open func() (Content, error)) error {
	var w Window
	for own := int64(0); ; own += windowStep {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := max(0, own-windowLap)
		data := make([]byte, own-start+windowStep+windowLap)
		n, err := f.ReadAt(data, start)
		if err != nil && !errors.Is(err, io.EOF) {
			return to.Problem(unreadable(at, err))
		}
		data = data[:n]
		cut := 0 // so that the window starts with a whole character
		for start > 0 && cut < len(data) && cut < utf8.UTFMax && !utf8.RuneStart(data[cut]) {
			cut++
		}
		here := w
		here.Offset = start + int64(cut)
		here.Last = err != nil
		here.Own = finding.Span{Start: int(own - here.Offset), End: int(own - here.Offset + windowStep)}
		if here.Last {
			here.Own.End = n - cut
		}
		here.Own.Start = min(here.Own.Start, here.Own.End)
		if _, err := to.Blob(&Blob{At: at, Data: data[cut:], Window: &here, Open: open}); err != nil || here.Last {
			return err
		}
		w = advance(here, data[cut:], own+windowStep-windowLap)
	}
}

// advance moves a window's line and column on to the first character at or after
// an offset in the file.
func advance(w Window, data []byte, to int64) Window {
	for i := 0; int64(i)+w.Offset < to; {
		r, n := utf8.DecodeRune(data[i:])
		if n == 0 {
			break
		}
		i += n
		switch {
		case r == '\n':
			w.Line, w.Column, w.Column16 = w.Line+1, 0, 0
		case r > 0xffff:
			w.Column, w.Column16 = w.Column+1, w.Column16+2
		default:
			w.Column, w.Column16 = w.Column+1, w.Column16+1
		}
	}
	return w
}
