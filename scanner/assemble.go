package scanner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
)

// assemble makes a finding of each key, and puts the problems in order.
func assemble(in judged) (r finding.Report, aside *Found) {
	aside = &Found{Keys: map[string]Key{}, Comments: in.comments}
	for _, k := range in.keys {
		f := finding.Finding{
			Confidence:  k.confidence,
			Format:      k.format,
			Prefix:      k.key.Prefix(),
			Fingerprint: k.digest[:32],
			Liveness:    &finding.Liveness{State: finding.Unchecked},
		}
		for _, p := range k.places {
			f.Locations = append(f.Locations, p.at)
		}
		r.Findings = append(r.Findings, f)
		aside.Keys[f.Fingerprint] = Key{k.key, max(k.confidence, k.matched)}
	}
	rules.Derive(&r)
	slices.SortFunc(aside.Comments, compareComments)
	aside.Comments = slices.CompactFunc(aside.Comments, func(a, b finding.Location) bool { return compareComments(a, b) == 0 })
	r.Problems = in.problems
	SortProblems(r.Problems)
	return r, aside
}

func compareComments(a, b finding.Location) int {
	return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// SortProblems puts problems in the order of a report: by path, member and object.
func SortProblems(problems []finding.Problem) {
	slices.SortStableFunc(problems, func(a, b finding.Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Member, b.Member),
			strings.Compare(a.Object, b.Object), strings.Compare(a.Error, b.Error))
	})
}

// Below reports whether x is of a found key that is less sure than c. A key that is only
// in pictures is taken for what it looks like: they are read because someone asked.
func (f *Found) Below(x finding.Finding, c finding.Confidence) bool {
	k, ok := f.Keys[x.Fingerprint]
	return ok && max(x.Confidence, k.Matched) < c
}
