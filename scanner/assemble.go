package scanner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/secret"
)

// assemble makes a finding of each key, and puts the problems in order.
func assemble(in judged) (r finding.Report, aside *Found) {
	aside = &Found{Keys: make(map[string]Key, len(in.keys)), Comments: in.comments}
	r.Findings = make([]finding.Finding, 0, len(in.keys))
	for _, k := range in.keys {
		f := finding.Finding{
			Confidence:  k.confidence,
			Format:      k.format,
			Prefix:      k.key.Prefix(),
			Fingerprint: k.digest[:32],
			Liveness:    &finding.Liveness{State: finding.Unchecked},
		}
		f.Locations = make([]finding.Location, len(k.places))
		for i, p := range k.places {
			f.Locations[i] = p.at
		}
		k.places = nil
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

// Found is what a scan knows and a report must not hold, or does not.
type Found struct {
	// Keys are the found keys themselves, by the fingerprint of their finding, for
	// verification, revocation and rewriting.
	Keys map[string]Key
	// Comments are the comments b10lint:allow that accept nothing, in a fixed order.
	Comments []finding.Location
	// TrussFiles are the .trussrc files outside the home, and the config.yaml files of
	// trusses, that were read, sorted.
	TrussFiles []string
}

// A Key is a key that was found.
type Key struct {
	secret.Secret
	// Matched is the confidence by how the key looks. The finding's own is lower for a
	// key that is only in pictures, where characters may be misread.
	Matched finding.Confidence
}
