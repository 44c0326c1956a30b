package ignore

import (
	"bytes"
	"strings"
)

// A pattern is one line of an ignore file.
type pattern struct {
	glob    string // without "!", the slash at the end, and one at the start
	prefix  int    // length of the leading part of glob that holds no wildcard
	negated bool
	dirOnly bool
	// name is set when the pattern has no slash and so is matched with the last
	// element of a path, at any depth.
	name bool
}

// maxLine is the longest line that is taken for a pattern: no path is longer, and
// what a match may cost grows with it.
const maxLine = 4096

// parse reads the lines of an ignore file as git's dir.c does: a byte order mark
// is skipped, a carriage return before a line end dropped, spaces at the end
// dropped unless a backslash protects them. long counts the lines that are too
// long to be used.
func parse(data []byte, fold bool) (out []pattern, long int) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if len(line) > maxLine {
			long++
			continue
		}
		text, _, _ := strings.Cut(string(bytes.TrimSuffix(line, []byte("\r"))), "\x00")
		if p, ok := newPattern(trimSpaces(text), fold); ok {
			out = append(out, p)
		}
	}
	return out, long
}

func trimSpaces(s string) string {
	last := -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ':
			if last < 0 {
				last = i
			}
		case '\\':
			if i++; i == len(s) {
				return s
			}
			last = -1
		default:
			last = -1
		}
	}
	if last < 0 {
		return s
	}
	return s[:last]
}

func newPattern(s string, fold bool) (pattern, bool) {
	var p pattern
	if strings.HasPrefix(s, "!") {
		p.negated = true
		s = s[1:]
	}
	if strings.HasSuffix(s, "/") {
		p.dirOnly = true
		s = s[:len(s)-1]
	}
	if s == "" {
		return p, false
	}
	if fold {
		s = strings.ToLower(s)
	}
	p.name = !strings.Contains(s, "/")
	p.glob = strings.TrimPrefix(s, "/")
	if p.prefix = strings.IndexAny(p.glob, `*?[\`); p.prefix < 0 {
		p.prefix = len(p.glob)
	}
	return p, true
}

// match tells whether the pattern matches a path that is relative to the folder
// of the pattern's file.
func (p *pattern) match(rel string, isDir bool) bool {
	if p.dirOnly && !isDir {
		return false
	}
	if p.name {
		rel = rel[strings.LastIndexByte(rel, '/')+1:]
		switch {
		case p.prefix == len(p.glob):
			return rel == p.glob
		case p.glob[0] == '*' && !strings.ContainsAny(p.glob[1:], `*?[\`):
			return strings.HasSuffix(rel, p.glob[1:])
		}
		return wildmatch(p.glob, rel, false)
	}
	// git compares the part without wildcards first and hands on the rest, so
	// that "foo**/bar" is "foo" and then "**/bar".
	if !strings.HasPrefix(rel, p.glob[:p.prefix]) {
		return false
	}
	return wildmatch(p.glob[p.prefix:], rel[p.prefix:], true)
}

// decide returns what the last matching pattern says; ok is false when none matches.
func decide(patterns []pattern, rel string, isDir bool) (ignored, ok bool) {
	for i := len(patterns) - 1; i >= 0; i-- {
		if patterns[i].match(rel, isDir) {
			return !patterns[i].negated, true
		}
	}
	return false, false
}
