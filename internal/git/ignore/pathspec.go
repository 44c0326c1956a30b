package ignore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A PathSpec is a list of patterns as Python's pathspec reads them: the last one
// that matches a path decides, and each is matched with the whole path.
type PathSpec struct{ patterns []specPattern }

type specPattern struct {
	re      *regexp.Regexp
	include bool
}

// ParsePathSpec reads the text of a .truss_ignore file: a pattern a line, space at
// both ends dropped, "#" for comments. An error says which line is one that makes
// truss push fail.
func ParsePathSpec(data []byte) (*PathSpec, error) {
	s := &PathSpec{}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimFunc(line, isSpace)
		if line == "" || line == "/" || line[0] == '#' {
			continue
		}
		pattern, negated := strings.CutPrefix(line, "!")
		expr, err := specRegexp(pattern)
		if err != nil {
			return nil, fmt.Errorf("line %d: pattern %q: %w", i+1, line, err)
		}
		re, err := regexp.Compile(`\A(?:` + expr + `)\n?\z`)
		if err != nil {
			return nil, fmt.Errorf("line %d: pattern %q: is too large", i+1, line)
		}
		s.patterns = append(s.patterns, specPattern{re, !negated})
	}
	return s, nil
}

// isSpace is Python's str.isspace, which also counts the separators 0x1c to 0x1f.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// Match reports whether the path, slash separated and relative, is ignored. A
// folder is asked for with a slash at its end and without.
func (s *PathSpec) Match(path string) bool {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/"), "./")
	for _, p := range slices.Backward(s.patterns) {
		if p.re.MatchString(path) {
			return p.include
		}
	}
	return false
}

// specRegexp turns a pattern into a regular expression. A pattern with no slash
// but at its end matches at any depth, every other from the root; one without a
// slash at its end also matches all that is below what it matches.
func specRegexp(pattern string) (string, error) {
	segs := slices.CompactFunc(strings.Split(pattern, "/"), func(a, b string) bool { return a == "**" && b == "**" })
	if len(segs) == 2 && segs[0] == "**" && segs[1] == "" {
		return `.+/.*`, nil
	}
	switch {
	case segs[0] == "":
		segs = segs[1:]
	case len(segs) == 1 || len(segs) == 2 && segs[1] == "":
		if segs[0] != "**" {
			segs = append([]string{"**"}, segs...)
		}
	}
	if len(segs) == 0 {
		return "", fmt.Errorf("is empty")
	}
	end := len(segs) - 1
	if segs[end] == "" && end > 0 {
		segs[end] = "**"
	}
	var b strings.Builder
	slash := false
	for i, seg := range segs {
		switch {
		case seg == "**" && i == 0 && i == end:
			b.WriteString(`[^/]+(?:/.*)?`)
		case seg == "**" && i == 0:
			b.WriteString(`(?:.+/)?`)
		case seg == "**" && i == end:
			b.WriteString(`/.*`)
		case seg == "**":
			b.WriteString(`(?:/.+)?`)
			slash = true
		default:
			if slash {
				b.WriteByte('/')
			}
			if err := segment(&b, seg); err != nil {
				return "", err
			}
			if i == end {
				b.WriteString(`(?:/.*)?`)
			}
			slash = true
		}
	}
	return b.String(), nil
}

// segment writes what is between two slashes.
func segment(b *strings.Builder, seg string) error {
	if seg == "*" {
		b.WriteString(`[^/]+`)
		return nil
	}
	for i := 0; i < len(seg); {
		r, n := utf8.DecodeRuneInString(seg[i:])
		switch r {
		case '\\':
			i += n
			if r, n = utf8.DecodeRuneInString(seg[i:]); n == 0 {
				return fmt.Errorf("ends in a backslash, which pathspec refuses")
			}
			b.WriteString(regexp.QuoteMeta(string(r)))
		case '*':
			b.WriteString(`[^/]*`)
		case '?':
			b.WriteString(`[^/]`)
		case '[':
			size, err := set(b, seg[i:])
			if err != nil {
				return err
			}
			n = size
		default:
			b.WriteString(regexp.QuoteMeta(seg[i : i+n]))
		}
		i += n
	}
	return nil
}

// set writes the bracket expression at the start of seg and returns its length.
// pathspec hands what is between the brackets to Python's re, with every
// backslash taken for itself: there are ranges but no escapes and no classes.
func set(b *strings.Builder, seg string) (int, error) {
	j := 1
	negated := j < len(seg) && (seg[j] == '!' || seg[j] == '^')
	if negated {
		j++
	}
	first := j
	if j < len(seg) && seg[j] == ']' {
		j++
	}
	for j < len(seg) && seg[j] != ']' {
		j++
	}
	if j >= len(seg) {
		b.WriteString(`\[`)
		return 1, nil
	}
	members := []rune(seg[first:j])
	b.WriteByte('[')
	if negated {
		b.WriteByte('^')
	}
	for i := 0; i < len(members); i++ {
		if i+2 < len(members) && members[i+1] == '-' {
			if members[i] > members[i+2] {
				return 0, fmt.Errorf("has a range that runs backwards, which pathspec refuses")
			}
			fmt.Fprintf(b, `\x{%x}-\x{%x}`, members[i], members[i+2])
			i += 2
			continue
		}
		fmt.Fprintf(b, `\x{%x}`, members[i])
	}
	b.WriteByte(']')
	return j + 1, nil
}
