// Command gendocs makes the documentation that repeats what the code says:
// docs/rules.md, docs/usage.md, the manual pages in docs/man, and the output shown
// in README.md. Run it at the root of the repository:
//
//	go run ./cmd/gendocs
//
// A test beside it fails when what lies there is not what it makes. It is a
// program of its own so that b10lint does not carry a manual writer.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"github.com/b10lint/b10lint/cmd"
)

// lookalikes is the section that is written by hand. A test in package rules
// compares its figures with the code's.
//
//go:embed lookalikes.md
var lookalikes []byte

func main() {
	pages, err := generate()
	for name, text := range pages {
		if err == nil {
			err = os.MkdirAll(filepath.Dir(name), 0o755)
		}
		if err == nil {
			err = os.WriteFile(name, text, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

// generate returns every page by its path from the root of the repository, which
// must be the current folder.
func generate() (map[string][]byte, error) {
	pages := map[string][]byte{
		"docs/rules.md": rulesPage(),
		"docs/usage.md": usagePage(),
	}
	if err := manPages(pages, "docs/man"); err != nil {
		return nil, err
	}
	readme, err := readmePage("README.md")
	pages["README.md"] = readme
	return pages, err
}

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
