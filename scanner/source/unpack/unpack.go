// Package unpack decorates a source: Archives hands over the members of archives as
// well, Pictures the text in pictures.
package unpack

import (
	"bytes"
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/scanner/source"
)

// memberWindow is the size up to which a member is handed over whole. A member
// cannot be read again, so this is larger than for files, whose first lines can be
// looked up once something was found.
const memberWindow = 4 << 20

// Limits bound the work on one archive; see archive.Limits. Each zero field
// stands for its default.
type Limits = archive.Limits

// Archives returns a Source that hands on what src hands over and, after each blob whose
// content is an archive, every member of it as a further blob; so it does with the archives
// that a text holds in base64 or hexadecimal. A member's place has the names of the levels
// in Member, joined by "!", and is at least Shipped, but for what is in a text.
// A member too large for one window comes in windows. Memory stays bounded, and
// nothing is written to disk. What cannot be unpacked, and each limit that is
// reached, is a Problem of the archive's path and the member.
// Members are located as what they are members of.
func Archives(src source.Source, limits Limits) source.Source {
	walker := archive.NewWalker(limits)
	windows := &sync.Pool{New: func() any { b := make([]byte, memberWindow); return &b }}
	walk, locate := src.Walk, src.Locate
	src.Walk = func(ctx context.Context, to source.Sink) error {
		s := &unpackSink{walker: walker, windows: windows, ctx: ctx, to: to, feeds: map[feedKey]*feed{}, carriers: map[feedKey]bool{}}
		err := walk(ctx, s)
		if ferr := s.abandon(); err == nil {
			err = ferr
		}
		return err
	}
	if locate != nil {
		src.Locate = func(ctx context.Context, hits []source.Hit) ([][]finding.Location, error) {
			located, err := locate(ctx, hits)
			for i := range min(len(located), len(hits)) {
				if hits[i].At.Member == "" {
					continue
				}
				for j := range located[i] {
					located[i][j].Member = hits[i].At.Member
					if hits[i].At.Exposure.Rank() >= finding.Shipped.Rank() {
						located[i][j].Exposure = shipped(located[i][j])
					}
				}
			}
			return located, err
		}
	}
	return src
}

// Blob implements Sink. The hits are those of the blob, and of what is encoded in a text.
// Those of the members of archives are not among them: what a source does about hits,
// such as showing the blob again, does nothing for the members.
func (s *unpackSink) Blob(b *source.Blob) (int, error) {
	hits, err := s.to.Blob(b)
	if err != nil || b.Again {
		return hits, err
	}
	switch w := b.Window; {
	case w == nil, w.Offset == 0 && w.Last:
		switch {
		case archive.Sniff(b.Data, b.Data):
			err = s.walker.Walk(s.ctx, bytes.NewReader(b.Data), int64(len(b.Data)), b.At.Path, s.visitor(b.At, nil))
		case archive.Carries(b.Data, b.Fresh):
			var within atomic.Int64
			err = s.walker.WalkEncoded(s.ctx, bytes.NewReader(b.Data), 0, s.visitor(b.At, &within))
			hits += int(within.Load())
		}
	case b.Open == nil:
		err = s.feed(b)
	default: // it is shown in windows
		carries := s.carries(b)
		if !w.Last {
			break
		}
		content, oerr := b.Open()
		if oerr != nil {
			return hits, s.to.Problem(finding.Problem{Path: b.At.Path, Member: b.At.Member, Object: b.At.Blob,
				Error: "could not be opened again to see whether it is an archive: " + source.Reason(oerr)})
		}
		defer content.Close()
		if carries {
			err = s.walker.WalkEncoded(s.ctx, io.NewSectionReader(content, 0, content.Size()), 0, s.visitor(b.At, nil))
		}
		if err == nil {
			err = s.walker.Walk(s.ctx, content, content.Size(), b.At.Path, s.visitor(b.At, nil))
		}
	}
	return hits, err
}

// carries reports whether a window, or one before it of the same content, is of a text in
// which an archive is encoded. The own bytes of an archive are not such a text.
func (s *unpackSink) carries(b *source.Blob) bool {
	key := keyOf(b.At)
	s.mu.Lock()
	carries, known := s.carriers[key]
	s.mu.Unlock()
	if !known {
		packed := b.Window.Offset == 0 && archive.Sniff(b.Data, nil)
		carries = !packed && archive.Carries(b.Data, nil)
		known = packed || carries
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Window.Last {
		delete(s.carriers, key)
	} else if known {
		s.carriers[key] = carries
	}
	return carries
}
