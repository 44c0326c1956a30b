// Package notebook tells where in a Jupyter notebook a byte lies: in which cell,
// and in what part of it. It knows nbformat 3 and 4 and works on the bytes of
// the file in one pass, without decoding what the cells hold.
package notebook

import (
	"bytes"
	"sort"
	"strings"
)

// A Part is a part of a cell.
type Part string

// The parts. Error is the traceback of an output; Metadata is everything in a
// cell that is none of the others.
const (
	Source     Part = "source"
	Output     Part = "output"
	Error      Part = "error"
	Metadata   Part = "metadata"
	Attachment Part = "attachment"
)

// A Place says where in a notebook a byte lies.
type Place struct {
	Cell int // 0-based, in file order
	Part Part
	// Kind is, for an output, "stream", "result", "display" or "error".
	Kind string
	// MIME is the media type of a rich output or an attachment, if it has one.
	MIME string
}

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }

// A Notebook is the outline of one file.
type Notebook struct {
	// Format is the major nbformat version, 0 when the file does not say.
	Format int
	// Cells is how many cells there are.
	Cells  int
	pieces []piece
	mimes  []string // that pieces name by number; the first is none
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
	mime uint8
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
	unknown kind = iota
	stream
	result
	display
	fault
)

var (
	partNames = [...]Part{Metadata, Source, Output, Error, Attachment}
	kindNames = [...]string{"", "stream", "result", "display", "error"}
)

// LooksLike tells at little cost whether data may be a notebook.
func LooksLike(data []byte) bool {
	head := bytes.TrimPrefix(data[:min(len(data), 4<<10)], []byte("\xef\xbb\xbf"))
	start := 0
	for start < len(head) && (head[start] == ' ' || head[start] == '\t' || head[start] == '\r' || head[start] == '\n') {
		start++
	}
	if head = head[start:]; len(head) == 0 || head[0] != '{' || !opens(head[1:]) {
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

// opens reports whether the first name of an object is one of those that the format has at
// the top; most objects that are none of a notebook show it here.
func opens(b []byte) bool {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	for _, name := range []string{`"cells"`, `"metadata"`, `"nbformat"`, `"nbformat_minor"`, `"worksheets"`, `"orig_nbformat"`} {
		if bytes.HasPrefix(b, []byte(name)) {
			return true
		}
	}
	return false
}

// Parse outlines a notebook. It always returns what it understood. The error
// says where the file stops being a notebook; the places before that hold, and
// a part that was cut off reaches to the end of data.
func Parse(data []byte) (*Notebook, error) {
	p := &parser{scanner: scanner{data: data}, nb: &Notebook{mimes: []string{""}}}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		p.pos = 3
	}
	return p.nb, p.notebook()
}

// At tells where the byte at offset lies. It is false outside of all cells.
func (n *Notebook) At(offset int) (Place, bool) {
	i := sort.Search(len(n.pieces), func(i int) bool { return n.pieces[i].End > offset })
	if i == len(n.pieces) || offset < n.pieces[i].Start {
		return Place{}, false
	}
	s := n.pieces[i].spot
	return Place{int(s.cell), partNames[s.part], kindNames[s.kind], n.mimes[s.mime]}, true
}

// Skip lists, in order, the values that hold pictures: there is no sense in
// reading those as text. Drawings in SVG are text and are not among them.
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
		p.nb.pieces = append(p.nb.pieces, piece{Span{p.start, p.pos}, at})
	}
	p.start = p.pos
}

// part reads one value as a piece of its own.
func (p *parser) part(around, at spot) error {
	p.next()
	p.lay(around)
	err := p.value()
	p.lay(at)
	return err
}

func (p *parser) notebook() error {
	if p.next() != '{' {
		return p.unexpected("an object")
	}
	return p.object(func(key []byte) error {
		switch string(key) {
		case "cells":
			return p.array(p.cell)
		case "worksheets": // nbformat 3
			return p.array(func() error {
				return p.object(func(key []byte) error {
					if string(key) == "cells" {
						return p.array(p.cell)
					}
					return p.value()
				})
			})
		case "nbformat":
			start := p.pos
			err := p.value()
			if v := p.data[start:p.pos]; len(v) == 1 && v[0] >= '0' && v[0] <= '9' {
				p.nb.Format = int(v[0] - '0')
			}
			return err
		}
		return p.value()
	})
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
			return p.part(other, spot{cell: other.cell, part: source})
		case "attachments":
			return p.attachments(other)
		case "outputs":
			return p.array(func() error { return p.output(other) })
		}
		return p.value()
	})
	p.lay(other)
	return err
}

// attachments reads {"name": {"image/png": "…"}}.
func (p *parser) attachments(other spot) error {
	p.lay(other)
	around := spot{cell: other.cell, part: attachment}
	err := p.object(func([]byte) error {
		return p.object(func(mime []byte) error { return p.rich(around, mime) })
	})
	p.lay(around)
	return err
}

// rich reads a value of a media type.
func (p *parser) rich(around spot, mime []byte) error {
	at := around
	at.mime = p.mime(mime)
	start := p.pos
	err := p.part(around, at)
	if isPicture(mime) {
		p.nb.images = append(p.nb.images, Span{start, p.pos})
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
			out.kind = kindOf(p.data[start:p.pos])
			return err
		case "data":
			return p.object(func(mime []byte) error { return p.rich(out, mime) })
		case "html", "svg", "png", "jpeg", "latex", "javascript", "json", "pdf": // nbformat 3
			return p.rich(out, key)
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

// kindOf maps the output types of both formats.
func kindOf(quoted []byte) kind {
	switch string(bytes.Trim(quoted, `"`)) {
	case "stream":
		return stream
	case "execute_result", "pyout":
		return result
	case "display_data", "update_display_data":
		return display
	case "error", "pyerr":
		return fault
	}
	return unknown
}

// mime gives the number of a media type. A file has a few; those beyond what a
// number holds go without.
func (p *parser) mime(key []byte) uint8 {
	name := mimeOf(key)
	for i, m := range p.nb.mimes {
		if m == name {
			return uint8(i)
		}
	}
	if len(p.nb.mimes) > 255 {
		return 0
	}
	p.nb.mimes = append(p.nb.mimes, strings.Clone(name))
	return uint8(len(p.nb.mimes) - 1)
}

// mimeOf names the media type that a key stands for. The short names are those
// of nbformat 3. Anything unknown is kept, cut to a sane length.
func mimeOf(key []byte) string {
	switch string(key) {
	case "png", "jpeg":
		return "image/" + string(key)
	case "svg":
		return "image/svg+xml"
	case "html", "latex":
		return "text/" + string(key)
	case "javascript", "json", "pdf":
		return "application/" + string(key)
	}
	return string(key[:min(len(key), 100)])
}

func isPicture(key []byte) bool {
	switch string(key) {
	case "png", "jpeg":
		return true
	}
	return bytes.HasPrefix(key, []byte("image/")) && !bytes.HasPrefix(key, []byte("image/svg"))
}
