package rules

import (
	"cmp"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// Derive works out again what follows from the facts about each leaked key of a report:
// which location decides and so comes first, the kind of each location, and the rule,
// severity, exposure, message and advice of the finding. The facts are its format,
// confidence, liveness and locations. It is idempotent; findings that are not about a
// key stay as they are.
func Derive(r *finding.Report) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Format == "" || len(f.Locations) == 0 {
			continue
		}
		slices.SortStableFunc(f.Locations, func(a, b finding.Location) int { return cmp.Compare(width(b), width(a)) })
		for j := range f.Locations {
			at := &f.Locations[j]
			var advice string
			at.Context, advice = Advise(*at, at.Snippet)
			if j == 0 {
				f.Exposure, f.Advice = at.Exposure, advice
			}
		}
		Describe(f)
	}
}

// width orders locations by how far the key got by them.
func width(at finding.Location) int {
	w := 2 * at.Exposure.Rank()
	if at.Readable {
		w++
	}
	return w
}
