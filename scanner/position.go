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
	// plain is the text as it is, narrowed what of it is UTF-16, written as UTF-8.
	plain, narrowed view
	off             int // everything before is counted
	source.Mark
	part   bool     // data is a window
	hashes []string // of the lines, once asked for
	marker int      // where the comment is that accepts the last match, or -1
}

func newCursor(b *source.Blob) *cursor {
	c := &cursor{data: b.Data, plain: view{text: b.Data}}
	if b.Window != nil {
		c.wide, c.Mark, c.part = b.Window.Wide, b.Window.Mark(), true
	} else {
		c.wide = source.WideOf(b.Data)
	}
	c.narrowed = view{data: b.Data, wide: c.wide}
	return c
}

// move moves the cursor forwards to an offset.
func (c *cursor) move(off int) {
	c.off += c.Advance(c.data[c.off:max(off, c.off)], c.wide)
}

// place fills in where a match is, and the masked line about it. Calls must come
// in order of its start.
func (c *cursor) place(at *finding.Location, m rules.Match) {
	c.move(m.Start)
	at.Line, at.Column = c.Line+1, c.Column+1
	units := c.Column16 + 1
	tail := *c
	tail.move(m.End)
	at.EndLine, at.EndColumn = tail.Line+1, tail.Column+1
	if units != at.Column || tail.Column16 != tail.Column {
		at.UTF16Column, at.UTF16EndColumn = units, tail.Column16+1
	}
	at.Snippet, at.SnippetMark = c.snippet(m)
	at.Allow, c.marker = allow(c.data, m.Start, *at)
	c.lineHash(at)
}
