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
