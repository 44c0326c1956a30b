package rules

import "github.com/b10lint/b10lint/finding"

// LeakedFederatedKey is the rule for keys of Baseten's Frontier Gateway.
func LeakedFederatedKey() finding.Rule {
	return finding.Rule{
		ID:       "leaked-federated-key",
		Title:    "Baseten gateway key in plain sight",
		Severity: finding.Medium,
		Tags:     []string{"security", "secret", "baseten", "gateway"},
		Text: "A key of the form that Baseten's Frontier Gateway gives to the customers of its customers stands where others can read it. " +
			"Its grammar is not documented; the form is known from third parties, so without Baseten named nearby the match stays a guess. " +
			"Keys that a customer registered in a form of their own cannot be found by form.",
		Remedy: "Revoke the key in its gateway group and give its holder a new one. The group itself, and the keys in it, stay as they are.",
	}
}
