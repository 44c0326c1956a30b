package scanner

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// A cursor turns offsets into lines and columns. It moves forwards through one
// blob, so that many matches in one long line cost one pass over it.
type cursor struct {
	data         []byte
	off          int      // everything before is counted
	line         int      // 0-based
	chars, units int      // columns of off, 0-based
	part         bool     // data is a window
	hashes       []string // of the lines, once asked for
}

func newCursor(b *source.Blob) *cursor {
	c := &cursor{data: b.Data, part: b.Window != nil}
	if b.Window != nil {
		c.line, c.chars, c.units = b.Window.Line, b.Window.Column, b.Window.Column16
	}
	return c
}

// to moves the cursor forwards to an offset and returns it, for chaining. A line
// ends with \n; a \r before it is a character of the line like any other.
func (c *cursor) to(off int) *cursor {
	part := c.data[c.off:max(off, c.off)]
	if last := bytes.LastIndexByte(part, '\n'); last >= 0 {
		c.line += bytes.Count(part, []byte{'\n'})
		c.chars, c.units = 0, 0
		part = part[last+1:]
	}
	chars, units := source.Count(part)
	c.chars += chars
	c.units += units
	c.off = max(off, c.off)
	return c
}

// place fills in where data[start:end] is, and the masked line about it. Calls
// must come in order of start.
func (c *cursor) place(at *finding.Location, start, end int) {
	c.to(start)
	at.Line, at.Column = c.line+1, c.chars+1
	units := c.units + 1
	tail := *c
	tail.to(end)
	at.EndLine, at.EndColumn = tail.line+1, tail.chars+1
	if units != at.Column || tail.units != tail.chars {
		at.UTF16Column, at.UTF16EndColumn = units, tail.units+1
	}
	at.Snippet, at.SnippetMark = snippet(c.data, start, end)
	at.Allow = allow(c.data, start, *at)
	c.lineHash(at)
}
