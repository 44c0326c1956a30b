package scanner

import (
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// A cursor turns offsets into lines and columns. It moves forwards through one
// blob, so that many matches in one long line cost one pass over it.
type cursor struct {
	data []byte
	wide source.Wide
	off  int // everything before is counted
	source.Mark
	part   bool     // data is a window
	hashes []string // of the lines, once asked for
	marker int      // where the comment is that accepts the last match, or -1
}

func newCursor(b *source.Blob) *cursor {
	if b.Window != nil {
		return &cursor{data: b.Data, wide: b.Window.Wide, Mark: b.Window.Mark(), part: true}
	}
	return &cursor{data: b.Data, wide: source.WideOf(b.Data)}
}

// to moves the cursor forwards to an offset.
func (c *cursor) to(off int) {
	c.off += c.Advance(c.data[c.off:max(off, c.off)], c.wide)
}

// place fills in where a match is, and the masked line about it. Calls must come
// in order of its start.
func (c *cursor) place(at *finding.Location, m rules.Match) {
	c.to(m.Start)
	at.Line, at.Column = c.Line+1, c.Column+1
	units := c.Column16 + 1
	tail := *c
	tail.to(m.End)
	at.EndLine, at.EndColumn = tail.Line+1, tail.Column+1
	if units != at.Column || tail.Column16 != tail.Column {
		at.UTF16Column, at.UTF16EndColumn = units, tail.Column16+1
	}
	at.Snippet, at.SnippetMark = snippet(c.data, c.wide, m)
	at.Allow, c.marker = allow(c.data, m.Start, *at)
	c.lineHash(at)
}
