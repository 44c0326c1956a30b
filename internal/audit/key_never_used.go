package audit

import (
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// keyNeverUsed is the policy on a key that Baseten itself says was never used.
var keyNeverUsed = check{find: findNeverUsed, rule: finding.Rule{
	ID:       "key-never-used",
	Title:    "A key that was never used",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "Baseten lists the key without any use since it was made. Keys do not expire: it opens what it opens until somebody revokes it, and nobody would notice " +
		"that it is gone. Keys that are only without evidence of use, because the list does not tell, are not reported here but under `key-unused`.",
	Remedy: "Ask whoever made it whether it waits for something. If not, revoke it: nothing depends on it.",
}}

func findNeverUsed(v *view, k *key, p Policy) (hit, bool) {
	age, ok := k.created.least(v.now)
	if !k.used.Never || !ok || age < p.NeverUsedAfter {
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("key %s was never used; it was made %s", k.title(), k.created.words()),
		advice:     "nothing uses it: revoke it with `b10lint revoke " + k.Prefix + "`",
		confidence: finding.HighConfidence,
	}, true
}
