package finding

import "slices"

// A Report is all that one run says: what ran, over which targets, what was
// found, what kept it from being complete, and the numbers. It is a value: writers
// and commands are functions of it.
//
// With several targets, the locations and problems name theirs and each target has its
// own summary. With one they do not, and Summary is that of the target. Targets is
// empty for a report of a version that did not name them, and for one without a target.
type Report struct {
	Run      Run
	Targets  []Target // by name, without duplicates
	Findings []Finding
	Problems []Problem
	Summary  Summary
}

// A Target is one thing that was scanned: a repository, a folder that is not in one,
// a stream. It is the unit of settings and of coverage.
type Target struct {
	Name     string `json:"name"` // unique in a report, and the same on other machines where there is such a name
	Kind     Kind   `json:"kind,omitempty"`
	Revision string `json:"revision,omitempty"` // the commit that is checked out
	// Summary counts what is of this target; it is empty in a report of one target.
	Summary Summary `json:"summary,omitzero"`
}

// Kind is what a target is.
type Kind string

// The kinds of targets.
const (
	GitTarget    Kind = "git"
	FolderTarget Kind = "folder"
	FileTarget   Kind = "file"
	StreamTarget Kind = "stream"
	HomeTarget   Kind = "home"
	TrussTarget  Kind = "truss"
)

// Standing returns the findings that were not accepted, in their order.
func (r Report) Standing() []Finding {
	accepted := func(f Finding) bool { return f.Suppression != nil }
	return slices.DeleteFunc(slices.Clone(r.Findings), accepted)
}

// Complete reports whether none of the problems kept a run from being complete.
func Complete(problems []Problem) bool {
	return !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}
