package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// Derive works out again what follows from the facts about each leaked key of a report:
// which location decides and so comes first, the kind of each location, and the rule,
// severity, exposure, message and advice of the finding. The facts are its format,
// confidence, liveness, outcome and locations. A key in several targets says so. It is
// idempotent; findings that are not about a key stay as they are.
func Derive(r *finding.Report) {
	git := map[string]bool{}
	for _, t := range r.Targets {
		git[t.Name] = t.Kind == finding.GitTarget
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Format == "" || len(f.Locations) == 0 {
			continue
		}
		slices.SortStableFunc(f.Locations, func(a, b finding.Location) int { return cmp.Compare(b.Reach(), a.Reach()) })
		word, targets := "repositories", []string{}
		for j := range f.Locations {
			at := &f.Locations[j]
			var advice string
			at.Context, advice = Advise(*at, at.Snippet)
			if j == 0 {
				f.Exposure, f.Advice = at.Exposure, advice
			}
			if !slices.Contains(targets, at.Target) {
				targets = append(targets, at.Target)
			}
			if !git[at.Target] {
				word = "targets"
			}
		}
		Describe(f)
		if f.Outcome.Dead() {
			Revoked(f)
		}
		if slices.Sort(targets); len(targets) > 1 {
			f.Message += fmt.Sprintf(" in %d %s", len(targets), word)
			last, most := len(targets)-1, 3
			listed := strings.Join(targets[:last], ", ") + " and " + targets[last]
			if len(targets) > most {
				listed = strings.Join(targets[:most], ", ") + fmt.Sprintf(" and %d more", len(targets)-most)
			}
			f.Advice += " The same key is in " + listed +
				": create a key for each, so that one can be revoked without the others."
		}
	}
}
