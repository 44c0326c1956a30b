package audit

import (
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// keyOrphaned is the policy on a key whose owner, or maker, has left.
var keyOrphaned = check{find: findOrphaned, rule: finding.Rule{
	ID:       "key-orphaned",
	Title:    "A key whose owner has left",
	Severity: finding.High,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "A personal key belongs to somebody who is no longer a member, or a workspace key was made by somebody who was removed since. The person may still have a copy, and " +
		"nobody is left who knows what the key is for. Service accounts and invited users are not among the members that Baseten lists, so only owners that " +
		"Baseten names are judged. Of a workspace key only the maker is gone, which is reported as low.",
	Remedy: "Revoke the personal keys of people who left. Rotate workspace keys that they made or knew, and give them an owner in your records.",
}}

func findOrphaned(v *view, k *key, _ Policy) (hit, bool) {
	if k.Owner == nil {
		maker := k.history.Creator.Email
		at, removed := v.inv.Removed[maker]
		// A member who was removed may have come back.
		if maker == "" || !removed || at.Before(k.created.at) || v.members[maker] {
			return hit{}, false
		}
		return hit{
			message:    fmt.Sprintf("key %s was made by %s, who was removed on %s", k.title(), maker, day(at)),
			advice:     "find out who uses it, and rotate it with `b10lint rotate " + k.Prefix + "`: the maker may have kept a copy",
			confidence: finding.MediumConfidence, severity: finding.Low,
		}, true
	}
	at, removed := v.inv.Removed[k.Owner.Email]
	gone := "who was removed on " + day(at)
	switch {
	case v.members != nil && k.Owner.UserID != "":
		if v.members[k.Owner.UserID] {
			return hit{}, false
		}
		if !removed || k.Owner.Email == "" {
			gone = "who is not a member"
		}
	case k.Owner.Email == "" || !removed || at.Before(k.created.at):
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("personal key %s belongs to %s, %s", k.title(), k.OwnerName(), gone),
		advice:     "revoke it with `b10lint revoke " + k.Prefix + "`; what runs on it needs a workspace key",
		confidence: finding.HighConfidence,
	}, true
}
