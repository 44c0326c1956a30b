package rules

import "github.com/b10lint/b10lint/finding"

// TrussrcReadable is the rule for a .trussrc that others than its owner may read.
func TrussrcReadable() finding.Rule {
	return finding.Rule{
		ID:       "trussrc-readable",
		Title:    "Others can read .trussrc",
		Severity: finding.Medium,
		Tags:     []string{"security", "workstation", "baseten"},
		Text: "truss writes .trussrc with the mode that the umask gives, usually 0644: every account of the machine, and every program " +
			"that runs as one, can read the key in it. truss keeps the mode that it finds, so one correction lasts.",
		Remedy: "`chmod 600 ~/.trussrc`, or let `b10lint scan --home --fix` do it. Where others had accounts meanwhile, make a new key and revoke the old one.",
	}
}
