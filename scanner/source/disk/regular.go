package disk

import (
	"context"
	"os"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

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

// Exists reports whether a folder has an entry of that name; not, for the folder "".
func Exists(dir, name string) bool {
	if dir == "" {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}
