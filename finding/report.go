package finding

import "slices"

// A Report is all that one run says: what ran, over which targets, what was
// found, what kept it from being complete, and the numbers. It is a value: writers
// and commands are functions of it.
type Report struct {
	Run      Run
	Findings []Finding
	Problems []Problem
	Summary  Summary
}

// Standing returns the findings that were not accepted, in their order.
func (r Report) Standing() []Finding {
	accepted := func(f Finding) bool { return f.Suppression != nil }
	return slices.DeleteFunc(slices.Clone(r.Findings), accepted)
}

// Complete reports whether none of the problems kept a run from being complete.
func Complete(problems []Problem) bool {
	return !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}
