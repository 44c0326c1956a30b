package pack

import (
	"fmt"
	"runtime"
)

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }

// An Object is what a sweep hands over. It and all it points to are only valid
// during the call, and must not be written to.
type Object struct {
	ID   ID
	Kind Kind
	// Pack is the path of the pack the object was read from; "" for a loose one.
	Pack string
	Data []byte
	// Fresh are the places, in order, where Data differs from an object that was
	// handed over before and in which nothing was hit; nil means all of Data.
	//
	// A span of no length is a seam: the bytes on both sides of it, or of the
	// start or end of Data, were not neighbours before. So whoever looks for
	// tokens must widen each span to the tokens that touch it, on both sides.
	// A match that touches no span was in the earlier object, byte for byte.
	Fresh []Span
	// Window is set when Data is a part of an object too large to hold.
	Window *Window
}

// A Window places a part of a large object in the whole. Neighbouring windows
// overlap, so that what straddles a border is whole in one of them.
type Window struct {
	Offset int64 // of Data[0] in the object
	Size   int64 // of the object
	// Own is the part of Data this window answers for: each byte of the object
	// is Own in exactly one window.
	Own Span
	// Last is set on the final window.
	Last bool
}

// A Problem is something in the store that could not be read.
type Problem struct {
	ID     ID     // of the object; zero when a whole file or folder is meant
	Path   string // of the file
	Offset int64  // in Path, where that says more; else 0
	Err    error
}

func (p Problem) Error() string {
	switch {
	case p.ID.IsZero():
		return fmt.Sprintf("%s: %v", p.Path, p.Err)
	case p.Path == "":
		return fmt.Sprintf("object %s: %v", p.ID, p.Err)
	}
	return fmt.Sprintf("object %s in %s at %d: %v", p.ID, p.Path, p.Offset, p.Err)
}

// Unwrap gives the cause.
func (p Problem) Unwrap() error { return p.Err }

// Options say what a store is made of and what it may cost. The zero value reads
// the repository as git would with an empty environment.
type Options struct {
	// ObjectDir is read in place of the repository's own object folder, as git
	// does with GIT_OBJECT_DIRECTORY.
	ObjectDir string
	// Alternates are further object folders, as in
	// GIT_ALTERNATE_OBJECT_DIRECTORIES.
	Alternates []string
	// StreamOver is the size in bytes above which an object that is neither a
	// delta nor the base of one is handed over in windows. Default 32 MiB.
	StreamOver int64
	// HoldMost bounds the bytes that the large members (over 16 MiB) of one
	// delta chain may take in memory. Objects that would go beyond are a
	// Problem. Default 1 GiB.
	HoldMost int64
	// ExpandMost bounds the bytes that one sweep makes of deltas, to an allowance
	// of 64 GiB and then this many bytes for each byte of the packs. What goes
	// beyond is a Problem. Default 100,000.
	ExpandMost int64
	// Problem is told of everything that could not be read, from any goroutine;
	// what it names has not been handed over unless the error is ErrWrongContent.
	// Nil drops them.
	Problem func(Problem)
}

func (o Options) withDefaults() Options {
	setDefault(&o.StreamOver, 32<<20)
	setDefault(&o.HoldMost, 1<<30)
	setDefault(&o.ExpandMost, 100_000)
	if o.Problem == nil {
		o.Problem = func(Problem) {}
	}
	return o
}

func setDefault(v *int64, to int64) {
	if *v == 0 {
		*v = to
	}
}

func defaultJobs(jobs int) int {
	if jobs <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return jobs
}
