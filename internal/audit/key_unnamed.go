package audit

import (
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// keyUnnamed is the policy on a key without a name.
var keyUnnamed = check{find: findUnnamed, rule: finding.Rule{
	ID:       "key-unnamed",
	Title:    "A key without a name",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "Nobody can tell what the key is for. In an incident it will be the last to be revoked, because nobody dares to. A name cannot be given later: " +
		"Baseten has no way to rename a key.",
	Remedy: "Find out who uses it, and replace it by a key with a name that says what it is for.",
}}

func findUnnamed(_ *view, k *key, _ Policy) (hit, bool) {
	// A key that the list was not there to tell the name of may well have one.
	if !k.listed || strings.TrimSpace(k.Name) != "" {
		return hit{}, false
	}
	return hit{
		message:    "key " + k.Prefix + " has no name",
		advice:     "replace it by one whose name says its purpose; a key cannot be renamed",
		confidence: finding.HighConfidence,
	}, true
}
