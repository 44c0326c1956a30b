package scanner

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/scanner/source"
)

// Comments says where comments b10lint:allow are looked for that accept nothing,
// since no key stands on their line or the next. Looking for them reads all of a
// text once more, for which see docs/config.md.
type Comments int

const (
	// NoComments looks for none.
	NoComments Comments = iota
	// CommentsInFiles looks in files that git has or would take.
	CommentsInFiles
	// CommentsInIndex is for a scan of what is staged, of which every object is the
	// whole of a file.
	CommentsInIndex
)

// maxComments bounds the markers of one blob that are read. A file with more
// was not written by people.
const maxComments = 1000

// markers are where in a blob there are comments that no match has used so far.
type markers []int

// markers looks for comments in a blob that is a text of its own.
func (g *gatherer) markers(b *source.Blob, inside *outline) (all markers) {
	file := b.At.Blob == "" && b.At.Member == "" && b.At.Object == "" && !strings.HasPrefix(b.At.Path, "<")
	index := b.At.Object == "blob" && b.At.Member == ""
	if !(g.commentsIn == CommentsInFiles && file || g.commentsIn == CommentsInIndex && index) || b.Again || b.Fresh != nil {
		return nil
	}
	from, to := 0, len(b.Data)
	if b.Window != nil {
		from, to = b.Window.Own.Start, b.Window.Own.End
	}
	if bytes.IndexByte(b.Data[:min(len(b.Data), sniffed)], 0) >= 0 {
		return nil // no text, or UTF-16
	}
	for range maxComments {
		if from = nextMarker(b.Data, from); from < 0 || from >= to {
			break
		}
		if isComment(b, inside, from) {
			all = append(all, from)
		}
		from += len(allowMarker)
	}
	return all
}

// nextMarker returns where the next marker in data is, or -1. It looks for the
// marker without its b: a 1 is so much rarer in text that this takes half the time.
func nextMarker(data []byte, from int) int {
	tail := []byte(allowMarker[1:])
	for {
		i := bytes.Index(data[from:], tail)
		if i < 0 {
			return -1
		}
		if at := from + i - 1; at >= 0 && data[at] == allowMarker[0] {
			return at
		}
		from += i + len(tail)
	}
}

// sniffed is how much of a file decides whether it is text, as in git.
const sniffed = 8000

// used takes out the comment beside a match, whether or not the match counts.
func (m *markers) used(at int) {
	if i := slices.Index(*m, at); i >= 0 {
		*m = slices.Delete(*m, i, i+1)
	}
}

// openers begin comments. What is right before the marker decides, so that prose
// that mentions it, and code that prints it, are not meant.
var openers = []string{"#", "//", "/*", "/**", "<!--", "--", ";", "%", "(*", "{-", "<%"}

// isComment reports whether the marker at data[i:] was written as a comment: it
// follows what opens one, outside of quotes. In pages of documentation most
// comments are examples; only one that is hidden in the page itself counts.
func isComment(b *source.Blob, inside *outline, i int) bool {
	if otherWord(b.Data[i+len(allowMarker):]) {
		return false
	}
	before := b.Data[lineStart(b.Data, i, searchSide):i]
	if isNotebook(b.At) {
		cell := inside.cell(i)
		if cell == nil || cell.Part != "source" {
			return false
		}
		before = cellBefore(before)
	}
	before = bytes.TrimRight(before, " \t")
	switch strings.ToLower(path.Ext(b.At.Path)) {
	case ".md", ".mdx", ".markdown", ".rst", ".adoc", ".asciidoc", ".org", ".txt", ".htm", ".html": // pages for people
		return bytes.HasSuffix(before, []byte("<!--")) && !quoted(before) && bytes.Count(b.Data[:i], []byte("\n```"))%2 == 0
	}
	if quoted(before) {
		return false
	}
	if alone := strings.ToLower(strings.Trim(string(before), " \t@")); alone == "*" || alone == "rem" {
		return true // inside a block of C's, batch
	}
	return slices.ContainsFunc(openers, func(o string) bool { return bytes.HasSuffix(before, []byte(o)) })
}

// cellBefore is the part of a notebook's line that is of the cell's own line.
func cellBefore(line []byte) []byte {
	from := bytes.LastIndex(line, []byte(`\n`)) + 2
	if from < 2 {
		from = len(line)
		for from > 0 && (line[from-1] != '"' || from > 1 && line[from-2] == '\\') {
			from--
		}
	}
	return bytes.ReplaceAll(line[from:], []byte(`\"`), []byte(`"`))
}

// quoted reports whether a line ends inside quotes of some kind. One that cannot be
// told by its own line counts as quoted: nothing is said of it then.
func quoted(line []byte) bool {
	for _, q := range []string{`"`, "'", "`"} {
		if (bytes.Count(line, []byte(q))-bytes.Count(line, []byte(`\`+q)))%2 == 1 {
			return true
		}
	}
	return false
}

// unused keeps the comments that no match has used.
func (g *gatherer) unused(b *source.Blob, inside *outline, left markers) {
	if len(left) == 0 {
		return
	}
	c := newCursor(b)
	for _, i := range left {
		at := b.At
		c.move(i)
		at.Line, at.Column = c.Line+1, c.Column+1
		at.EndLine, at.EndColumn = at.Line, at.Column+len(allowMarker)
		if c.Column16 != c.Column {
			at.UTF16Column, at.UTF16EndColumn = c.Column16+1, c.Column16+1+len(allowMarker)
		}
		at.Cell = inside.cell(i)
		c.lineHash(&at)
		g.mu.Lock()
		if len(g.found.comments) < maxUnused {
			g.found.comments = append(g.found.comments, at)
		}
		g.mu.Unlock()
	}
}
