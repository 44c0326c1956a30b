// Package config reads git's configuration files: .git/config, ~/.gitconfig,
// .gitmodules and the like. It runs nothing and follows no include directive, as
// none of what is asked here (core, remote, extensions, submodule) may lead to
// opening a file that a hostile repository names; for extensions git itself ignores
// includes.
//
// The syntax is that of git-config(1). A line that git would refuse is skipped, and
// so are the variables of a section whose header it would refuse. It is written by
// hand because readers of INI files know neither git's quoting nor its
// continuation of lines.
package config

import (
	"iter"
	"strings"

	"github.com/b10lint/b10lint/internal/regular"
)

// maxFile is the largest file that Read reads, in bytes.
const maxFile = 4 << 20

// A Variable is one setting of a file.
type Variable struct {
	Section    string // in lower case
	Subsection string // as written: the name of a remote or submodule; else ""
	Key        string // in lower case
	Value      string // "true" for a key without a value
}

// Read is Parse for the file at name, of at most 4 MiB.
func Read(name string) (iter.Seq[Variable], error) {
	data, err := regular.ReadFile(name, maxFile)
	if err != nil {
		return nil, err
	}
	return Parse(data), nil
}

// Parse yields the variables of a configuration file in order. Where one is set
// twice, git goes by the last.
func Parse(data []byte) iter.Seq[Variable] {
	return func(yield func(Variable) bool) {
		var v Variable
		for rest := strings.TrimPrefix(string(data), "\ufeff"); ; {
			rest = strings.TrimLeft(rest, space)
			switch {
			case rest == "":
				return
			case rest[0] == '#' || rest[0] == ';':
				rest = nextLine(rest)
			case rest[0] == '[':
				v.Section, v.Subsection, rest = header(rest[1:])
			default:
				end := strings.IndexAny(rest, "=#;\n")
				if end < 0 {
					end = len(rest)
				}
				v.Key, v.Value = strings.ToLower(strings.TrimSpace(rest[:end])), "true"
				if strings.HasPrefix(rest[end:], "=") {
					v.Value, rest = value(rest[end+1:])
				} else {
					rest = nextLine(rest[end:])
				}
				if v.Section != "" && v.Key != "" && !yield(v) {
					return
				}
			}
		}
	}
}

const space = " \t\r\n\v\f"

func nextLine(s string) string {
	_, rest, _ := strings.Cut(s, "\n")
	return rest
}

// header reads what follows the "[" of [section], [section "subsection"] or the
// older [section.subsection]. The section is "" when git would refuse it.
func header(s string) (section, subsection, rest string) {
	end := strings.IndexAny(s, "]\"\n")
	if end < 0 || s[end] == '\n' {
		return "", "", nextLine(s)
	}
	section = strings.ToLower(strings.TrimSpace(s[:end]))
	if s[end] == ']' {
		section, subsection, _ = strings.Cut(section, ".")
		return section, subsection, s[end+1:]
	}
	var name strings.Builder
	i := end + 1
	for ; i < len(s) && s[i] != '"' && s[i] != '\n'; i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] != '\n' {
			i++
		}
		name.WriteByte(s[i])
	}
	if rest, ok := strings.CutPrefix(s[i:], `"]`); ok {
		return section, name.String(), rest
	}
	return "", "", nextLine(s[i:])
}

// value reads what follows a "=": quotes are removed, as are spaces at both ends and
// a comment; a backslash continues the line or escapes the next byte.
func value(s string) (v, rest string) {
	var b strings.Builder
	quoted, kept := false, 0 // kept is how much of b is followed by spaces only
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n':
			return b.String()[:kept], s[i+1:]
		case !quoted && (c == '#' || c == ';'):
			return b.String()[:kept], nextLine(s[i:])
		case !quoted && strings.IndexByte(space, c) >= 0:
			if b.Len() > 0 {
				b.WriteByte(c)
			}
			continue
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(s):
			if strings.HasPrefix(s[i+1:], "\r\n") {
				i++
			}
			i++
			switch s[i] {
			case '\n':
				continue
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'b':
				b.WriteByte('\b')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
		kept = b.Len()
	}
	return b.String()[:kept], ""
}
