package cmd

import (
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/rules"
)

// Catalogue returns every rule that a report of any command can name: those on
// what a scan sees, then those on the inventory.
func Catalogue() []finding.Rule { return append(rules.Catalogue(), audit.Rules()...) }

func lookUpRule(id string) (finding.Rule, bool) {
	for _, r := range Catalogue() {
		if r.ID == id {
			return r, true
		}
	}
	return finding.Rule{}, false
}
