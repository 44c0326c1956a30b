package revoke

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// show makes a word that came from elsewhere fit for a terminal: control and
// direction characters out, one line, of readable length.
func show(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 1000 {
		return string(r[:1000]) + "…"
	}
	return s
}
