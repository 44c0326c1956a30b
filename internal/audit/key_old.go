package audit

import (
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// keyOld is the policy on a key that has not been replaced for long.
var keyOld = check{find: findOld, rule: finding.Rule{
	ID:       "key-old",
	Title:    "A key that was not replaced for long",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key is older than the threshold (180 days). Baseten asks to rotate keys regularly, and does not do it: the longer a key lives, the more " +
		"machines, logs and people have seen it. Where the list has no date, the audit log's, the first known use or the key's format bounds the age.",
	Remedy: "Rotate it: make a successor, put it in the old one's place, then revoke the old one. `b10lint rotate` does the three in that order.",
}}

func findOld(v *view, k *key, p Policy) (hit, bool) {
	age, ok := k.created.least(v.now)
	if !ok || age < p.OldAfter {
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("key %s is at least %s old: it was made %s", k.title(), days(age), k.created.words()),
		advice:     "rotate it with `b10lint rotate " + k.Prefix + "`",
		confidence: finding.HighConfidence,
	}, true
}
