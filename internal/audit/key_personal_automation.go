package audit

import (
	"fmt"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyPersonalAutomation is the policy on a personal key that a machine uses.
var keyPersonalAutomation = check{find: findPersonalAutomation, rule: finding.Rule{
	ID:       "key-personal-automation",
	Title:    "A machine uses a person's key",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "A personal key may do what its owner may, acts in the owner's name, and stops working when the owner leaves. Baseten asks not to use personal keys for production. " +
		"Signs are: a scan found the key in a workflow, a deployment or an image; it called models in at least 20 hours of a day on three days of the last week; or a " +
		"program that runs without a person acted in the name of an owner who has one personal key only.",
	Remedy: "Make a workspace key for the machine, with the smallest type that does, and give it to the machine in place of the personal one.",
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
