package trussrc

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads a trussrc. It always returns a File: what Python would refuse is
// reported, in file order, each as an *Error, and the rest is read all the same.
// Time and memory are linear in the input. The data is kept, not copied.
func Parse(data []byte) (*File, []error) {
	p := &parser{doc: &document{data: data, names: map[string]*section{}, options: map[place]*Option{}}}
	pos := 0
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		pos = 3
		p.errs = append(p.errs, &Error{1, "starts with a byte order mark, which truss takes for text before the first [section]; remove it", missingHeader})
		p.headed = true
	}
	for pos < len(data) {
		end, next := lineEnd(data, pos)
		p.line++
		p.readLine(pos, end)
		pos = next
	}
	for _, s := range p.doc.sections {
		for _, o := range s.options { // no value has empty lines at its end
			for n := len(o.parts); n > 1 && o.parts[n-1].Start == o.parts[n-1].End; n-- {
				o.parts = o.parts[:n-1]
			}
		}
	}
	return &File{p.doc}, p.errs
}

// A parser is the state of RawConfigParser._read between two lines.
type parser struct {
	doc     *document
	errs    []error
	section *section
	option  *Option // the one that a continuation line would continue
	indent  int     // of the line that last was no continuation, in characters
	line    int
	headed  bool // the missing header has been reported
}

func (p *parser) fail(kind kind, format string, args ...any) {
	p.errs = append(p.errs, &Error{p.line, fmt.Sprintf(format, args...), kind})
}

// lineEnd returns where the line at pos ends and the next one starts, with the
// three line ends that Python's text mode knows.
func lineEnd(data []byte, pos int) (end, next int) {
	i := bytes.IndexAny(data[pos:], "\r\n")
	if i < 0 {
		return len(data), len(data)
	}
	end = pos + i
	if data[end] == '\r' && end+1 < len(data) && data[end+1] == '\n' {
		return end, end + 2
	}
	return end, end + 1
}

func (p *parser) readLine(start, end int) {
	text := p.doc.data[start:end]
	if !utf8.Valid(text) {
		p.fail(badEncoding, "is not UTF-8, so truss cannot read the file; save it as UTF-8")
	}
	left := bytes.TrimLeftFunc(text, isSpace)
	value := bytes.TrimRightFunc(left, isSpace)
	at := end - len(left)
	span := Span{Start: at, End: at + len(value)}
	if len(value) == 0 {
		if p.section != nil && p.option != nil {
			p.option.parts = append(p.option.parts, Span{Start: start, End: start})
		}
		return
	}
	if value[0] == '#' || value[0] == ';' {
		return
	}
	indent := utf8.RuneCount(text[:len(text)-len(left)])
	if p.section != nil && p.option != nil && indent > p.indent {
		p.option.parts = append(p.option.parts, span)
		return
	}
	p.indent = indent
	// configparser's header is \[(.+)\] at the start of the line: the name ends at the
	// last bracket, and what follows it is dropped.
	last := bytes.LastIndexByte(value, ']')
	if value[0] != '[' || last < 2 {
		p.assign(value, span)
		return
	}
	s := &section{name: string(value[1:last]), line: p.line}
	if first := p.doc.names[s.name]; first != nil {
		s.duplicate = true
		p.fail(duplicateSection, "section %s is there already, since line %d; truss refuses the whole file: remove one of the two",
			safeName(s.name), first.line)
	} else if s.name != defaultSection {
		p.doc.names[s.name] = s
	}
	p.doc.sections = append(p.doc.sections, s)
	p.section, p.option = s, nil
}

func (p *parser) assign(value []byte, span Span) {
	if p.section == nil {
		if !p.headed {
			p.headed = true
			p.fail(missingHeader, "text before the first [section]; put a header such as [baseten] above it")
		}
		return
	}
	i := bytes.IndexAny(value, "=:")
	if i < 0 {
		p.fail(badLine, "is neither a [section] nor name = value; comment it out with # or correct it")
		return
	}
	name := lower(string(bytes.TrimRightFunc(value[:i], isSpace)))
	if name == "" {
		p.fail(badLine, "has no name before the %q", value[i])
	}
	start := span.End - len(bytes.TrimLeftFunc(value[i+1:], isSpace))
	o := &Option{name: name, line: p.line, delimiter: span.Start + i + 1, parts: []Span{{Start: start, End: span.End}}}
	key := place{p.section.name, name}
	if p.doc.options[key] == nil {
		p.doc.options[key] = o
	} else {
		p.fail(duplicateOption, "option %s is set twice in section %s; truss refuses the whole file: remove one of the two",
			safeName(name), safeName(p.section.name))
	}
	p.section.options = append(p.section.options, o)
	p.option = o
	if name == "" {
		p.option = nil // Python continues no option without a name
	}
}

// isSpace is Python's str.isspace, which also counts the four separators 0x1c to 0x1f.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// lower is Python's str.lower but for the two letters, İ and a final Σ, that
// Python lowers by their surroundings; no option of truss has one.
func lower(s string) string { return strings.ToLower(s) }
