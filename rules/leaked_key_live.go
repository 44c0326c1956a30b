package rules

import "github.com/b10lint/b10lint/finding"

// LeakedKeyLive is the rule for a leaked key that Baseten still accepts.
func LeakedKeyLive() finding.Rule {
	return finding.Rule{
		ID:       "leaked-key-live",
		Title:    "Leaked Baseten API key that still works",
		Severity: finding.Critical,
		Tags:     []string{"security", "secret", "baseten", "live"},
		Text: "The key stands where others can read it, and Baseten still accepts it. This is an incident: everything that the key may do, " +
			"others may do now.\n\nHow it is known is part of the finding: `inventory` means that a key with this prefix is in your " +
			"organisation's list of keys that were not revoked, `probe` that a read-only call with the key itself was accepted.",
		Remedy: "Revoke the key now, then replace it where it is used. `b10lint scan --revoke` does both in order and asks before it acts.",
	}
}
