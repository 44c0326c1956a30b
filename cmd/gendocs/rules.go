package main

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/b10lint/b10lint/cmd"
)

// lookalikes is the section that is written by hand. A test in package rules
// compares its figures with the code's.
//
//go:embed lookalikes.md
var lookalikes []byte

// rulesPage lists the rules with all that is to say of them.
func rulesPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Rules\n\n<!-- Made by cmd/gendocs from packages rules and audit; do not edit. -->\n\n")
	b.WriteString("IDs are stable and never used again for something else. `b10lint rules explain ID` prints\nthe same words.\n\n")
	b.WriteString("| rule | severity | what it reports |\n|---|---|---|\n")
	for _, r := range cmd.Catalogue() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title)
	}
	b.WriteString("\nThe severity is the rule's highest: a match of medium confidence is `medium` at most, one of low\nconfidence `low`, and so is a key in a git-ignored local file or in a place of the workstation where users\nare told to keep it.\n")
	for _, r := range cmd.Catalogue() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. Severity: %s.\n\n%s\n\n**What to do.** %s\n", r.ID, r.Title, r.Severity, r.Text, r.Remedy)
	}
	b.WriteString("\n")
	b.Write(lookalikes)
	return b.Bytes()
}
