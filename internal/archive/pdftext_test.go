package archive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// A pdfFont numbers characters in the order in which they come, as a subset of a font does.
type pdfFont struct {
	first, width int
	codes        map[rune]int
	order        []rune
}

func (f *pdfFont) hex(s string) (out string) {
	for _, c := range s {
		if f.codes[c] == 0 {
			f.codes[c] = f.first + len(f.order)
			f.order = append(f.order, c)
		}
		out += fmt.Sprintf("%0*X", 2*f.width, f.codes[c])
	}
	return out
}

// table is the font's ToUnicode table, in the forms that programs write it in.
func (f *pdfFont) table() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "/CIDInit /ProcSet findresource begin\nbegincmap\n1 begincodespacerange\n<%0*X> <%0*X>\nendcodespacerange\n", 2*f.width, 0, 2*f.width, 1<<(8*f.width)-1)
	n := 0
	for part := range slices.Chunk(f.order, 7) {
		code := f.first + 7*n
		switch n++; n % 3 {
		case 0:
			fmt.Fprintf(&b, "%d beginbfchar\n", len(part))
			for i, c := range part {
				fmt.Fprintf(&b, "<%0*X> <%04x>\n", 2*f.width, code+i, c)
			}
			b.WriteString("endbfchar\n")
		case 1:
			fmt.Fprintf(&b, "%d beginbfrange\n", len(part))
			for i, c := range part {
				fmt.Fprintf(&b, "<%0*X> <%0*X> <%04X>\n", 2*f.width, code+i, 2*f.width, code+i, c)
			}
			b.WriteString("endbfrange\n")
		default:
			fmt.Fprintf(&b, "1 beginbfrange\n<%0*X><%0*X>[", 2*f.width, code, 2*f.width, code+len(part)-1)
			for _, c := range part {
				fmt.Fprintf(&b, "<%04X> ", c)
			}
			b.WriteString("]\nendbfrange\n")
		}
	}
	b.WriteString("endcmap end end\n")
	return []byte(b.String())
}

// Text that is shown by the numbers of glyphs: as Chromium writes it, kerned, in a font of
// one byte, and in two fonts that number characters differently.
func TestPDFText(t *testing.T) {
	m := fakekey.New(41)
	wide, other := &pdfFont{3, 2, map[rune]int{}, nil}, &pdfFont{3, 2, map[rune]int{}, nil}
	narrow := &pdfFont{1, 1, map[rune]int{}, nil}
	keys := []string{m.B10(), m.Legacy(), m.B10(), m.B10()}
	wide.hex("abcdefgh ")
	page := "q\n1 0 0 -1 0 792 cm\nBT\n/F6 13 Tf\n1 0 0 -1 8 114 Tm\n<" + wide.hex("export KEY=") + "> Tj\n66.29 0 Td <" + wide.hex(keys[0][:20]) + "> Tj\n" +
		"12 0 Td <" + wide.hex(keys[0][20:]) + "> Tj\nET\n"
	page += "BT 1 0 0 1 8 200 Tm [<" + wide.hex("baseten:") + "> -310 <" + wide.hex(keys[1][:11]) + "> 12 <" + wide.hex(keys[1][11:]) + ">] TJ 0 -14 Td <" + wide.hex("next line") + "> Tj ET\n"
	second := "BT /F1 9 Tf 1 0 0 1 8 30 Tm <" + other.hex("zyxw "+keys[2]) + "> Tj ET"
	var literal strings.Builder
	for _, c := range keys[3] {
		var code int
		fmt.Sscanf(narrow.hex(string(c)), "%X", &code)
		fmt.Fprintf(&literal, "\\%03o", code)
	}
	third := "BT /F2 9 Tf (" + literal.String() + ") Tj ET"
	data := archivetest.PDF(t, []archivetest.File{{Data: []byte(page)}, {Data: []byte(second)}, {Data: []byte(third)},
		{Data: wide.table()}, {Data: other.table()}, {Data: narrow.table()}}...)
	s := walked(t, Limits{}, "name", data)
	for i, key := range keys {
		if got := s.find(key); len(got) == 0 || !strings.HasSuffix(got[0], "!text") {
			t.Errorf("key %d is in %q", i, got)
		}
	}
	if len(s.problems) > 0 {
		t.Errorf("problems: %q", s.problems)
	}
	var all string
	for _, text := range s.members {
		all += string(text)
	}
	for _, want := range []string{"export KEY=" + keys[0] + "\n", "baseten: " + keys[1] + "\nnext line"} {
		if !strings.Contains(all, want) {
			t.Errorf("a line is not as it is shown")
		}
	}
}

func FuzzPDFText(f *testing.F) {
	font := &pdfFont{3, 2, map[rune]int{}, nil}
	content := "BT 1 0 0 1 8 200 Tm [<" + font.hex("text") + "> -310 (\\000\\004)] TJ 0 -14 Td <" + font.hex("next") + "> Tj ET"
	f.Add(font.table(), []byte(content))
	f.Fuzz(func(t *testing.T, table, content []byte) {
		var fonts pdfFonts
		fonts.add(table)
		for _, g := range fonts.maps {
			if out, _ := g.write(content); len(out) > 64*len(content)+1 {
				t.Errorf("%d bytes out of %d", len(out), len(content))
			}
		}
	})
}
