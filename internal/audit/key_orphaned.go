package audit

import (
	"fmt"

	"github.com/b10lint/b10lint/finding"
)

// KeyOrphaned is the rule for a key whose owner, or maker, has left.
func KeyOrphaned() finding.Rule {
	return finding.Rule{
		ID:       "key-orphaned",
		Title:    "A key whose owner has left",
		Severity: finding.High,
		Tags:     []string{"security", "inventory", "baseten"},
		Text: "A personal key belongs to somebody who is no longer a member, or a workspace key was made by somebody who was removed since. The person may still have a copy, and " +
			"nobody is left who knows what the key is for. Service accounts and invited users are not among the members that Baseten lists, so only owners that " +
			"Baseten names are judged. Of a workspace key only the maker is gone, which is reported as low.",
		Remedy: "Revoke the personal keys of people who left. Rotate workspace keys that they made or knew, and give them an owner in your records.",
	}
}

func keyOrphaned(inv *Inventory, k *Key, _ Policy) (hit, bool) {
	if k.Owner != nil {
		return inv.ownerGone(k)
	}
	maker := k.History.Creator.Email
	at, removed := inv.Evidence.Removed[maker]
	if maker == "" || !removed || at.Before(k.Created.At) || inv.isMember(maker) {
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("key %s was made by %s, who was removed on %s", k.title(), maker, day(at)),
		advice:     "find out who uses it, and rotate it with `b10lint rotate " + k.Prefix + "`: the maker may have kept a copy",
		confidence: finding.MediumConfidence, severity: finding.Low,
	}, true
}

func (inv *Inventory) ownerGone(k *Key) (hit, bool) {
	gone := ""
	at, removed := inv.Evidence.Removed[k.Owner.Email]
	switch {
	case inv.members != nil && k.Owner.UserID != "":
		if inv.members[k.Owner.UserID] {
			return hit{}, false
		}
		gone = "who is not a member"
		if removed && k.Owner.Email != "" {
			gone = "who was removed on " + day(at)
		}
	case k.Owner.Email != "" && removed && !at.Before(k.Created.At):
		gone = "who was removed on " + day(at)
	default:
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("personal key %s belongs to %s, %s", k.title(), k.ownerName(), gone),
		advice:     "revoke it with `b10lint revoke " + k.Prefix + "`; what runs on it needs a workspace key",
		confidence: finding.HighConfidence,
	}, true
}

// isMember reports whether the list of members has the address: somebody who was
// removed may have come back.
func (inv *Inventory) isMember(email string) bool {
	if inv.members == nil {
		return false
	}
	for _, u := range inv.Evidence.Users {
		if u.Email == email {
			return true
		}
	}
	return false
}
