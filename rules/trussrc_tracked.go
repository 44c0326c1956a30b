package rules

import "github.com/b10lint/b10lint/finding"

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

// TrackingSeverity is how bad it is that git has, or may take, a .trussrc; ok is
// false when it is not bad at all.
func TrackingSeverity(e finding.Exposure) (s finding.Severity, ok bool) {
	switch e {
	case finding.Committed:
		return finding.High, true
	case finding.Untracked:
		return finding.Medium, true
	}
	return finding.Info, false
}
