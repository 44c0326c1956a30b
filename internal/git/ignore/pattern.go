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
		s := strings.TrimRight(text, " ")
		if backslashes := len(s) - len(strings.TrimRight(s, `\`)); backslashes%2 == 1 && len(s) < len(text) {
			s += " "
		}
		var p pattern
		s, p.negated = strings.CutPrefix(s, "!")
		s, p.dirOnly = strings.CutSuffix(s, "/")
		if s == "" {
			continue
		}
		if fold {
			s = strings.ToLower(s)
		}
		p.name = !strings.Contains(s, "/")
		p.glob = strings.TrimPrefix(s, "/")
		if p.prefix = strings.IndexAny(p.glob, `*?[\`); p.prefix < 0 {
			p.prefix = len(p.glob)
		}
		out = append(out, p)
	}
	return out, long
}

// match reports whether the pattern matches a path that is relative to the folder
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

// wildmatch reports whether a glob matches the whole of text, as git's
// wildmatch.c does. With pathname set, "*", "?" and brackets do not match a
// slash, and "**" between slashes matches any number of folders. Every pair of
// positions is tried once at most, so the time is bounded by the product of the
// lengths however the stars stand.
func wildmatch(pattern, text string, pathname bool) bool {
	m := wild{p: pattern, t: text, pathname: pathname}
	if strings.Count(pattern, "*") > 1 {
		m.failed = make([]bool, (len(pattern)+1)*(len(text)+1))
	}
	return m.match(0, 0)
}

type wild struct {
	p, t     string
	pathname bool
	failed   []bool // by pattern position and text position
}

func (m *wild) match(p, t int) bool {
	if m.failed == nil {
		return m.try(p, t)
	}
	i := p*(len(m.t)+1) + t
	if m.failed[i] {
		return false
	}
	if m.try(p, t) {
		return true
	}
	m.failed[i] = true
	return false
}

func (m *wild) try(p, t int) bool {
	for ; p < len(m.p); t++ {
		if m.p[p] == '*' {
			return m.star(p, t)
		}
		if t == len(m.t) {
			return false
		}
		c := m.t[t]
		switch m.p[p] {
		case '?':
			if m.pathname && c == '/' {
				return false
			}
			p++
		case '[':
			next, ok := bracket(m.p, p, c)
			if !ok || m.pathname && c == '/' {
				return false
			}
			p = next
		case '\\':
			if p++; p == len(m.p) || m.p[p] != c {
				return false
			}
			p++
		default:
			if m.p[p] != c {
				return false
			}
			p++
		}
	}
	return t == len(m.t)
}

// star matches from a run of stars on.
func (m *wild) star(p, t int) bool {
	end := p
	for end < len(m.p) && m.p[end] == '*' {
		end++
	}
	slashes := !m.pathname
	if m.pathname && end-p >= 2 && (p == 0 || m.p[p-1] == '/') &&
		(end == len(m.p) || m.p[end] == '/' || strings.HasPrefix(m.p[end:], `\/`)) {
		slashes = true
		if end < len(m.p) && m.p[end] == '/' && m.match(end+1, t) {
			return true // no folder at all
		}
	}
	if end == len(m.p) {
		return slashes || !strings.Contains(m.t[t:], "/")
	}
	for ; t <= len(m.t); t++ {
		if m.match(end, t) {
			return true
		}
		if t < len(m.t) && m.t[t] == '/' && !slashes {
			return false
		}
	}
	return false
}

// bracket matches one byte against the bracket expression at p and returns the
// place behind it. One that is not closed, or names a class that is not known,
// matches nothing.
func bracket(pattern string, p int, c byte) (next int, ok bool) {
	p++
	negated := p < len(pattern) && (pattern[p] == '!' || pattern[p] == '^')
	if negated {
		p++
	}
	matched := false
	var prev byte
	for first := true; ; first = false {
		if p >= len(pattern) {
			return 0, false
		}
		ch := pattern[p]
		switch {
		case ch == ']' && !first:
			return p + 1, matched != negated
		case ch == '[' && strings.HasPrefix(pattern[p:], "[:"):
			end := strings.IndexByte(pattern[p+2:], ']')
			if end < 0 {
				return 0, false
			}
			word := pattern[p+2 : p+2+end]
			if !strings.HasSuffix(word, ":") { // not a class: the bracket is itself
				matched = matched || c == '['
				prev = '['
				p++
				continue
			}
			class, known := classes[strings.TrimSuffix(word, ":")]
			if !known {
				return 0, false
			}
			matched = matched || strings.IndexByte(class, c) >= 0
			prev = 0
			p += 2 + end + 1
		case ch == '-' && prev != 0 && p+1 < len(pattern) && pattern[p+1] != ']':
			p++
			hi := pattern[p]
			if hi == '\\' {
				if p++; p == len(pattern) {
					return 0, false
				}
				hi = pattern[p]
			}
			matched = matched || prev <= c && c <= hi
			prev = 0
			p++
		default:
			if ch == '\\' {
				if p++; p == len(pattern) {
					return 0, false
				}
				ch = pattern[p]
			}
			matched = matched || c == ch
			prev = ch
			p++
		}
	}
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
	punct = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// classes are the bytes of the POSIX classes of the C locale.
var classes = map[string]string{
	"alnum": lower + upper + digit, "alpha": lower + upper, "blank": " \t", "digit": digit,
	"cntrl": "\x00\x01\x02\x03\x04\x05\x06\a\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f",
	"graph": lower + upper + digit + punct, "lower": lower, "print": lower + upper + digit + punct + " ",
	"punct": punct, "space": " \t\n\v\f\r", "upper": upper, "xdigit": digit + "abcdefABCDEF",
}
