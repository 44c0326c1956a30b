// Package trussrc reads ~/.trussrc as truss does, which is as Python's
// configparser.ConfigParser does with its defaults: "=" or ":", option names in
// any case, comments on lines of their own only, continuation lines, values that
// every section inherits from [DEFAULT], "%" interpolation. It keeps the place of
// every value, so that one of them can be replaced and every other byte kept.
//
// The grammar is that of the configparser module of Python 3.11 (Lib/configparser.py,
// RawConfigParser._read and BasicInterpolation).
package trussrc

import (
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/internal/span"
)

// defaultSection is the section whose options every other section inherits.
const defaultSection = "DEFAULT"

// A File is a parsed trussrc. It holds key material and therefore keeps its text
// behind a pointer: printing a File prints no value.
type File struct {
	doc *document
}

// A document is what File hides from fmt.
type document struct {
	data     []byte
	sections []*section
	names    map[string]*section // the first of each name but DEFAULT's
	options  map[place]*Option   // the first of each
}

// A place names an option in the file.
type place struct{ section, option string }

// A Span is a half-open range of bytes in the parsed data.
type Span = span.Span

// A section is one header and the options below it. A repeated header makes a
// section of its own, a duplicate; Python refuses such a file.
type section struct {
	name      string
	line      int // 1-based, of the header
	duplicate bool
	options   []*Option
}

// An Option is one assignment. It holds no text of its value: see File.Get.
type Option struct {
	name string // in lower case
	line int    // 1-based
	// parts are the lines of the value without the space around them, in order;
	// an empty span is an empty line. Joined by newlines they are the raw value.
	parts []Span
	// delimiter is where the byte after "=" or ":" is.
	delimiter int
}

// Span returns the range from the value's first byte to its last.
func (o *Option) Span() Span {
	first, last := o.parts[0], o.parts[len(o.parts)-1]
	return Span{Start: first.Start, End: max(first.Start, last.End)}
}

// A kind is one of the complaints of configparser.
type kind string

// The kinds. The first four make Python refuse the whole file, the
// interpolation kinds make it refuse the section that is asked for.
const (
	missingHeader         kind = "missing section header"
	duplicateSection      kind = "duplicate section"
	duplicateOption       kind = "duplicate option"
	badLine               kind = "line that is not an assignment"
	badEncoding           kind = "not UTF-8"
	interpolationSyntax   kind = "bad use of %"
	interpolationMissing  kind = "reference to an option that is not there"
	interpolationTooDeep  kind = "references nested too deeply"
	interpolationTooLarge kind = "value too large after interpolation"
)

// An Error is one thing that makes Python refuse the file or a section of it.
// Its text never quotes a value.
type Error struct {
	Line int // 1-based
	Text string
	kind kind
}

// Error returns the line and what is wrong there.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// raw returns the value of an option as it is written, its lines joined by newlines.
// It may be key material.
func (f *File) raw(o *Option) string {
	var b strings.Builder
	for i, p := range o.parts {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.Write(f.doc.data[p.Start:p.End])
	}
	return b.String()
}

// lookup returns the option that a section uses for a name, its own or the one
// it inherits from [DEFAULT], or nil. Of repeated options it is the first.
func (f *File) lookup(section, name string) (o *Option, inherited bool) {
	name = lower(name)
	if o := f.doc.options[place{section, name}]; o != nil {
		return o, false
	}
	if o := f.doc.options[place{defaultSection, name}]; o != nil && f.doc.names[section] != nil {
		return o, true
	}
	return nil, false
}

// safeName quotes a name for an error, unless it is so long that it may be a
// secret that stands in the wrong place.
func safeName(name string) string {
	if len(name) > 30 {
		return fmt.Sprintf("a name of %d characters", len([]rune(name)))
	}
	return fmt.Sprintf("%q", name)
}

// Setting returns the names of the sections that set an option themselves, in file
// order; [DEFAULT], whose options the others inherit, is one of them.
func (f *File) Setting(option string) (sections []string) {
	seen := map[string]bool{}
	for _, s := range f.doc.sections {
		if f.doc.options[place{s.name, lower(option)}] != nil && !seen[s.name] {
			seen[s.name] = true
			sections = append(sections, s.name)
		}
	}
	return sections
}
