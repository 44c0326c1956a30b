package audit

import (
	"fmt"
	"strings"
	"time"

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
		"which can make keys of every workspace type and so counts as an admin's, does not manage keys. Or a key that may call every model calls a few. The audit log knows " +
		"changes only: a key that reads models or logs through the management API would be missed, so look before you replace it.",
	Remedy: "Make a key with the smallest type and the models that are needed, put it in the old one's place, and revoke the old one.",
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
	switch {
	case k.Type == baseten.WorkspaceManageAll && v.watched() && k.actions == 0 && len(k.models) > 0:
		h.message = fmt.Sprintf("key %s may manage everything and only calls models: no action of it since %s", k.title(), day(v.actionsSince()))
		h.advice = "WORKSPACE_INVOKE" + limited(k, few) + " is enough: " + replaced(k)
	case k.Type == baseten.WorkspaceManageAPIKeys && v.watched() && k.keyActions == 0:
		h.message = fmt.Sprintf("key %s may make keys of any type, as an admin may, and has made or deleted none since %s", k.title(), day(v.actionsSince()))
		h.advice = "revoke it with `b10lint revoke " + k.Prefix + "` and make one when keys are to be managed; for what only calls models WORKSPACE_INVOKE is enough"
	case k.Type == baseten.WorkspaceInvoke && len(k.ModelIDs) == 0 && few && !v.scoped(k):
		h.severity = finding.Low
		h.message = fmt.Sprintf("key %s may call every model and calls %s", k.title(), counted(k.models))
		h.advice = "WORKSPACE_INVOKE" + limited(k, few) + " is enough: " + replaced(k)
	default:
		return hit{}, false
	}
	return h, true
}

// watched reports whether the actions of keys were read for long enough.
func (v *view) watched() bool {
	s := v.inv.Source(baseten.SourceActions)
	return s.Err == nil && v.now.Sub(s.Since) >= proven
}

func (v *view) actionsSince() time.Time {
	return v.inv.Source(baseten.SourceActions).Since
}

// scoped reports whether the audit log tells of a scope that the list does not
// show, or whether that cannot be known.
func (v *view) scoped(k *key) bool {
	return strings.Contains(k.history.Type, "SCOPED") || strings.Contains(k.history.Type, "ALLOWED")
}

func limited(k *key, few bool) string {
	if !few {
		return ""
	}
	return " limited to " + strings.Join(k.models, ", ")
}

func counted(models []string) string {
	if len(models) == 1 {
		return "one, " + models[0]
	}
	return fmt.Sprintf("%d: %s", len(models), strings.Join(models, ", "))
}

func replaced(k *key) string {
	return "make such a key, put it in place, then `b10lint revoke " + k.Prefix + "`"
}
