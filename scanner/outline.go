package scanner

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/notebook"
	"github.com/b10lint/b10lint/scanner/source"
)

// An outline is what is known of the inside of a blob: where the cells of a
// notebook are. A nil one knows nothing.
type outline struct{ nb *notebook.Notebook }

// newOutline looks at a blob that is there whole. What stops being a notebook
// halfway has its places up to there, and is text like any other behind.
func newOutline(b *source.Blob) *outline {
	if w := b.Window; w != nil && (w.Offset > 0 || !w.Last) || !notebook.LooksLike(b.Data) {
		return nil
	}
	nb, _ := notebook.Parse(b.Data)
	if nb.Cells == 0 {
		return nil
	}
	return &outline{nb}
}

// fresh is what of a blob is to be searched: not the pictures in a notebook, which
// take long to decode and hold no text. A value that is called a picture and is not
// base64 throughout is searched all the same.
func (o *outline) fresh(b *source.Blob) []finding.Span {
	if o == nil {
		return b.Fresh
	}
	var pictures []notebook.Span
	for _, s := range o.nb.Skip() {
		if bytes.IndexByte(b.Data[s.Start:s.End], '.') < 0 {
			pictures = append(pictures, s)
		}
	}
	if len(pictures) == 0 {
		return b.Fresh
	}
	spans := b.Fresh
	if spans == nil {
		spans = []finding.Span{{End: len(b.Data)}}
	}
	out := []finding.Span{}
	for _, s := range spans {
		for len(pictures) > 0 && pictures[0].End <= s.Start {
			pictures = pictures[1:]
		}
		for _, c := range pictures {
			if c.Start >= s.End {
				break
			}
			if c.Start > s.Start {
				out = append(out, finding.Span{Start: s.Start, End: c.Start})
			}
			s.Start = max(s.Start, c.End)
		}
		if s.Start < s.End {
			out = append(out, s)
		}
	}
	return out
}

// cell is the cell at an offset, nil where there is none.
func (o *outline) cell(offset int) *finding.Cell {
	if o == nil {
		return nil
	}
	at, ok := o.nb.At(offset)
	if !ok {
		return nil
	}
	return &finding.Cell{Index: at.Cell, Part: at.Part, Output: at.Kind}
}
