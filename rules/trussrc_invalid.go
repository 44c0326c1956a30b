package rules

import "github.com/b10lint/b10lint/finding"

// TrussrcInvalid is the rule for a .trussrc that truss refuses to read.
func TrussrcInvalid() finding.Rule {
	return finding.Rule{
		ID:       "trussrc-invalid",
		Title:    "truss cannot read .trussrc",
		Severity: finding.Low,
		Tags:     []string{"workstation", "baseten"},
		Text: "truss reads the file with Python's configparser, which refuses it: a section or option that is there twice, text before the first section, " +
			"a line that is no assignment, or a `%` that is not doubled. A key in such a file still works for whoever reads the file, and nobody notices it, since truss does not use it.",
		Remedy: "Correct the line, or run `truss login` on a fresh file and remove this one.",
	}
}
