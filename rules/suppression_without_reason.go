package rules

import "github.com/b10lint/b10lint/finding"

// SuppressionWithoutReason is the rule for a comment that accepts a key and does not say why.
func SuppressionWithoutReason() finding.Rule {
	return finding.Rule{
		ID:       "suppression-without-reason",
		Title:    "A comment accepts a key without a reason",
		Severity: finding.Low,
		Tags:     []string{"suppression", "baseten"},
		Text:     "A comment `b10lint:allow` stands on the line of a key, or on the one before, and nothing follows it. It is not obeyed: the key is reported. Nobody could tell later whether the key was looked at or the warning was only silenced.",
		Remedy:   "Write the reason behind the marker, such as `b10lint:allow revoked on 2026-05-02`, or remove the comment.",
	}
}
