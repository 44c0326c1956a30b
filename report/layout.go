package report

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// A cell is the visible form of one character of a source line.
type cell struct {
	text  string
	width int
	blank bool
}

// cells makes each character of a source line visible, a tab as four spaces.
func cells(line string) []cell {
	var out []cell
	for i := 0; i < len(line); {
		r, _ := utf8.DecodeRuneInString(line[i:])
		text, size := visibleAt(line, i)
		switch {
		case r == '\t':
			text = "    "
			out = append(out, cell{text, len(text), true})
		case text == line[i:i+size]:
			out = append(out, cell{text, columns(r), unicode.IsSpace(r)})
		default:
			out = append(out, cell{text, len(text), false})
		}
		i += size
	}
	return out
}

// underline returns a source line made visible and the line to print below it,
// with a ^ under each column of the marked characters. room is the number of
// columns there are, 0 for any; a longer line is cut around the mark. Blanks at
// both ends are left out.
func underline(line string, mark *[2]int, room int) (shown, under string) {
	all := cells(line)
	from, to := 0, 0
	if mark != nil {
		from = min(max(mark[0], 0), len(all))
		to = min(max(mark[1], from), len(all))
	}
	first, last := 0, len(all)
	for first < last && all[first].blank && (to == from || first < from) {
		first++
	}
	for last > first && all[last-1].blank && last > to {
		last--
	}
	first, last, head, tail := window(all, first, last, from, to, room)
	var a, b strings.Builder
	a.WriteString(head)
	b.WriteString(strings.Repeat(" ", utf8.RuneCountInString(head)))
	for i := first; i < last; i++ {
		a.WriteString(all[i].text)
		sign := " "
		if i >= from && i < to {
			sign = "^"
		}
		b.WriteString(strings.Repeat(sign, all[i].width))
	}
	return a.String() + tail, strings.TrimRight(b.String(), " ")
}

// window narrows [first, last) so that it fits the room, keeping the start of
// the mark in view with a third of the room before it.
func window(all []cell, first, last, from, to, room int) (int, int, string, string) {
	total := 0
	for _, c := range all[first:last] {
		total += c.width
	}
	if room <= 0 || total <= room {
		return first, last, "", ""
	}
	room -= 2 // for the signs that something is cut
	start := first
	if to > from && from > first {
		start = min(from, last)
		for before := room / 3; start > first && before >= all[start-1].width; start-- {
			before -= all[start-1].width
		}
	}
	end := start
	for left := room; end < last && left >= all[end].width; end++ {
		left -= all[end].width
	}
	head, tail := "", ""
	if start > first {
		head = "…"
	}
	if end < last {
		tail = "…"
	}
	return start, end, head, tail
}

// fold breaks s at spaces into lines of at most room columns; a longer word
// keeps a line to itself. room 0 means one line.
func fold(s string, room int) []string {
	if room <= 0 {
		return []string{s}
	}
	var out []string
	var line strings.Builder
	used := 0
	for _, word := range strings.Fields(s) {
		w := textWidth(word)
		if used > 0 && used+1+w > room {
			out = append(out, line.String())
			line.Reset()
			used = 0
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(word)
		used += w
	}
	return append(out, line.String())
}

// textWidth is how many columns a text takes.
func textWidth(s string) (w int) {
	for _, r := range s {
		w += columns(r)
	}
	return w
}

// columns is the number of terminal columns a graphic character takes: none for a
// combining mark, two for what Unicode Standard Annex 11 calls wide or fullwidth,
// one for the rest.
func columns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
