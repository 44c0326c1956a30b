package scanner

import (
	"bytes"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
)

const (
	// allowMarker begins a comment that accepts the key on its line or the next.
	allowMarker = "b10lint:allow"
	// maxReason bounds the reason that is kept of one, in bytes.
	maxReason = 300
)

// allow looks for a comment that accepts the key at data[start:], on its line or
// the one before, in whatever comments the language has. In a notebook the lines
// of a cell are those of the file, or stand in one line between \n. It returns the
// reason that is given, nil without a comment, and where the comment's marker is.
func allow(data []byte, start int, at finding.Location) (reason *string, marker int) {
	from, to := lineStart(data, start, searchSide), lineEnd(data, start, searchSide)
	if reason, i := reasonIn(data[from:to], start-from, isNotebook(at)); reason != nil {
		return reason, from + i
	}
	if from == 0 || data[from-1] != '\n' {
		return nil, -1
	}
	before := lineStart(data, from-1, searchSide)
	reason, i := reasonIn(data[before:from-1], -1, isNotebook(at))
	return reason, before + i
}

func isNotebook(at finding.Location) bool {
	return strings.HasSuffix(at.Path, ".ipynb") || strings.HasSuffix(at.Member, ".ipynb")
}

// reasonIn looks at one line of the file. key is where the key is in it, or -1. Of
// several lines of a notebook that stand in one, the key's own and the one before
// count; of a line before the key's, the last. marker is where in the line it says so.
func reasonIn(line []byte, key int, notebook bool) (reason *string, marker int) {
	if !bytes.Contains(line, []byte(allowMarker)) {
		return nil, -1
	}
	from, to := 0, len(line)
	if notebook {
		from, to = cellLines(line, key)
	}
	marker = bytes.Index(line[from:to], []byte(allowMarker))
	if marker < 0 {
		return nil, -1
	}
	marker += from
	rest := line[marker+len(allowMarker) : to]
	if otherWord(rest) {
		return nil, -1
	}
	if notebook {
		if i := bytes.IndexByte(rest, '"'); i > 0 && rest[i-1] != '\\' {
			rest = rest[:i] // the end of the JSON string
		}
	}
	// The reason stops before a key: nothing of one may get into a report.
	rest = rest[:min(len(rest), searchSide)]
	clean := rest
	gaveUp := rules.FindUnweighed(rest, func(m rules.Match) bool { clean = rest[:m.Start]; return false })
	if gaveUp >= 0 {
		clean = clean[:min(len(clean), gaveUp)]
	}
	rest = clean
	rest = maskRuns(rest, 0, len(rest))
	for _, end := range []string{"*/", "-->", "--}}", "#}", "%>", `\n`, "*)", "]]"} {
		rest, _, _ = bytes.Cut(rest, []byte(end))
	}
	text := strings.ToValidUTF8(string(rest), "\uFFFD")
	text = strings.ToValidUTF8(text[:min(len(text), maxReason)], "") // whole characters only
	text = strings.Trim(text, " \t\r\n:-\"',;")
	return &text, marker
}

// otherWord reports whether what follows a marker makes it the beginning of another
// word.
func otherWord(rest []byte) bool {
	return len(rest) > 0 && rest[0]|0x20 >= 'a' && rest[0]|0x20 <= 'z'
}

// cellLines says where the two lines that count are in a line that holds many,
// between \n as JSON writes them.
func cellLines(line []byte, key int) (from, to int) {
	sep := []byte(`\n`)
	if key < 0 {
		line = bytes.TrimSuffix(bytes.TrimRight(line, "\", \r\t"), sep)
		return bytes.LastIndex(line, sep) + 1, len(line)
	}
	end := len(line)
	if i := bytes.Index(line[key:], sep); i >= 0 {
		end = key + i
	}
	begin := bytes.LastIndex(line[:key], sep)
	if begin > 0 {
		begin = bytes.LastIndex(line[:begin], sep)
	}
	if begin < 0 {
		return 0, end
	}
	return begin + len(sep), end
}
