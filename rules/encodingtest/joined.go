package encodingtest

import (
	"strings"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// joints are the ways in which source text puts a key together of literals. A is
// what stands before its dot, B what stands behind it, and C and D two parts of B.
var joints = []string{
	`"A" + "." + "B"`, `"A." + "B"`, `'A' + '.B'`, `"A" "." "B"`, `"A" . "." . "B"`, `f"A" f"." f"B"`,
	"`${\"A\"}${\".\"}${\"B\"}`", `['A', '.', 'B']`, `"A" & "." & "B"`, `"A"".""B"`, `'A.C' 'D'`,
	"(\"A.\"\n    \"B\")", "(f\"A\"\n f\".\"\n f\"B\")", "A.\\\n    B", "'A.'\\\n  'B'", "\"A\" +\n\t\t\".B\"", "\"A.C\" +\n  \"D\"", "A.C\\\nD",
}

// Joined returns the ways to put a text with one dot in it together of literals, on
// one line and over adjacent ones. They are source text and need no quotes about them.
func Joined() (all []Encoding) {
	for _, form := range joints {
		all = append(all, Encoding{"concatenation", form, func(m *fakekey.Maker, s string) string {
			a, b, _ := strings.Cut(s, ".")
			cut := 1 + m.IntN(len(b)-2)
			// One pass: the text of a part may hold the letters that stand for parts.
			return strings.NewReplacer("A", a, "B", b, "C", b[:cut], "D", b[cut:]).Replace(form)
		}})
	}
	return all
}
