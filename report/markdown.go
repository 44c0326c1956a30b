package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// mdText makes visible text safe in a line of GitHub Markdown: nothing in it is
// markup, HTML, a table border, a link, a mention or a reference. What could be
// becomes a numeric entity, which CommonMark never takes for markup.
func mdText(s string) string { return entities(s, "\\`*_{}[]<>()#!|~@&:$^\"'") }

// mdCode is mdText in a code element, for names and paths. An element and not a
// code span, because a span cannot hold every text inside a table.
func mdCode(s string) string { return "<code>" + mdText(s) + "</code>" }

func entities(s, special string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c < utf8.RuneSelf && strings.IndexByte(special, c) >= 0:
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteString("&#46;") // a bare www. is a link
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
