package audit

import "github.com/b10lint/b10lint/finding"

// keyLegacyFormat is the policy on a key without the b10_ prefix.
var keyLegacyFormat = check{find: findLegacyFormat, rule: finding.Rule{
	ID:       "key-legacy-format",
	Title:    "A key in the legacy format",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key was made before 2026-10-01 15:00 UTC and lacks `b10_`. It works on without limit, and Baseten asks nobody to replace it. But a scanner cannot " +
		"tell it from other vendors' keys by its form, so it may leak without anybody being warned.",
	Remedy: "Rotate it when it is convenient; the successor carries `b10_`, which secret scanners know.",
}}

func findLegacyFormat(_ *view, k *key, _ Policy) (hit, bool) {
	if k.Format() != finding.Legacy {
		return hit{}, false
	}
	return hit{
		message:    "key " + k.title() + " has the legacy format, which scanners do not recognise",
		advice:     "rotate it when it is convenient: the successor carries b10_",
		confidence: finding.HighConfidence,
	}, true
}
