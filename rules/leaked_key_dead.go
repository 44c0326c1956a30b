package rules

import "github.com/b10lint/b10lint/finding"

// LeakedKeyDead is the rule for a leaked key that is known to be revoked.
func LeakedKeyDead() finding.Rule {
	return finding.Rule{
		ID:       "leaked-key-dead",
		Title:    "Revoked Baseten API key left in place",
		Severity: finding.Low,
		Tags:     []string{"security", "secret", "baseten", "revoked"},
		Text: "The key stands where others can read it, but it was revoked and no longer works. It does no harm now; it shows how keys " +
			"get there, and it may have been used before it was revoked.",
		Remedy: "Remove it when you pass by, and look at the audit log for what was done with it while it worked.",
	}
}
