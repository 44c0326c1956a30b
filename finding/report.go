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

// Worst returns the highest severity of the findings that were not accepted, Info
// without any.
func (r Report) Worst() Severity {
	worst := Info
	for _, f := range r.Findings {
		if f.Suppression == nil {
			worst = max(worst, f.Severity)
		}
	}
	return worst
}
