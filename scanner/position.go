package scanner

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

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

const (
	// hashBlock is how many characters a line's hash covers, from its start on,
	// over line ends.
	hashBlock = 100
	hashBase  = 37
	// maxHashed bounds the files whose lines are hashed: the whole of a file takes
	// part in a hash's counter, and an uploader works out what is missing.
	maxHashed = 2 << 20
)

// lineHashes returns GitHub's primaryLocationLineHash for every line of a text, or
// nil where an uploader would read the text otherwise than we do, since it is too
// large or not UTF-8. It is a polynomial hash modulo 2^64 in the base 37 over the
// next 100 UTF-16 units that are neither a space nor a tab, \r and \r\n counting as
// \n, then 0xFFFF for the end of the file and zeros; behind it, how many lines up to
// this one have it. See src/fingerprints.ts of github/codeql-action.
func lineHashes(data []byte) []string {
	if len(data) > maxHashed || !utf8.Valid(data) {
		return nil
	}
	units, starts := hashUnits(data)
	top := uint64(1)
	for range hashBlock {
		top *= hashBase
	}
	at := func(i int) uint64 {
		if i < len(units) {
			return uint64(units[i])
		}
		return 0
	}
	var h uint64
	for i := range hashBlock {
		h = h*hashBase + at(i)
	}
	seen := map[uint64]int{}
	hashes := make([]string, 0, len(starts))
	from := 0
	for _, start := range starts {
		for ; from < start; from++ {
			h = h*hashBase + at(from+hashBlock) - top*at(from)
		}
		seen[h]++
		hashes = append(hashes, strconv.FormatUint(h, 16)+":"+strconv.Itoa(seen[h]))
	}
	return hashes
}

// hashUnits returns the units that take part in hashes, and where lines begin.
func hashUnits(data []byte) (units []uint16, starts []int) {
	units = make([]uint16, 0, len(data)+1)
	lineStart, afterCR := true, false
	add := func(u uint16) {
		if lineStart {
			starts = append(starts, len(units))
		}
		lineStart = u == '\n'
		units = append(units, u)
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		i += n
		skip := r == ' ' || r == '\t' || afterCR && r == '\n'
		afterCR = r == '\r'
		switch {
		case skip:
		case afterCR:
			add('\n')
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			add(uint16(high))
			add(uint16(low))
		default:
			add(uint16(r))
		}
	}
	add(0xffff)
	return units, starts
}

// lineHash sets the hash of a place in a file of now, which is where GitHub shows
// a result.
func (c *cursor) lineHash(at *finding.Location) {
	if c.part || c.wide != source.Narrow || at.Blob != "" || at.Member != "" {
		return
	}
	if c.hashes == nil {
		c.hashes = append([]string{}, lineHashes(c.data)...)
	}
	if at.Line <= len(c.hashes) {
		at.LineHash = c.hashes[at.Line-1]
	}
}

// snippet returns the line of a match with every key in it masked, cut to a
// readable length, and the character span of this key's mask in it. A key that was
// encoded over several lines shows its first one. UTF-16 is shown as text.
func (c *cursor) snippet(m rules.Match) (string, *[2]int) {
	v := &c.plain
	switch {
	case c.wide != source.Narrow:
		v = &c.narrowed
		v.narrow(m.Start, m.End)
	case len(m.Decoded) > 0 && m.Decoded[0] == "utf-16":
		v = &c.narrowed
		v.narrowString(m.Start, m.End)
	}
	text := v.text
	start, end := v.place(m.Start, m.End)
	from, to := lineStart(text, start, searchSide), lineEnd(text, start, searchSide)
	l := line{data: text[from:to], left: max(0, start-from-snippetSide), right: min(to-from, end-from+snippetSide)}
	l.keys = v.keys(from, to, start, end, l.left, l.right)
	return l.render(start - from)
}
