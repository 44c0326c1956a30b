package unpack

import (
	"errors"
	"io"

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

// feed passes a window on to the walk of its stream, which the first one starts.
func (s *unpackSink) feed(b *source.Blob) error {
	key := feedKey{b.At.Repository, b.At.Path, b.At.Member, b.At.Blob, b.At.Object}
	s.mu.Lock()
	if b.Window.Offset == 0 {
		s.feeds[key] = s.startFeed(b)
	}
	f := s.feeds[key]
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
	if !archive.Sniff(b.Data, nil) {
		return &feed{}
	}
	out, in := io.Pipe()
	f := &feed{in: in, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = s.walker.WalkStream(s.ctx, out, b.At.Path, s.visitor(b.At))
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
