package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// Leaked is the rule on an unrevoked key that a scan found.
const Leaked = "key-leaked"

// keyLeaked is the policy on an unrevoked key that a scan found.
var keyLeaked = check{find: findLeaked, rule: finding.Rule{
	ID:       Leaked,
	Title:    "A live key was found exposed",
	Severity: finding.Critical,
	Tags:     []string{"security", "secret", "inventory", "baseten"},
	Text: "A scan found a key with this prefix where others can read it, and Baseten lists the key as not revoked: anyone with the copy has access. The secret half was not " +
		"compared, and need not be: two keys with one prefix are next to impossible. A key that was only found where users are told to keep it, in a home folder or a " +
		"git-ignored file, is not reported.",
	Remedy: "Create a successor, put it in the key's place, and revoke the key now. `b10lint timeline PREFIX` shows what was done with it since it leaked.",
}}

// keyMadeByLeaked is the policy on a key that a leaked key created: whoever had the one
// may have the other.
var keyMadeByLeaked = check{find: findMadeByLeaked, rule: finding.Rule{
	ID:       "key-made-by-leaked-key",
	Title:    "A leaked key created this key",
	Severity: finding.High,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "The audit log says that this key was created by a key that a scan found exposed, or by one that such a key created. It remains valid when the leaked key is " +
		"revoked, so anyone who had the leaked key may still have access with it.",
	Remedy: "Find out whether the creation was yours. If not, or if that cannot be found out, revoke the key: `b10lint revoke PREFIX`.",
}}

func findMadeByLeaked(v *view, k *key, _ Policy) (hit, bool) {
	seen := map[string]bool{k.Prefix: true}
	maker := k.history.Creator.APIKeyPrefix
	for maker != "" && !seen[maker] && !v.leaked[maker] {
		seen[maker] = true
		maker = v.inv.History[maker].Creator.APIKeyPrefix
	}
	if !v.leaked[maker] || maker == k.Prefix {
		return hit{}, false
	}
	h := hit{confidence: finding.HighConfidence,
		message: fmt.Sprintf("key %s was created by the leaked key %s, or by a key that it created; it is %s, and %s", k.title(), maker, reach(k), usedWords(k.used)),
		advice:  "find out whether that was yours, or revoke it with `b10lint revoke " + k.Prefix + "`; `b10lint timeline " + maker + "` shows what else the leaked key did"}
	return h, true
}

// public reports whether a place is one where others can read the key.
func public(at finding.Location, l Leak) bool {
	e := at.Exposure
	if e == "" {
		e = l.Finding.Exposure
	}
	return e != finding.Home && e != finding.Ignored
}

func findLeaked(_ *view, k *key, _ Policy) (hit, bool) {
	var places []finding.Location
	var from []string
	for _, l := range k.leaks {
		if len(l.Finding.Locations) == 0 && public(finding.Location{}, l) && !slices.Contains(from, l.From) {
			from = append(from, l.From)
		}
		for _, at := range l.Finding.Locations {
			if !public(at, l) {
				continue
			}
			places = append(places, at)
			if !slices.Contains(from, l.From) {
				from = append(from, l.From)
			}
		}
	}
	if len(from) == 0 {
		return hit{}, false
	}
	when := ""
	if !k.leakedAt.IsZero() {
		when = ", first on " + day(k.leakedAt)
	}
	h := hit{
		message: fmt.Sprintf("key %s is live and leaked%s: found by %s; it is %s, and %s",
			k.title(), when, strings.Join(from, ", "), reach(k), usedWords(k.used)),
		advice:     "revoke it now with `b10lint revoke " + k.Prefix + "`, then read `b10lint timeline " + k.Prefix + "`",
		confidence: finding.HighConfidence, locations: places,
	}
	if power(string(k.Type)) <= power(string(baseten.Routes)) {
		h.severity = finding.High
	}
	return h, true
}

// reach says what a key can do.
func reach(k *key) string {
	scope := "every model"
	if n := len(k.ModelIDs); n > 0 {
		scope = fmt.Sprintf("%d models", n)
	}
	switch k.Type {
	case baseten.WorkspaceManageAll:
		return "a key that may do everything in its team"
	case baseten.WorkspaceManageAPIKeys:
		return "a key that may make and delete keys, and so counts as an admin's"
	case baseten.Personal:
		return "a personal key, which may do what its owner may"
	case baseten.WorkspaceInvoke:
		return "a key that may call " + scope
	case baseten.WorkspaceExportMetrics:
		return "a key that may read the metrics of " + scope
	case baseten.Federated:
		return "a federated key of the gateway"
	}
	return "a key of type " + string(k.Type)
}
