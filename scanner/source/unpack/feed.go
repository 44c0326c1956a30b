package unpack

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/scanner/source"
)

// A feed unpacks a stream that can be read only once, such as standard input: the
// windows go on to the sink as they come, and their bytes to a walk beside it.
type feed struct {
	in   *io.PipeWriter // nil when the stream is no archive
	next int64          // offset of the first byte that was not fed
	done chan struct{}
	err  error // of the walk; valid once done is closed
}

// A feedKey distinguishes the streams that a source hands over at the same time.
type feedKey struct{ repository, path, member, blob, object string }

func keyOf(at finding.Location) feedKey {
	return feedKey{at.Repository, at.Path, at.Member, at.Blob, at.Object}
}

// feed passes a window on to the walk of its stream, which the first one starts.
func (s *unpackSink) feed(b *source.Blob) error {
	key := keyOf(b.At)
	s.mu.Lock()
	f := s.feeds[key]
	if b.Window.Offset == 0 || f != nil && f.in == nil && archive.Carries(b.Data, nil) {
		f = s.startFeed(b)
		s.feeds[key] = f
	}
	if b.Window.Last {
		delete(s.feeds, key)
	}
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	if f.in == nil {
		if b.Window.Last && archive.EndsLikeZip(b.Data) {
			return s.to.Problem(finding.Problem{Path: b.At.Path, Member: b.At.Member, Object: b.At.Blob,
				Error: "ends like a zip archive that follows other data, which cannot be unpacked from a stream",
				Hint:  "save it to a file and scan that"})
		}
		return nil
	}
	if fresh := f.next - b.Window.Offset; fresh >= 0 && fresh < int64(len(b.Data)) {
		f.next = b.Window.Offset + int64(len(b.Data))
		if _, err := f.in.Write(b.Data[fresh:]); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			<-f.done
			return err
		}
	}
	if !b.Window.Last {
		return nil
	}
	f.in.Close()
	<-f.done
	return f.err
}

func (s *unpackSink) startFeed(b *source.Blob) *feed {
	packed := b.Window.Offset == 0 && archive.Sniff(b.Data, nil)
	if !packed && !archive.Carries(b.Data, nil) {
		return &feed{}
	}
	out, in := io.Pipe()
	f := &feed{in: in, next: b.Window.Offset, done: make(chan struct{})}
	at, line := b.At, b.Window.Line
	go func() {
		defer close(f.done)
		if packed {
			f.err = s.walker.WalkStream(s.ctx, out, at.Path, s.visitor(at, nil))
		} else {
			f.err = s.walker.WalkEncoded(s.ctx, out, line, s.visitor(at, nil))
		}
		// What the walk has no use for must not hold the source up. A sink that
		// wants to stop must be heard by the source.
		if f.err != nil {
			out.CloseWithError(f.err)
		} else {
			out.Close()
		}
	}()
	return f
}

// abandon ends the walks of streams whose last window never came.
func (s *unpackSink) abandon() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for _, f := range s.feeds {
		if f.in == nil {
			continue
		}
		f.in.CloseWithError(io.ErrUnexpectedEOF)
		<-f.done
		if first == nil {
			first = f.err
		}
	}
	clear(s.feeds)
	return first
}

// An unpackSink stands between a source and its sink.
type unpackSink struct {
	walker  *archive.Walker
	windows *sync.Pool // *[]byte
	ctx     context.Context
	to      source.Sink
	mu      sync.Mutex
	feeds   map[feedKey]*feed // streams that are being unpacked
	// carriers are the files that are being shown in windows and are archives, or texts in
	// which an encoded one was seen; true for the latter.
	carriers map[feedKey]bool
}

// Problem implements Sink.
func (s *unpackSink) Problem(p finding.Problem) error { return s.to.Problem(p) }

// visitor hands over the members of the archive at a place. It counts what is found in
// them, and what could not be read, where counted is not nil.
func (s *unpackSink) visitor(of finding.Location, counted *atomic.Int64) archive.Visitor {
	count := func(n int) {
		if counted != nil {
			counted.Add(int64(n))
		}
	}
	// path is a member's path below whatever member the archive itself is.
	path := func(member string) string {
		if of.Member == "" || member == "" {
			return of.Member + member
		}
		return of.Member + "!" + member
	}
	return archive.Visitor{
		Member: func(in archive.Member) (int, error) {
			at := of
			at.Member = path(in.Path)
			if !in.Inline {
				at.Exposure = shipped(at)
			}
			if in.Data != nil {
				hits, err := s.to.Blob(&source.Blob{At: at, Data: in.Data, Fresh: in.Fresh})
				count(hits)
				return hits, err
			}
			buf := s.windows.Get().(*[]byte)
			defer s.windows.Put(buf)
			hits, broken, err := source.Windows(in.Reader, at, *buf, source.Overlap, func(b *source.Blob) (int, error) {
				if b.Window.Offset == 0 && b.Window.Last {
					b.Window = nil
				}
				return s.to.Blob(b)
			})
			count(hits)
			return hits, cmp.Or(err, broken)
		},
		Problem: func(member string, err error) error {
			count(1)
			p := finding.Problem{Path: of.Path, Member: path(member), Object: of.Blob, Repository: of.Repository, Error: err.Error()}
			var limit *archive.LimitError
			var unsupported *archive.UnsupportedError
			var odd *archive.OddError
			switch {
			case errors.As(err, &odd):
				p.Warning = true
			case errors.As(err, &limit):
				p.Hint = "raise it with --archive-" + limit.Limit
			case errors.Is(err, archive.ErrEncrypted):
				p.Hint = "unpack it with its password and scan what comes out"
			case errors.As(err, &unsupported):
				p.Hint = "unpack it with its own program and scan what comes out"
			}
			return s.to.Problem(p)
		},
	}
}

// shipped is the exposure of a member: Shipped, unless git knows how far the archive got.
func shipped(at finding.Location) finding.Exposure {
	if at.Blob != "" || at.Exposure.Rank() > finding.Shipped.Rank() {
		return at.Exposure
	}
	return finding.Shipped
}
