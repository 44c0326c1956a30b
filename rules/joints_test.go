package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// A key is read over each joint, cut at every place and at two, and has its true prefix.
// One without a mark is, where the file names Baseten at its beginning.
func TestJoints(t *testing.T) {
	m := fakekey.New(91)
	for _, j := range encodingtest.Joints() {
		for _, format := range []finding.Format{finding.B10, finding.Legacy} {
			if j.Marked && format == finding.Legacy {
				continue
			}
			missed := map[string][]string{}
			for first := 1; first < 45; first++ {
				for _, second := range []int{0, first + 1, first + 20} {
					key := m.B10()
					if format == finding.Legacy {
						key = m.Legacy()
					}
					cuts := []int{first}
					if second > 0 {
						cuts = append(cuts, second)
					}
					if cuts[len(cuts)-1] >= len(key) || j.Long && len(cuts) > 1 && format == finding.Legacy || format == finding.B10 && len(cuts) > 1 && first < 4 {
						continue // a mark is sought before a prefix that is whole
					}
					if j.Between == "'" && second == first+1 {
						continue // a letter between two quotes may begin a string of Python
					}
					got := "nothing"
					head := "baseten, it is\n"
					if format == finding.B10 && first%2 == 1 {
						head = "it is\n" // a mark needs no name beside it
					}
					Find("x", []byte(head+j.Join(key, cuts...)+strings.Repeat("\n", first%2)), nil, func(f Match) bool {
						if got = "found"; f.Secret.Reveal() != key || f.Format != format {
							got = "another"
						}
						return got == "found"
					})
					if got != "found" {
						missed[got] = append(missed[got], fmt.Sprint(cuts))
					}
				}
			}
			for what, cuts := range missed {
				t.Errorf("%s, %s cut at %s: %s", j.Name, format, strings.Join(cuts, " "), what)
			}
		}
	}
}

// The dot alone may stand in brackets.
func TestDefanged(t *testing.T) {
	key := fakekey.New(94).B10()
	if got := find(t, "x", strings.Replace(key, ".", "[.]", 1)); fmt.Sprint(got) != "[b10/high]" {
		t.Error(got)
	}
}

// RTF is told by its head, since a backslash and letters are so much else elsewhere.
func TestRichText(t *testing.T) {
	m := fakekey.New(93)
	for cut := 1; cut < 45; cut++ {
		key := m.B10()
		text := "{\\rtf1\\ansi\\deff0 {\\rtlch \\ltrch\\loch " + key[:cut] + "}{\\rtlch\\af31 \\ltrch\\lang1033\\loch\n" + key[cut:] + "}\\par }"
		if got := find(t, "x", text); fmt.Sprint(got) != "[b10/high]" {
			t.Errorf("cut at %d: %v", cut, got)
		}
	}
}

// What has joints and is not a key stays so.
func TestNotJoined(t *testing.T) {
	m := fakekey.New(92)
	for _, text := range []string{
		"token\n" + m.Word(3) + "." + m.Word(32),                     // a short line ends a word
		"<td>" + m.Word(4) + "</td> <td>" + m.Word(4) + "</td>.",     // no secret
		"b10_" + m.Word(8) + "\nand" + "." + m.Word(32),              // eleven characters
		"b10_" + m.Word(8) + "." + m.Word(20) + "\n" + m.Word(13),    // 33 in all
		"\"" + m.Word(8) + "\": \"" + m.Word(32) + "\"",              // no dot
		"[\"" + m.Word(8) + "\", \"" + m.Word(16) + "." + m.Word(16), // the dot elsewhere
		"foo_" + m.Word(8) + "." + m.Word(32) + "x",
	} {
		if got := find(t, "x", "baseten\n"+text); len(got) > 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}
