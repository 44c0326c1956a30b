package rules

import "github.com/b10lint/b10lint/finding"

// LeakedKey is the rule for a key whose liveness nobody has checked, or for which
// the check gave no safe answer.
func LeakedKey() finding.Rule {
	return finding.Rule{
		ID:       "leaked-key",
		Title:    "Baseten API key in plain sight",
		Severity: finding.High,
		Tags:     []string{"security", "secret", "baseten"},
		Text: "A Baseten API key stands where others can read it. Keys do not expire: unless it was revoked, whoever holds it can call " +
			"your models, and with a management key change or delete them. Removing the line does not help once the key was committed, " +
			"pushed, shipped or shown: history, forks, caches and logs keep it.\n\n" +
			"The key was not checked against Baseten. `--verify` does so by prefix, without sending the key anywhere.",
		Remedy: "Treat the key as known to others: create a new one, put it where the old one is used, then revoke the old one. " +
			"Keep keys in the environment or a secret store, not in files.",
	}
}
