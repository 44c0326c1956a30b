package archive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A document that a browser or an office program has saved shows its text by the numbers of
// glyphs. Each font has a table from these to characters (ISO 32000-1, 9.10.3), so that text
// can be copied; here the text of each page is written by them. Which font a piece of text
// is in is not looked up: the tables of a document seldom contradict each other, and where
// one does, the text is written by it as well.

const (
	// maxFonts is how many tables of a document there may be that contradict each other.
	maxFonts    = 32
	maxPDFText  = 4 << 20 // bytes of a page's stream
	maxCodes    = 1 << 16
	wordSpacing = -200 // thousandths of a font's size; what is further apart is two words
)

// pdfFonts are the tables of a document, by the width of their codes, less one.
type pdfFonts struct{ maps []*glyphs }

// A glyphs maps codes to characters.
type glyphs struct {
	width int // bytes of a code
	text  map[uint16]string
}

// add takes the table that a stream holds, if it is one. A table that contradicts none of its
// width is united with the first of these.
func (f *pdfFonts) add(data []byte) {
	if !bytes.Contains(data, []byte("beginbf")) || len(f.maps) == maxFonts {
		return
	}
	g := &glyphs{width: 2, text: map[uint16]string{}}
	if _, rest, ok := bytes.Cut(data, []byte("begincodespacerange")); ok {
		if _, code := pdfToken(&rest); len(code) == 1 {
			g.width = 1
		}
	}
	for rest := data; ; {
		i := bytes.Index(rest, []byte("beginbf"))
		if i < 0 {
			break
		}
		ranges := bytes.HasPrefix(rest[i:], []byte("beginbfrange"))
		rest = rest[i+len("beginbf"):]
		_, _ = pdfToken(&rest) // the rest of the word
		g.section(&rest, ranges)
	}
	for _, other := range f.maps {
		if other.width == g.width && other.agrees(g) {
			for code, text := range g.text {
				other.text[code] = text
			}
			return
		}
	}
	if len(g.text) > 0 {
		f.maps = append(f.maps, g)
	}
}

func (g *glyphs) agrees(with *glyphs) bool {
	for code, text := range with.text {
		if own, ok := g.text[code]; ok && own != text {
			return false
		}
	}
	return true
}

// section reads the lines of a table up to "endbfchar" or "endbfrange".
func (g *glyphs) section(rest *[]byte, ranges bool) {
	code := func() (n uint16, ok bool) {
		kind, b := pdfToken(rest)
		for _, c := range b[:min(len(b), 2)] {
			n = n<<8 | uint16(c)
		}
		return n, kind == '<' && len(b) <= 2
	}
	for len(g.text) < maxCodes {
		first, ok := code()
		last := first
		if ok && ranges {
			last, ok = code()
		}
		if !ok {
			return
		}
		kind, to := pdfToken(rest)
		list := kind == '['
		for c := int(first); c <= int(last) && len(g.text) < maxCodes; c++ {
			if list {
				kind, to = pdfToken(rest)
			}
			if kind != '<' || len(to) > 64 {
				break
			}
			units := make([]uint16, 0, len(to)/2)
			for part := range slices.Chunk(to[:len(to)&^1], 2) {
				units = append(units, binary.BigEndian.Uint16(part))
			}
			if n := len(units); n > 0 && !list { // the last one counts up
				units[n-1] += uint16(c) - first
			}
			g.text[uint16(c)] = string(utf16.Decode(units))
		}
		for list && kind != ']' && kind != 0 {
			kind, _ = pdfToken(rest)
		}
	}
}

// write writes what a content stream shows, and reports whether any of it is by the table.
// Text that goes on at another height begins a line.
func (g *glyphs) write(content []byte) (out []byte, any bool) {
	var numbers [2]float64 // the last ones
	height := 0.0
	line := func() {
		if len(out) > 0 && out[len(out)-1] != '\n' {
			out = append(out, '\n')
		}
	}
	inArray := false
	for rest := content; ; {
		kind, t := pdfToken(&rest)
		switch kind {
		case 0:
			return out, any
		case '(', '<':
			if len(out) > 2*maxPDFText {
				return out, any
			}
			for ; len(t) >= g.width; t = t[g.width:] {
				code := uint16(t[0])
				if g.width == 2 {
					code = binary.BigEndian.Uint16(t)
				}
				text, ok := g.text[code]
				if any = any || ok; !ok {
					text = " "
				}
				out = append(out, text...)
			}
		case '[', ']':
			inArray = kind == '['
		case '0':
			v, _ := strconv.ParseFloat(string(t), 64)
			if numbers[0], numbers[1] = numbers[1], v; inArray && v < wordSpacing {
				out = append(out, ' ')
			}
		default:
			switch string(t) {
			case "Td", "TD":
				if numbers[1] != 0 {
					line()
				}
			case "Tm":
				if numbers[1] != height {
					line()
				}
				height = numbers[1]
			case "T*", "'", "\"":
				line()
			}
		}
	}
}

// pdfToken takes the next token of a content stream or table. Its kind is '(' or '<' for a
// string, which is given without that and decoded, '[' or ']', '0' for a number, 'a' for
// anything else, and 0 at the end.
func pdfToken(rest *[]byte) (kind byte, value []byte) {
	b := bytes.TrimLeft(*rest, " \t\r\n\f\x00")
	if len(b) == 0 {
		*rest = nil
		return 0, nil
	}
	end := 1
	switch c := b[0]; {
	case c == '(':
		value, end = pdfLiteral(b)
		*rest = b[end:]
		return '(', value
	case c == '<' && len(b) > 1 && b[1] != '<':
		if end = bytes.IndexByte(b, '>'); end < 0 {
			end = len(b) - 1
		}
		digits := bytes.Map(func(r rune) rune {
			if r < 0x80 && hexCode.value[r] >= 0 {
				return r
			}
			return -1
		}, b[1:max(1, end)])
		*rest = b[end+1:]
		return '<', hexCode.decode(nil, digits)
	case c == '[' || c == ']':
		*rest = b[1:]
		return c, nil
	case strings.IndexByte("<>{}", c) < 0:
		for end < len(b) && strings.IndexByte(" \t\r\n\f\x00()<>[]{}/%", b[end]) < 0 {
			end++
		}
	}
	*rest = b[end:]
	if c := b[0]; c >= '0' && c <= '9' || c == '-' || c == '.' || c == '+' {
		return '0', b[:end]
	}
	return 'a', b[:end]
}

// pdfLiteral reads a string in parentheses (ISO 32000-1, 7.3.4.2), and returns where it ends.
func pdfLiteral(b []byte) (value []byte, end int) {
	depth := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				return value, i + 1
			}
		case c == '\\' && i+1 < len(b):
			i++
			switch c = b[i]; {
			case c >= '0' && c <= '7':
				v := 0
				for k := 0; k < 3 && i < len(b) && b[i] >= '0' && b[i] <= '7'; k++ {
					v = v<<3 | int(b[i]-'0')
					i++
				}
				i--
				c = byte(v)
			case c == '\n':
				continue
			case strings.IndexByte("nrtbf", c) >= 0:
				c = "\n\r\t\b\f"[strings.IndexByte("nrtbf", c)]
			}
		}
		value = append(value, c)
	}
	return value, len(b)
}

// pdfText shows the text of the stream whose data starts at start, if it is a page's. What is
// wrong with it was reported when it was visited itself.
func (w *walk) pdfText(n node, from, start int64, fonts *pdfFonts) (int64, error) {
	before := make([]byte, start-from)
	k, _ := n.at.ReadAt(before, from)
	name, dict := pdfDictionary(before[:k])
	open, odd := w.pdfOpen(pdfFilters(dict))
	if odd != "" || open == nil || pdfPicture(dict) {
		return start, nil
	}
	d, err := w.decode(io.NewSectionReader(n.at, start, n.size-start), open)
	if err != nil {
		return start, nil
	}
	defer d.close()
	content, _ := io.ReadAll(io.LimitReader(d, maxPDFText))
	if w.over != nil {
		return 0, &stopped{w.over}
	}
	if !bytes.Contains(content, []byte("Tj")) && !bytes.Contains(content, []byte("TJ")) {
		return start, nil
	}
	for _, g := range fonts.maps {
		text, any := g.write(content)
		if !any {
			continue
		}
		if err := w.record(n.child(cmp.Or(name, fmt.Sprintf("stream at %d", start))+"!text"), text); err != nil {
			return 0, err
		}
	}
	return start + d.consumed(), nil
}
