package scanner

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/secret"
)

// An event is a key in a place, a problem, or a .trussrc that was met.
type event struct {
	problem *finding.Problem
	hit     *hit
	trussrc string // its path
	comment *place // one that accepts nothing
}

type hit struct {
	source     int // index of the source it came from
	key        secret.Secret
	format     finding.Format
	confidence finding.Confidence // as matched
	picture    bool               // read off a picture
	silent     bool               // nothing near it speaks of an owner
	at         finding.Location
	offset     int64 // orders the places of one file
}

// A sink looks at blobs in the goroutine that brings them. Only hits, which are
// rare, cross the channel.
type sink struct {
	ctx      context.Context
	source   int
	events   chan<- event
	progress *Progress
	comments Comments
}

func (s *sink) Problem(p finding.Problem) error {
	s.events <- event{problem: &p}
	return s.ctx.Err()
}

func (s *sink) Blob(b *source.Blob) (hits int, err error) {
	s.count(b)
	if isTrussrc(b) {
		s.events <- event{trussrc: b.At.Path}
	}
	var c *cursor
	inside := newOutline(b)
	left := s.markers(b, inside)
	rules.Find(name(b.At), b.Data, inside.fresh(b), func(m rules.Match) bool {
		if b.Window != nil && (m.Start < b.Window.Own.Start || m.Start >= b.Window.Own.End) {
			if len(left) > 0 { // the comment may be of this window all the same
				_, i := allow(b.Data, m.Start, b.At)
				left.used(i)
			}
			return true
		}
		if c == nil {
			c = newCursor(b)
		}
		hits++
		h := &hit{source: s.source, key: m.Secret, format: m.Format, confidence: m.Confidence, silent: m.Silent, at: b.At, offset: int64(m.Start)}
		if b.Window != nil {
			h.offset += b.Window.Offset
		}
		h.at.Decoded = append(slices.Clip(b.At.Decoded), m.Decoded...)
		h.at.KeyDigest = m.Secret.Digest()
		if cell := inside.cell(m.Start); cell != nil {
			h.at.Cell = cell
		}
		c.place(&h.at, m)
		left.used(c.marker)
		h.inPicture()
		s.events <- event{hit: h}
		return true // also when the context has ended: what is at hand is still told
	})
	s.unused(b, inside, left)
	s.progress.Hits.Add(int64(hits))
	return hits, s.ctx.Err()
}

// isTrussrc tells a .trussrc that a folder scan met: one in the home or a truss is
// marked as such, one in an archive or in history is no file.
func isTrussrc(b *source.Blob) bool {
	at := &b.At
	return strings.HasSuffix(at.Path, ".trussrc") && path.Base(at.Path) == ".trussrc" &&
		at.Exposure == "" && at.Member == "" && at.Blob == "" && !b.Again && (b.Window == nil || b.Window.Last)
}

// inPicture takes what only text has from a place in a picture.
func (h *hit) inPicture() {
	if len(h.at.Decoded) == 0 || h.at.Decoded[0] != source.Recognised {
		return
	}
	h.picture, h.offset = true, 0
	h.at.Line, h.at.Column, h.at.EndLine, h.at.EndColumn = 0, 0, 0, 0
	h.at.UTF16Column, h.at.UTF16EndColumn = 0, 0
}

// count adds the blob to what was looked at: members and variables count for their
// bytes alone, windows once for each file.
func (s *sink) count(b *source.Blob) {
	if b.Again {
		return
	}
	own := len(b.Data)
	if b.Window != nil {
		own = b.Window.Own.End - b.Window.Own.Start
	}
	s.progress.Bytes.Add(int64(own))
	if b.At.Member != "" || strings.HasPrefix(b.At.Path, source.EnvironmentPath) || b.Window != nil && !b.Window.Last {
		return
	}
	if b.At.Blob != "" {
		s.progress.Objects.Add(1)
	} else {
		s.progress.Files.Add(1)
	}
}

// name is what a blob goes by for the detector: the innermost file name counts as
// context, and so does the path that leads to it.
func name(at finding.Location) string {
	if at.Member == "" {
		return at.Path
	}
	return at.Path + "!" + at.Member
}
