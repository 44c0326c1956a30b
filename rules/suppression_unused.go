package rules

import "github.com/b10lint/b10lint/finding"

// SuppressionUnused is the rule for a decision to accept a finding that nothing was found for.
func SuppressionUnused() finding.Rule {
	return finding.Rule{
		ID:       "suppression-unused",
		Title:    "An accepted finding is not there any more",
		Severity: finding.Low,
		Tags:     []string{"suppression", "baseten"},
		Text:     "An entry of `accept` in `.b10lint.yaml`, or of a baseline, names a key that the scan did not meet in the places that the entry is about. Such an entry would accept the same key in silence if it came back. It is only reported by scans that looked at everything the entry may be about. Likewise a comment `b10lint:allow` that has no key on its line or the next: it is reported in files that git has or would take, and when it is staged.",
		Remedy:   "Remove the entry; `b10lint baseline --prune` does it for a baseline. Remove the comment. If the entry should be about another place, correct its `path`.",
	}
}
