package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// A finding gets the entries that are about it, in order, though it does not ask each.
func TestEntriesAboutAFinding(t *testing.T) {
	s := &Suppressor{}
	for i := range 60 {
		for _, e := range []*entry{
			{fingerprint: fmt.Sprintf("%032x", i)}, {fingerprint: fmt.Sprintf("%032x", i)[:12+i%20]},
			{prefix: fmt.Sprintf("b10_%08d", i%7)}, {rule: fmt.Sprintf("rule%d", i%5)}, {glob: "a/**"},
		} {
			s.add(e, "2026-01-01")
		}
	}
	for i := range 80 {
		f := finding.Finding{Rule: fmt.Sprintf("rule%d", i%6), Fingerprint: fmt.Sprintf("%032x", i)}
		if i%2 == 0 {
			f.Prefix = fmt.Sprintf("b10_%08d", i%9)
		}
		if i%11 == 0 {
			f.Rule = ""
		}
		var want []*entry
		for _, e := range s.entries {
			if e.rule != "" && e.rule == f.Rule || e.fingerprint != "" && strings.HasPrefix(f.Fingerprint, e.fingerprint) || e.prefix != "" && e.prefix == f.Prefix {
				want = append(want, e)
			}
		}
		if got := s.about(f); !slices.Equal(got, want) {
			t.Errorf("%+v: %d entries, want %d", f, len(got), len(want))
		}
	}
}
