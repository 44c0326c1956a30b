package ignore

import (
	"bytes"
	"strings"
)

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
			in, known := class(strings.TrimSuffix(word, ":"), c)
			if !known {
				return 0, false
			}
			matched = matched || in
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

// class tells whether a byte is in a POSIX class of the C locale.
func class(name string, c byte) (in, known bool) {
	const (
		lower = "abcdefghijklmnopqrstuvwxyz"
		upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		digit = "0123456789"
	)
	graph := c > ' ' && c < 0x7f
	alnum := bytes.IndexByte([]byte(lower+upper+digit), c) >= 0
	switch name {
	case "alnum":
		return alnum, true
	case "alpha":
		return strings.IndexByte(lower+upper, c) >= 0, true
	case "blank":
		return c == ' ' || c == '\t', true
	case "cntrl":
		return c < ' ' || c == 0x7f, true
	case "digit":
		return strings.IndexByte(digit, c) >= 0, true
	case "graph":
		return graph, true
	case "lower":
		return strings.IndexByte(lower, c) >= 0, true
	case "print":
		return graph || c == ' ', true
	case "punct":
		return graph && !alnum, true
	case "space":
		return strings.IndexByte(" \t\n\v\f\r", c) >= 0, true
	case "upper":
		return strings.IndexByte(upper, c) >= 0, true
	case "xdigit":
		return strings.IndexByte(digit+"abcdefABCDEF", c) >= 0, true
	}
	return false, false
}
