package trussrc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SetValue returns the file's text with one value replaced and every other byte
// as it was: comments, order, spacing and line ends. The option must stand in the
// section itself and only once; of a value with continuation lines the first line
// is replaced and the others go. The value is written so that truss reads back
// exactly what was given: each % is doubled, and one that cannot be written on a
// line (line breaks, space at an end) is refused. No error quotes a value.
func (f *File) SetValue(section, option, value string) ([]byte, error) {
	name := lower(option)
	o, err := f.only(section, name)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(value, "\r\n") || strings.TrimFunc(value, isSpace) != value || !utf8.ValidString(value) {
		return nil, fmt.Errorf("the new value of %s has a line break, space at an end or bytes that are not UTF-8", safeName(name))
	}
	out := f.splice(o, strings.ReplaceAll(value, "%", "%%"))
	if err := f.check(out, section, name, value); err != nil {
		return nil, err
	}
	return out, nil
}

// only returns the one option of that name that the section has.
func (f *File) only(section, name string) (*Option, error) {
	var found []*Option
	for _, s := range f.doc.sections {
		for _, o := range s.options {
			if s.name == section && o.name == name {
				found = append(found, o)
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("option %s is twice in section %s, on lines %d and %d; remove one of the two",
			safeName(name), safeName(section), found[0].line, found[1].line)
	case f.doc.names[section] == nil:
		return nil, fmt.Errorf("there is no section %s", safeName(section))
	}
	if o, inherited := f.lookup(section, name); inherited {
		return nil, fmt.Errorf("section %s inherits option %s from [%s], line %d; set it there",
			safeName(section), safeName(name), defaultSection, o.line)
	}
	return nil, fmt.Errorf("section %s has no option %s", safeName(section), safeName(name))
}

func (f *File) splice(o *Option, value string) []byte {
	data := f.doc.data
	first := o.parts[0]
	var out bytes.Buffer
	out.Write(data[:first.Start])
	if first.Start == o.delimiter && first.Start == first.End && o.delimiter > 1 && data[o.delimiter-2] == ' ' {
		out.WriteByte(' ') // "name =" with the value on the next line
	}
	out.WriteString(value)
	pos := first.End
	for _, p := range o.parts[1:] {
		start := bytes.LastIndexAny(data[:p.Start], "\r\n") + 1
		_, next := lineEnd(data, p.End)
		out.Write(data[pos:start])
		pos = next
	}
	out.Write(data[pos:])
	return out.Bytes()
}

// check reads the new text back: the option must have the new value and every
// other one its old.
func (f *File) check(out []byte, section, name, value string) error {
	g, _ := Parse(out)
	if got, ok, err := g.Get(section, name); err != nil || !ok || got != value {
		return fmt.Errorf("option %s cannot hold the new value", safeName(name))
	}
	if len(g.doc.sections) != len(f.doc.sections) {
		return errors.New("the edit would change the file's sections")
	}
	for i, s := range f.doc.sections {
		t := g.doc.sections[i]
		if s.name != t.name || len(s.options) != len(t.options) {
			return fmt.Errorf("the edit would change section %s", safeName(s.name))
		}
		for j, o := range s.options {
			edited := s.name == section && o.name == name
			if o.name != t.options[j].name || !edited && f.raw(o) != g.raw(t.options[j]) {
				return fmt.Errorf("the edit would change option %s of section %s", safeName(o.name), safeName(s.name))
			}
		}
	}
	return nil
}
