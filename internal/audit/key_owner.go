package audit

import (
	"fmt"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyOrphaned is the policy on a key whose owner, or maker, has left.
var keyOrphaned = check{find: findOrphaned, rule: finding.Rule{
	ID:       "key-orphaned",
	Title:    "A key whose owner has left",
	Severity: finding.High,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "A personal key belongs to someone who is no longer a member, or a workspace key was created by someone who was removed since. The person may still have a copy, and " +
		"the purpose of the key may be unknown. Service accounts and invited users are not among the members that Baseten lists, so only owners that " +
		"Baseten names are judged. A workspace key whose creator has left is reported as low.",
	Remedy: "Revoke the personal keys of people who left. Rotate workspace keys that they created or knew, and give them an owner in your records.",
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

// keyPersonalAutomation is the policy on a personal key that a machine uses.
var keyPersonalAutomation = check{find: findPersonalAutomation, rule: finding.Rule{
	ID:       "key-personal-automation",
	Title:    "A machine uses a person's key",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "A personal key may do what its owner may, acts in the owner's name, and stops working when the owner leaves. Baseten asks not to use personal keys for production. " +
		"Signs are: a scan found the key in a workflow, a deployment or an image; it called models in at least 20 hours of a day on three days of the last week; or a " +
		"program that runs without a person acted in the name of an owner who has one personal key only.",
	Remedy: "Create a workspace key for the machine, with the least powerful type that works, and use it in place of the personal one.",
}}

// machineContexts are the kinds of place, as package rules names them, where no
// person uses a key.
var machineContexts = []string{"github-workflow", "gitlab-ci", "ci-config", "kubernetes", "helm",
	"terraform", "terraform-state", "dockerfile", "compose"}

const busyDays = 3

func findPersonalAutomation(v *view, k *key, _ Policy) (hit, bool) {
	if k.Type != baseten.Personal {
		return hit{}, false
	}
	h := hit{confidence: finding.MediumConfidence}
	var places []finding.Location
	for _, l := range k.leaks {
		places = append(places, l.Finding.Locations...)
	}
	sign := ""
	byMachine := func(at finding.Location) bool { return slices.Contains(machineContexts, at.Context) }
	if i := slices.IndexFunc(places, byMachine); i >= 0 {
		sign, h.confidence = "a scan found it in "+places[i].Path, finding.HighConfidence
		h.locations = places[i : i+1]
	} else if k.busyDays >= busyDays {
		sign = fmt.Sprintf("it called models in at least %d hours of the day on %d days of the last week", busyHours, k.busyDays)
	} else if k.Owner != nil && v.robots[k.Owner.Email] != "" && v.personals[k.Owner.Email] == 1 {
		sign = fmt.Sprintf("%s acted in its owner's name, who has no other personal key", v.robots[k.Owner.Email])
	} else {
		return hit{}, false
	}
	h.message = fmt.Sprintf("personal key %s of %s is used by a machine: %s", k.title(), k.OwnerName(), sign)
	h.advice = "give the machine a workspace key (WORKSPACE_INVOKE if it only calls models), then `b10lint revoke " + k.Prefix + "`"
	return h, true
}
