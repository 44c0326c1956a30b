package rules

import "github.com/b10lint/b10lint/finding"

// SuppressionExpired is the rule for a decision to accept a finding whose last day has passed.
func SuppressionExpired() finding.Rule {
	return finding.Rule{
		ID:       "suppression-expired",
		Title:    "A decision to accept a finding has ended",
		Severity: finding.Low,
		Tags:     []string{"suppression", "baseten"},
		Text:     "The day in `until` has passed, so the entry is not obeyed any more: the key it names is reported again where it is found. Whoever made the decision wanted it to be looked at again by now.",
		Remedy:   "Revoke the key and remove the entry, or decide again and write a later day and the reason for it.",
	}
}
