package rules

import "github.com/b10lint/b10lint/finding"

// Tracking is what git knows of a file.
type Tracking int

// The states of a file. NotInRepository is the zero value.
const (
	NotInRepository Tracking = iota
	Ignored                  // in a work tree and ignored
	Untracked                // in a work tree, neither tracked nor ignored
	Tracked                  // in the index
)

// TrussrcTracked is the rule for a .trussrc that git has, or would take with the
// next `git add .`.
func TrussrcTracked() finding.Rule {
	return finding.Rule{
		ID:       "trussrc-tracked",
		Title:    ".trussrc is in a git repository",
		Severity: finding.High,
		Tags:     []string{"security", "workstation", "git", "baseten"},
		Text: "The file with the API key lies inside a git work tree and is tracked, or is not ignored and goes in with the next `git add .`. " +
			"Dotfile repositories that span the whole home do this.",
		Remedy: "Add `.trussrc` to .gitignore. When it is tracked, `git rm --cached .trussrc`, then make a new key and revoke the old one: every clone has it.",
	}
}

// TrackingSeverity is how bad the state is; ok is false when it is not bad at all.
func TrackingSeverity(t Tracking) (s finding.Severity, ok bool) {
	switch t {
	case Tracked:
		return finding.High, true
	case Untracked:
		return finding.Medium, true
	}
	return finding.Info, false
}
