package rules

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// A key in each surrounding is found, whole and as no other, at every offset of random
// bytes and of random text.
func TestSurroundings(t *testing.T) {
	r, m := rand.New(rand.NewPCG(11, 12)), fakekey.New(61)
	const text = "abcdefgh ijklmno\npqrs=\"',;tuv wxyz"
	for _, in := range encodingtest.Surroundings() {
		for off := range 200 {
			for kind := range 4 {
				key := m.B10()
				if kind%2 == 1 {
					key = m.Legacy()
				}
				// What stands about a record ends in something that it cannot be taken for.
				noise := func(n int) (b []byte) {
					for range n {
						if kind < 2 {
							b = append(b, byte(r.IntN(256)))
						} else {
							b = append(b, text[r.IntN(len(text))])
						}
					}
					return b
				}
				data := append(append(noise(off), '\n'), in.Write(m, key)...)
				if in.First && kind%2 == 1 {
					data = data[off+1:]
				}
				data = append(append(data, '\n'), noise(off%70)...)
				found, other := false, 0
				Find("x", data, nil, func(f Match) bool {
					if f.Secret.Reveal() == key {
						found = true
					} else {
						other++
					}
					return true
				})
				if !found && (!in.Alone || kind%2 == 0) || other > 0 {
					t.Fatalf("%s, format %d at %d: found %t, %d others, in %.20q…", in.Name, kind%2, off, found, other, data)
				}
			}
		}
	}
}

var update = flag.Bool("update", false, "write the tables of docs/encodings.md")

// The tables in docs/encodings.md are those of the surroundings, the joints and the dumps.
func TestEncodingsAreDocumented(t *testing.T) {
	const page = "../docs/encodings.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	surroundings := "\n| a key in | `b10` | `legacy` |\n|---|---|---|\n"
	for _, in := range encodingtest.Surroundings() {
		legacy := "found"
		switch {
		case in.Alone:
			legacy = "only where no letter or digit touches it"
		case in.First:
			legacy = "at the beginning of the data"
		}
		surroundings += fmt.Sprintf("| %s | found | %s |\n", in.Name, legacy)
	}
	joints := "\n| between two parts | `b10` | `legacy` |\n|---|---|---|\n"
	for _, j := range encodingtest.Joints() {
		legacy := "found"
		switch {
		case j.Marked:
			legacy = "no"
		case j.Long:
			legacy = "behind 60 columns or more"
		}
		joints += fmt.Sprintf("| %s | found | %s |\n", j.Name, legacy)
	}
	dumps := "\n| numbers as in | `b10` | `legacy` |\n|---|---|---|\n"
	for _, d := range encodingtest.Dumps() {
		dumps += fmt.Sprintf("| %s | found | found |\n", d.Name)
	}
	want := string(text)
	for mark, table := range map[string]string{"<!-- dumps -->\n": dumps, "<!-- surroundings -->\n": surroundings, "<!-- joints -->\n": joints} {
		before, rest, _ := strings.Cut(want, mark)
		_, after, _ := strings.Cut(rest, mark)
		want = before + mark + table + "\n" + mark + after
	}
	if *update {
		err = os.WriteFile(page, []byte(want), 0o644)
	} else if string(text) != want {
		err = fmt.Errorf("%s is not what is tested; run: go test ./rules -run Documented -update", page)
	}
	if err != nil {
		t.Error(err)
	}
}
