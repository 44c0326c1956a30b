package audit

import (
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyDuplicateName is the policy on keys that share a name.
var keyDuplicateName = check{find: findDuplicateName, rule: finding.Rule{
	ID:       "key-duplicate-name",
	Title:    "Several keys share a name",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "Names are unique within a team and within a member's own keys, not in the organisation. Whoever deletes a key by its name may take the wrong one, and " +
		"the audit log's names no longer tell who acted. Personal keys of different members are not compared.",
	Remedy: "Give each key a name of its own when it is next rotated. Until then tell them apart by their prefixes.",
}}

func findDuplicateName(v *view, k *key, _ Policy) (hit, bool) {
	name := strings.TrimSpace(k.Name)
	if name == "" {
		return hit{}, false
	}
	var others []string
	for _, o := range v.names[name] {
		personal := k.Type == baseten.Personal && o.Type == baseten.Personal && k.OwnerName() != o.OwnerName()
		if o != k && !personal {
			others = append(others, o.Prefix)
		}
	}
	if len(others) == 0 {
		return hit{}, false
	}
	shown := strings.Join(others[:min(len(others), 5)], ", ")
	if len(others) > 5 {
		shown += fmt.Sprintf(" and %d more", len(others)-5)
	}
	return hit{
		message:    fmt.Sprintf("key %s shares its name with %s", k.title(), shown),
		advice:     "give it a name of its own at the next rotation",
		confidence: finding.HighConfidence,
	}, true
}
