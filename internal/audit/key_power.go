package audit

import (
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyOverprivileged is the policy on a key that may do more than it does.
var keyOverprivileged = check{find: findOverprivileged, rule: finding.Rule{
	ID:       "key-overprivileged",
	Title:    "A key may do more than it does",
	Severity: finding.Medium,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "A `WORKSPACE_MANAGE_ALL` key calls Model APIs and has not managed anything for as long as the evidence goes back. Or a `WORKSPACE_MANAGE_API_KEYS` key, " +
		"which can create keys of every workspace type and so counts as an admin's, does not manage keys. Or a key that may call every model calls a few. The audit log knows " +
		"changes only: a key that reads models or logs through the management API would be missed, so check before you replace it.",
	Remedy: "Create a key with the least powerful type and the models that are needed, put it in the old one's place, and revoke the old one.",
}}

// proven is for how long a key has to have been watched before its not doing
// something counts.
const proven = 30 * Day

func findOverprivileged(v *view, k *key, p Policy) (hit, bool) {
	age, known := k.created.least(v.now)
	if !known || age < proven {
		return hit{}, false
	}
	h := hit{confidence: finding.MediumConfidence}
	few := len(k.models) > 0 && len(k.models) <= p.FewModels
	models := strings.Join(k.models, ", ")
	actions := v.inv.Source(baseten.SourceActions)
	watched := actions.Err == nil && v.now.Sub(actions.Since) >= proven
	// The audit log may know a scope that the list does not show.
	scoped := len(k.ModelIDs) > 0 || strings.Contains(k.history.Type, "SCOPED") ||
		strings.Contains(k.history.Type, "ALLOWED")
	switch {
	case k.Type == baseten.WorkspaceManageAll && watched && k.actions == 0 && len(k.models) > 0:
		h.message = fmt.Sprintf("key %s may manage everything and only calls models: no action of it since %s", k.title(), day(actions.Since))
		h.advice = "WORKSPACE_INVOKE is enough: `b10lint rotate " + k.Prefix + " --downgrade workspace-invoke --everywhere`"
	case k.Type == baseten.WorkspaceManageAPIKeys && watched && k.keyActions == 0:
		h.message = fmt.Sprintf("key %s may make keys of any type, as an admin may, and has made or deleted none since %s", k.title(), day(actions.Since))
		h.advice = "revoke it with `b10lint revoke " + k.Prefix + "` and make one when keys are to be managed; for what only calls models WORKSPACE_INVOKE is enough"
	case k.Type == baseten.WorkspaceInvoke && few && !scoped:
		counted := "one, " + models
		if n := len(k.models); n > 1 {
			counted = fmt.Sprintf("%d: %s", n, models)
		}
		h.severity = finding.Low
		h.message = fmt.Sprintf("key %s may call every model and calls %s", k.title(), counted)
		// These are names of Model APIs. A key is limited by ids of dedicated models, whose
		// calls are in no source.
		h.advice = "see in Baseten's console which dedicated models it calls, and limit its successor to their ids: `b10lint rotate " +
			k.Prefix + " --model-id ID --everywhere`; the names of Model APIs are not such ids"
	default:
		return hit{}, false
	}
	return h, true
}
