// Package archive walks the members of a container: archives, compressed
// streams, packages and disk-image layers, nested in any order. Containers are
// recognised by their content, never by their name. Members are streamed: nothing is
// written to disk, and only a container that must be read at random inside a
// stream is held in memory, up to a limit.
//
// The readers are tolerant where that finds more: a tar that is damaged, a zip
// whose directory is gone, entries that the directory does not name. What cannot
// be read, and each limit that is reached, goes to Visitor.Problem with the path of the
// member; nothing is skipped in silence.
//
// The compressions come from libraries. The containers are read here, because the
// readers that exist trust what they read or give up on it:
//
//   - zip: archive/zip reads the directory alone, all of it into memory, and so misses
//     deleted and hidden members and archives without a directory;
//   - tar: archive/tar ends at the first header that is damaged, and reads the zeros of
//     sparse files;
//   - 7z: libraries make as many structures as a header announces, and hold the folders'
//     dictionaries without a bound;
//   - xz: see xz.go; ar, cpio, rpm, pdf: a page each.
//
// The files call in one direction: archive.go (what callers use), walk.go (the recursion:
// every reader of a format hands its members back to enter), the formats (zip*.go,
// tar*.go, seven*.go, ar.go, cpio.go, pdf.go, stream.go), and what these share
// (decode.go, xz.go, filters.go, cursor.go, hold.go, kind.go).
package archive

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/b10lint/b10lint/internal/inflate"
	"github.com/b10lint/b10lint/internal/span"
)

// Limits bound the work on one outermost container. A zero field stands for the
// default, but for MemberBytes, where it means no limit of its own.
type Limits struct {
	// Depth is how many containers may lie in one another, a compressed stream
	// counting as one.
	Depth int
	// Members is how many members are read, in all levels together.
	Members int64
	// Bytes is how many bytes are unpacked, in all levels together. Bytes that
	// are merely stored do not count until they exceed twice the container.
	Bytes int64
	// MemberBytes is how many bytes of one member are read.
	MemberBytes int64
	// Memory is how many bytes one walk holds for containers that must be read
	// at random and lie in a stream. A Walker lets only one walk at a time hold
	// more than a few MiB.
	Memory int64
	// Ratio is how many times its packed size a stream may unpack to once it has
	// made 100 MiB.
	Ratio int64
	// Jobs is how many goroutines share the members of one container, and bounds those
	// of all walks of a Walker; 0 means one a processor. What is found does not depend
	// on it.
	Jobs int
}

// ratioFloor is the size below which no stream is taken for a bomb.
const ratioFloor = 100 << 20

// DefaultLimits returns the limits that stand for zero fields.
func DefaultLimits() Limits {
	return Limits{Depth: 8, Members: 1_000_000, Bytes: 16 << 30, Memory: 96 << 20, Ratio: 1000}
}

// A LimitError says that something was not read because a limit was reached.
type LimitError struct {
	Limit string // "depth", "members", "bytes", "member-bytes", "memory" or "ratio"
	Max   int64
}

const (
	limitDepth       = "depth"
	limitMembers     = "members"
	limitBytes       = "bytes"
	limitMemberBytes = "member-bytes"
	limitMemory      = "memory"
	limitRatio       = "ratio"
)

// Error says which limit ended what.
func (e *LimitError) Error() string {
	switch e.Limit {
	case limitDepth:
		return fmt.Sprintf("not unpacked: it lies in %d containers already, the limit", e.Max)
	case limitMembers:
		return fmt.Sprintf("unpacking ended after %d members, the limit", e.Max)
	case limitBytes:
		return fmt.Sprintf("unpacking ended after %d bytes, the limit", e.Max)
	case limitMemberBytes:
		return fmt.Sprintf("only the first %d bytes were read, the limit for one member", e.Max)
	case limitMemory:
		return fmt.Sprintf("not unpacked: it can only be read as a whole and does not fit in the %d bytes set for that", e.Max)
	}
	return fmt.Sprintf("unpacking ended: it unpacks to more than %d times its size, as a decompression bomb does", e.Max)
}

// An UnsupportedError says that a format or a method was recognised and cannot
// be read.
type UnsupportedError struct{ What string }

// Error names the format or the method.
func (e *UnsupportedError) Error() string { return e.What + " cannot be read" }

// An OddError says that something is not as it should be although all of it was
// read.
type OddError struct{ What string }

// Error says what is odd.
func (e *OddError) Error() string { return e.What }

// ErrEncrypted is wrapped by the problems of members that need a password.
var ErrEncrypted = errors.New("encrypted")

// A Member is one file in a container, or one stream of a document. Its content is
// valid until the visitor returns. Reader ends with io.EOF even where the content is
// damaged or a limit was reached, which the walk reports itself.
type Member struct {
	// Path is the names of the levels, joined by "!". Names are as they stand in
	// the container, which may hold anything: they are for display only.
	Path   string
	Size   int64 // as declared; -1 when not known
	Reader io.Reader
	// Data is the content itself where that is whole in memory, else nil.
	Data []byte
	// Fresh are the ranges of Data that were not in another member before; nil means all.
	Fresh []span.Span
	// Inline is set where the outermost content is not an archive, which is made to be
	// passed on, but a text, a database or the like.
	Inline bool
}

// A Visitor receives what a walk finds. Problem is called from one goroutine, Member from
// as many at once as Limits.Jobs says; it returns how many matches it made. An error from either function ends the walk
// and is returned by it. The path of a problem is empty when it lies with the outermost
// container itself.
type Visitor struct {
	Member  func(Member) (hits int, err error)
	Problem func(path string, err error) error
}

// A Walker walks containers. It may be used by several goroutines at once; they
// share its buffers, its memory limit and its jobs.
type Walker struct {
	limits  Limits
	big     chan struct{} // held by the one walk that may hold much memory
	helpers chan struct{} // held by each goroutine that runs beside the walks
	buffers sync.Pool     // *bufio.Reader
	chunks  sync.Pool     // *[chunkSize]byte
	gzips   sync.Pool     // *gzip.Reader
	flates  sync.Pool     // io.ReadCloser that is a flate.Resetter
	zlibs   sync.Pool     // io.Reader that is a zlib.Resetter
	zstds   sync.Pool     // *zstd.Decoder
	benches sync.Pool     // *bench
}

// NewWalker returns a Walker that holds to the limits.
func NewWalker(limits Limits) *Walker {
	d := DefaultLimits()
	limits.Depth = cmp.Or(max(0, limits.Depth), d.Depth)
	limits.Members = cmp.Or(max(0, limits.Members), d.Members)
	limits.Bytes = cmp.Or(max(0, limits.Bytes), d.Bytes)
	limits.Memory = cmp.Or(max(0, limits.Memory), d.Memory)
	limits.Ratio = cmp.Or(max(0, limits.Ratio), d.Ratio)
	limits.Jobs = cmp.Or(max(0, limits.Jobs), runtime.GOMAXPROCS(0))
	// Each helper holds a member, packed and unpacked.
	helpers := min(limits.Jobs-1, int(limits.Memory/(2*maxWhole)))
	w := &Walker{limits: limits, big: make(chan struct{}, 1), helpers: make(chan struct{}, helpers)}
	w.buffers.New = func() any { return bufio.NewReaderSize(nil, bufferSize) }
	w.chunks.New = func() any { return new([chunkSize]byte) }
	w.benches.New = func() any { return &bench{inflater: new(inflate.Decoder)} }
	return w
}

// Walk visits the members of the container that r holds. Name is what the
// content is called; it only lends its name to what a compressed stream holds.
// Content that is not a container is not visited at all.
// The error is ctx's or the visitor's.
func (w *Walker) Walk(ctx context.Context, r io.ReaderAt, size int64, name string, v Visitor) error {
	kind := sniff(ends(r, size))
	if kind == none {
		return nil
	}
	k := &walk{ctx: ctx, Walker: w, v: v, inline: kind.inline(), input: func() int64 { return size }}
	return k.run(func() error { return k.container(kind, node{at: r, size: size, base: baseName(name), outer: true}) })
}

// WalkStream is Walk for content that can be read only once. It reads r to its
// end where the content is a container, and not beyond the first bytes otherwise.
func (w *Walker) WalkStream(ctx context.Context, r io.Reader, name string, v Visitor) error {
	c := &counter{r: r}
	k := &walk{ctx: ctx, Walker: w, v: v, input: func() int64 { return c.n }}
	br := w.buffer(c)
	defer w.release(br)
	head, _ := br.Peek(headSize)
	kind := sniff(head, nil)
	if kind == none {
		return nil
	}
	k.inline = kind.inline()
	return k.run(func() error { return k.container(kind, node{br: br, size: -1, base: baseName(name), outer: true}) })
}

// WalkEncoded visits the members of the containers that a text holds in base64 or
// hexadecimal. The text is not visited itself. line is how many lines of it come before r.
func (w *Walker) WalkEncoded(ctx context.Context, r io.Reader, line int, v Visitor) error {
	c := &counter{r: r}
	k := &walk{ctx: ctx, Walker: w, v: v, inline: true, input: func() int64 { return c.n }}
	return k.run(func() error {
		s := &spotter{w: k, line: line}
		br := w.buffer(&spotting{c, s})
		defer w.release(br)
		_, err := io.Copy(io.Discard, br)
		return cmp.Or(s.end(), err)
	})
}
