package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// A namedReader hands over single files that a source has picked by name, each as
// a folder scan hands over one, with what the source knows of the place added.
type namedReader struct {
	to  Sink
	buf []byte
}

func newNamedReader(to Sink) namedReader { return namedReader{to, make([]byte, windowSize)} }

// send hands over one file. Symbolic links are followed; anything but a regular
// file is passed over; what cannot be read becomes a Problem of the place.
func (r namedReader) send(ctx context.Context, at finding.Location, name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return r.to.Problem(unreadable(at.Path, err))
	}
	f := &fileReader{walker: &walker{to: marking{r.to, at}}, buf: r.buf}
	return f.read(ctx, nil, entry{real: real, shown: at.Path})
}

// marking is a Sink that sets the exposure and context of every blob.
type marking struct {
	Sink
	at finding.Location
}

// Blob hands the blob on, marked.
func (m marking) Blob(b *Blob) (int, error) {
	b.At.Exposure, b.At.Context = m.at.Exposure, m.at.Context
	return m.Sink.Blob(b)
}

// unreadable is the Problem of a place that is there and cannot be read.
func unreadable(name string, err error) finding.Problem {
	var pe *fs.PathError
	if errors.As(err, &pe) { // the path is the Problem's
		err = pe.Err
	}
	p := finding.Problem{Path: filepath.ToSlash(name), Error: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		p.Hint = "run as a user who may read it"
	}
	return p
}

// told reports whether a list has a Problem of the same place and words.
func told(problems []finding.Problem, p finding.Problem) bool {
	return slices.ContainsFunc(problems, func(q finding.Problem) bool { return q.Path == p.Path && q.Error == p.Error })
}

// maxSmall is the largest file that is read to be understood and not to be scanned.
const maxSmall = 4 << 20

// readSmall reads a regular file that a program reads whole.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(data) > maxSmall {
		err = fmt.Errorf("is larger than %d bytes", maxSmall)
	}
	return data, err
}
