// Package archive walks the members of a container: archives, compressed
// streams, packages and disk-image layers, nested in any order. Containers are
// told by their content, never by their name. Members are streamed: nothing is
// written to disk, and only a container that must be read at random inside a
// stream is held in memory, up to a limit.
//
// The readers are tolerant where that finds more: a tar that is damaged, a zip
// whose directory is gone, entries that the directory does not name. What cannot
// be read is told to Visitor.Problem with the path of the member; nothing is
// left out without a word.
package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Limits bound the work on one outermost container. A zero field stands for the
// default, but for MemberBytes, where it means no limit of its own.
type Limits struct {
	// Depth is how many containers may lie in one another, a compressed stream
	// counting as one.
	Depth int
	// Members is how many members are looked at, in all levels together.
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
	// made RatioFloor bytes.
	Ratio int64
}

// RatioFloor is the size below which no stream is taken for a bomb.
const RatioFloor = 100 << 20

// DefaultLimits returns the limits that stand for zero fields.
func DefaultLimits() Limits {
	return Limits{Depth: 8, Members: 1_000_000, Bytes: 16 << 30, Memory: 96 << 20, Ratio: 1000}
}

func (l Limits) filled() Limits {
	d := DefaultLimits()
	if l.Depth <= 0 {
		l.Depth = d.Depth
	}
	if l.Members <= 0 {
		l.Members = d.Members
	}
	if l.Bytes <= 0 {
		l.Bytes = d.Bytes
	}
	if l.Memory <= 0 {
		l.Memory = d.Memory
	}
	if l.Ratio <= 0 {
		l.Ratio = d.Ratio
	}
	return l
}

// A Limit names one of the Limits.
type Limit string

// The limits.
const (
	Depth       Limit = "depth"
	Members     Limit = "members"
	Bytes       Limit = "bytes"
	MemberBytes Limit = "member-bytes"
	Memory      Limit = "memory"
	Ratio       Limit = "ratio"
)

// A LimitError says that something was left out because a limit was reached.
type LimitError struct {
	Limit Limit
	Max   int64
}

// Error says which limit ended what.
func (e *LimitError) Error() string {
	switch e.Limit {
	case Depth:
		return fmt.Sprintf("not unpacked: it lies in %d containers already, the limit", e.Max)
	case Members:
		return fmt.Sprintf("unpacking ended after %d members, the limit", e.Max)
	case Bytes:
		return fmt.Sprintf("unpacking ended after %d bytes, the limit", e.Max)
	case MemberBytes:
		return fmt.Sprintf("only the first %d bytes were read, the limit for one member", e.Max)
	case Memory:
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

// A Member is one file in a container, or one stream of a document. Reader gives
// its content and is valid until the visitor returns; it ends with io.EOF even
// where the content is damaged or a limit was reached, which the walk reports
// itself.
type Member struct {
	// Path is the names of the levels, joined by "!". Names are as they stand in
	// the container, which may hold anything: they are for display only.
	Path   string
	Size   int64 // as declared; -1 when not known
	Reader io.Reader
}

// A Visitor receives what a walk finds, all from one goroutine. An error from
// either function ends the walk and is returned by it. The path of a problem is
// empty when it lies with the outermost container itself.
type Visitor struct {
	Member  func(Member) error
	Problem func(path string, err error) error
}

// A Walker walks containers. It may be used by several goroutines at once; they
// share its buffers and its memory limit.
type Walker struct {
	limits  Limits
	big     chan struct{} // held by the one walk that may hold much memory
	buffers sync.Pool     // *bufio.Reader
	chunks  sync.Pool     // *[chunkSize]byte
	flates  sync.Pool     // io.ReadCloser that is a flate.Resetter
	zstds   sync.Pool     // *zstd.Decoder
}

// NewWalker returns a Walker that holds to the limits.
func NewWalker(limits Limits) *Walker {
	w := &Walker{limits: limits.filled(), big: make(chan struct{}, 1)}
	w.buffers.New = func() any { return bufio.NewReaderSize(nil, bufferSize) }
	w.chunks.New = func() any { return new([chunkSize]byte) }
	return w
}

// Limits returns the limits in force.
func (w *Walker) Limits() Limits { return w.limits }

// Walk visits the members of the container that r holds. Name is what the
// content is called; it only lends its name to what a compressed stream holds.
// Content that is no container is not visited at all, and Walk returns None.
// The error is ctx's or the visitor's.
func (w *Walker) Walk(ctx context.Context, r io.ReaderAt, size int64, name string, v Visitor) (Kind, error) {
	head, tail := ends(r, size)
	kind := Sniff(head, tail)
	if kind == None {
		return None, nil
	}
	k := &walk{ctx: ctx, Walker: w, v: v, input: func() int64 { return size }}
	n := node{at: r, size: size, base: baseName(name), outer: true}
	return kind, k.run(kind, n)
}

// WalkStream is Walk for content that can be read only once. It reads r to its
// end where the content is a container, and not beyond the first bytes otherwise.
func (w *Walker) WalkStream(ctx context.Context, r io.Reader, name string, v Visitor) (Kind, error) {
	c := &counter{r: r}
	k := &walk{ctx: ctx, Walker: w, v: v, input: func() int64 { return c.n }}
	br := w.buffer(c)
	defer w.release(br)
	head, _ := br.Peek(HeadSize)
	kind := Sniff(head, nil)
	if kind == None {
		return None, nil
	}
	return kind, k.run(kind, node{br: br, size: -1, base: baseName(name), outer: true})
}

func (w *Walker) buffer(r io.Reader) *bufio.Reader {
	br := w.buffers.Get().(*bufio.Reader)
	br.Reset(r)
	return br
}

func (w *Walker) release(br *bufio.Reader) {
	br.Reset(nil)
	w.buffers.Put(br)
}

// zstd returns a decoder for r that uses no goroutines and little memory.
func (w *Walker) zstd(r io.Reader) (*zstd.Decoder, error) {
	if d, ok := w.zstds.Get().(*zstd.Decoder); ok {
		return d, d.Reset(r)
	}
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxDictionary))
}
