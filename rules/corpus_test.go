package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// A writing is a way to write a form with a value: the value encoded in it, or all of it.
type writing struct {
	name  string
	write func(m *fakekey.Maker, form, value string) string
}

// writings are those of every encoding, joint and dump.
func writings() (all []writing) {
	fill := func(form, value string) string { return strings.Replace(form, "§", value, 1) }
	all = append(all, writing{"as it is", func(_ *fakekey.Maker, form, value string) string { return fill(form, value) }})
	for _, e := range encodingtest.All() {
		name := e.Name + ", " + e.Label
		lines := strings.Contains(e.Label, "line") || strings.Contains(e.Label, "wrapped") || strings.Contains(e.Label, "xxd")
		if !lines && !strings.HasPrefix(e.Name, "utf") {
			all = append(all, writing{"the value in " + name, func(m *fakekey.Maker, form, value string) string {
				return fill(form, e.Encode(m, value))
			}})
		}
		if !onlyParts(e.Label) && !strings.Contains(e.Label, "soft") {
			all = append(all, writing{"all in " + name, func(m *fakekey.Maker, form, value string) string { return e.Encode(m, fill(form, value)) }})
		}
	}
	for _, d := range encodingtest.Dumps() {
		all = append(all, writing{"all in a dump, " + d.Name, func(_ *fakekey.Maker, form, value string) string {
			return "baseten:\n" + d.Write([]byte(fill(form, value))) + "\n"
		}})
	}
	return all
}

// TestCorpusOfForms writes each form in each way with keys of both formats: every kind, by
// its form and its writing, is found at the default confidence, and nothing else is.
func TestCorpusOfForms(t *testing.T) {
	m := fakekey.New(101)
	kinds, missed, others := 0, map[string]int{}, map[string]int{}
	for _, w := range writings() {
		for _, form := range encodingtest.Forms() {
			kinds++
			for _, key := range []string{m.B10(), m.Legacy()} {
				found := false
				Find(form.Name, []byte(w.write(m, form.Text, key)), nil, func(f Match) bool {
					if f.Confidence >= finding.MediumConfidence {
						found = found || f.Secret.Reveal() == key
						others[w.name] += choose(f.Secret.Reveal() == key, 0, 1)
					}
					return true
				})
				if !found {
					missed[w.name]++
					missed[form.Name]++
				}
			}
		}
	}
	t.Logf("%d kinds", kinds)
	for what, n := range missed {
		t.Errorf("%s: %d not found", what, n)
	}
	for what, n := range others {
		if n > 0 {
			t.Errorf("%s: %d that are not the key", what, n)
		}
	}
}

// TestCorpusOfLookAlikes writes what only looks like a key in the same forms and ways:
// nothing is found at the default confidence.
func TestCorpusOfLookAlikes(t *testing.T) {
	m := fakekey.New(102)
	ways := writings()
	kinds, alarms := 0, map[string]int{}
	for _, a := range encodingtest.LookAlikes() {
		for i, form := range encodingtest.Forms() {
			written := ways[:1]
			if !a.Plain { // in some of the other ways by turns, too
				written = []writing{ways[0], ways[(7*i+kinds)%len(ways)], ways[(11*i+kinds)%len(ways)], ways[(13*i+kinds)%len(ways)]}
			}
			for _, w := range written {
				Find(form.Name, []byte(w.write(m, form.Text, a.Make(m))), nil, func(f Match) bool {
					if f.Confidence >= finding.MediumConfidence {
						alarms[fmt.Sprintf("%s, %s", a.Name, w.name)]++
					}
					return true
				})
			}
			kinds++
		}
	}
	t.Logf("%d kinds", kinds)
	for what, n := range alarms {
		t.Errorf("%s: %d alarms", what, n)
	}
}
