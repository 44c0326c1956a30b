// Package notebook says where in a Jupyter notebook a byte lies: in which cell,
// and in what part of it. It knows nbformat 3 and 4 and works on the bytes of
// the file in one pass, without decoding what the cells hold.
package notebook

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/b10lint/b10lint/internal/span"
)

// A Place says where in a notebook a byte lies.
type Place struct {
	Cell int // 0-based, in file order
	// Part is "source", "output", "error" (the traceback of an output), "attachment",
	// or "metadata", which is everything else in a cell.
	Part string
	// Kind is, for an output, "stream", "result", "display" or "error".
	Kind string
}

// A Span is a half-open range of bytes, [Start, End).
type Span = span.Span

// A Notebook is the outline of one file.
type Notebook struct {
	Cells  int // how many there are
	pieces []piece
	images []Span
}

// A piece is a stretch of the file that lies in one place. There may be very many.
type piece struct {
	Span
	spot
}

// A spot is a Place in few bytes.
type spot struct {
	cell int32
	part part
	kind kind
}

type (
	part uint8
	kind uint8
)

const (
	metadata part = iota
	source
	output
	failure
	attachment
)

const (
	_ kind = iota
	stream
	result
	display
	fault
)

var (
	partNames = [...]string{"metadata", "source", "output", "error", "attachment"}
	kindNames = [...]string{"", "stream", "result", "display", "error"}
)

// kinds are the output types of both formats.
var kinds = map[string]kind{
	"stream": stream, "execute_result": result, "pyout": result,
	"display_data": display, "update_display_data": display, "error": fault, "pyerr": fault,
}

const blanks = " \t\r\n"

// LooksLike reports at little cost whether data may be a notebook.
func LooksLike(data []byte) bool {
	head := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 4<<10)], []byte("\xef\xbb\xbf")), blanks)
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	// Most objects that are not a notebook show it by the name of their first member.
	first := bytes.TrimLeft(head[1:], blanks)
	if !slices.ContainsFunc([]string{`"cells"`, `"metadata"`, `"nbformat"`, `"nbformat_minor"`, `"worksheets"`, `"orig_nbformat"`},
		func(name string) bool { return bytes.HasPrefix(first, []byte(name)) }) {
		return false
	}
	has := func(b []byte, key string) bool { return bytes.Contains(b, []byte(key)) }
	if has(head, `"nbformat"`) {
		return true
	}
	if !has(head, `"cells"`) && !has(head, `"worksheets"`) && !has(head, `"metadata"`) {
		return false
	}
	return has(head, `"cell_type"`) || has(data[max(0, len(data)-(4<<10)):], `"nbformat"`)
}

// Parse outlines a notebook. It always returns what it understood. The error
// says where the file stops being a notebook; the places before that hold, and
// a part that was cut off reaches to the end of data.
func Parse(data []byte) (*Notebook, error) {
	p := &parser{scanner: scanner{data: data}, nb: &Notebook{}}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		p.pos = 3
	}
	if p.next() != '{' {
		return p.nb, p.unexpected("an object")
	}
	cells := func(key []byte) error {
		if string(key) == "cells" {
			return p.array(p.cell)
		}
		return p.value()
	}
	return p.nb, p.object(func(key []byte) error {
		if string(key) == "worksheets" { // nbformat 3
			return p.array(func() error { return p.object(cells) })
		}
		return cells(key)
	})
}

// At returns where the byte at offset lies; false outside of all cells.
func (n *Notebook) At(offset int) (Place, bool) {
	i := sort.Search(len(n.pieces), func(i int) bool { return n.pieces[i].End > offset })
	if i == len(n.pieces) || offset < n.pieces[i].Start {
		return Place{}, false
	}
	s := n.pieces[i].spot
	return Place{int(s.cell), partNames[s.part], kindNames[s.kind]}, true
}

// Skip returns, in order, the values that hold pictures, which are useless to read as
// text. Drawings in SVG are text and are not among them.
func (n *Notebook) Skip() []Span { return n.images }

// A parser builds the outline. Pieces are laid one behind the other; a piece
// begins where the one before it ended.
type parser struct {
	scanner
	nb    *Notebook
	start int // of the piece that is being read
}

// lay ends the piece that is being read.
func (p *parser) lay(at spot) {
	if p.pos > p.start {
		p.nb.pieces = append(p.nb.pieces, piece{Span{Start: p.start, End: p.pos}, at})
	}
	p.start = p.pos
}

func (p *parser) cell() error {
	if p.next() != '{' {
		return p.value()
	}
	p.start = p.pos
	other := spot{cell: int32(p.nb.Cells)}
	p.nb.Cells++
	err := p.object(func(key []byte) error {
		switch string(key) {
		case "source", "input":
			p.lay(other)
			err := p.value()
			p.lay(spot{cell: other.cell, part: source})
			return err
		case "attachments": // {"name": {"image/png": "…"}}
			p.lay(other)
			err := p.object(func([]byte) error { return p.object(p.rich) })
			p.lay(spot{cell: other.cell, part: attachment})
			return err
		case "outputs":
			return p.array(func() error { return p.output(other) })
		}
		return p.value()
	})
	p.lay(other)
	return err
}

// rich reads a value of a media type.
func (p *parser) rich(mime []byte) error {
	start := p.pos
	err := p.value()
	switch name := string(mime); {
	case name == "png", name == "jpeg", // nbformat 3
		strings.HasPrefix(name, "image/") && !strings.HasPrefix(name, "image/svg"):
		p.nb.images = append(p.nb.images, Span{Start: start, End: p.pos})
	}
	return err
}

// output reads one output. What kind it is may stand behind its content, so the
// pieces are named at the end.
func (p *parser) output(other spot) error {
	if p.next() != '{' {
		return p.value()
	}
	p.lay(other)
	first := len(p.nb.pieces)
	out := spot{cell: other.cell, part: output}
	err := p.object(func(key []byte) error {
		switch string(key) {
		case "output_type":
			start := p.pos
			err := p.value()
			out.kind = kinds[string(bytes.Trim(p.data[start:p.pos], `"`))]
			return err
		case "data":
			return p.object(p.rich)
		case "png", "jpeg": // nbformat 3
			return p.rich(key)
		}
		return p.value()
	})
	p.lay(out)
	for i := first; i < len(p.nb.pieces); i++ {
		at := &p.nb.pieces[i].spot
		if at.kind = out.kind; out.kind == fault {
			at.part = failure
		}
	}
	return err
}
