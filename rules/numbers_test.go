package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// A key is found in each dump, wherever it begins in it and wherever the dump begins, and
// the place is that of its numbers.
func TestDumps(t *testing.T) {
	m := fakekey.New(71)
	for _, d := range encodingtest.Dumps() {
		missed := map[string]int{}
		for off := range 70 {
			for kind := range 2 {
				key := m.B10()
				if kind == 1 {
					key = m.Legacy()
				}
				before, after := strings.Repeat("export K=1;", 7)[:off]+"\n", "\nmore"[:off%6]
				dump := d.Write([]byte(before + key + after))
				text := strings.Repeat("the key of baseten ", 1+off%4) + "\n" + dump + "\nand more\n"
				if kind == 0 && off%8 == 0 {
					text = d.Write([]byte("# its first lines have no names\n"+before+key+after)) + "\n" // data that begins with numbers
				}
				got := "nothing"
				Find("x", []byte(text), nil, func(f Match) bool {
					got = "another"
					if f.Secret.Reveal() == key && fmt.Sprint(f.Decoded) == "[dump]" {
						got = "found"
					}
					start := strings.Index(text, dump)
					if start >= 0 && (f.Start < start || f.End > start+len(dump)) {
						t.Errorf("%s: the place is outside of the dump", d.Name)
					}
					return got != "found"
				})
				if got != "found" {
					missed[fmt.Sprintf("format %d: %s", kind, got)]++
					if missed[fmt.Sprintf("format %d: %s", kind, got)] == 1 && testing.Verbose() {
						t.Logf("%s at %d:\n%s", d.Name, off, strings.ReplaceAll(text, key, "KEY"))
					}
				}
			}
		}
		if len(missed) > 0 {
			t.Errorf("%s: %v", d.Name, missed)
		}
	}
}
