package audit

import (
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyOld is the policy on a key that has not been replaced for long.
var keyOld = check{find: findOld, rule: finding.Rule{
	ID:       "key-old",
	Title:    "A key that was not replaced for a long time",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key is older than the threshold (180 days). Baseten asks to rotate keys regularly, and does not do it: the longer a key lives, the more " +
		"machines, logs and people have seen it. Where the list has no date, the audit log's, the first known use or the key's format bounds the age.",
	Remedy: "Rotate it: create a successor, put it in the old one's place, then revoke the old one. `b10lint rotate` does this in that order.",
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

// keyLegacyFormat is the policy on a key without the b10_ prefix.
var keyLegacyFormat = check{find: findLegacyFormat, rule: finding.Rule{
	ID:       "key-legacy-format",
	Title:    "A key in the legacy format",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key was created before 2026-10-01 15:00 UTC and lacks `b10_`. It keeps working without limit, and Baseten does not ask to replace it. But by its " +
		"form a scanner cannot distinguish it from other vendors' keys, so it may leak without a warning.",
	Remedy: "Rotate it when it is convenient; the successor carries `b10_`, which secret scanners know.",
}}

func findLegacyFormat(_ *view, k *key, _ Policy) (hit, bool) {
	if k.Format() != finding.Legacy {
		return hit{}, false
	}
	return hit{
		message:    "key " + k.title() + " has the legacy format, which scanners do not recognise",
		advice:     "rotate it when it is convenient: the successor carries b10_",
		confidence: finding.HighConfidence,
	}, true
}

// keyUnnamed is the policy on a key without a name.
var keyUnnamed = check{find: findUnnamed, rule: finding.Rule{
	ID:       "key-unnamed",
	Title:    "A key without a name",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The purpose of the key is unknown. In an incident it will be the last to be revoked, because no one knows what would stop. Baseten's console can " +
		"rename a key (the pencil beside it); the API cannot.",
	Remedy: "Find out who uses it, and give it a name in the console that says what it is for.",
}}

func findUnnamed(_ *view, k *key, _ Policy) (hit, bool) {
	// A key that the list was not there to tell the name of may well have one.
	if !k.listed || strings.TrimSpace(k.Name) != "" {
		return hit{}, false
	}
	return hit{
		message:    "key " + k.Prefix + " has no name",
		advice:     "find out what it is for, and name it so in Baseten's console: the pencil beside the key",
		confidence: finding.HighConfidence,
	}, true
}

// keyDuplicateName is the policy on keys that share a name.
var keyDuplicateName = check{find: findDuplicateName, rule: finding.Rule{
	ID:       "key-duplicate-name",
	Title:    "Several keys share a name",
	Severity: finding.Low,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "Names are unique within a team and within a member's own keys, not in the organisation. A key that is deleted by its name may be the wrong one, and " +
		"the audit log's names no longer identify the key. Personal keys of different members are not compared.",
	Remedy: "Give each key a name of its own in Baseten's console: the pencil beside the key. Until then distinguish them by their prefixes.",
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
	return hit{
		message:    fmt.Sprintf("key %s shares its name with %s", k.title(), some(others, 5)),
		advice:     "give it a name of its own in Baseten's console: the pencil beside the key",
		confidence: finding.HighConfidence,
	}, true
}
