package rules

import "github.com/b10lint/b10lint/finding"

// KeyFileReadable is the rule for any other file of the workstation that holds a
// Baseten credential and that others than its owner may read.
func KeyFileReadable() finding.Rule {
	return finding.Rule{
		ID:       "key-file-readable",
		Title:    "Others can read a file that holds a key",
		Severity: finding.Medium,
		Tags:     []string{"security", "workstation", "baseten"},
		Text: "The baseten command's auth.json, the files below ~/.truss, agent and editor configurations and shell histories hold keys in clear. " +
			"This one lets other accounts of the machine read it.",
		Remedy: "Take the others' rights away (`chmod 600`, or `b10lint scan --home --fix`), and better, take the key out: see the advice of the finding for the key itself.",
	}
}
