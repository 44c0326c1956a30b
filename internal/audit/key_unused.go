package audit

import (
	"fmt"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// keyUnused is the policy on a key that was used once and no longer is, as far as
// can be told.
var keyUnused = check{find: findUnused, rule: finding.Rule{
	ID:       "key-unused",
	Title:    "A key that is no longer used",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key's last use is longer ago than the threshold (60 days). Where the list of keys tells the last use, this is certain. Where it does not, the " +
		"usage of Model APIs and the audit log are looked at, which know nothing of dedicated deployments, chains and metrics: the report then says " +
		"\"no evidence of use since\" and is less sure.",
	Remedy: "Find out what it was for, and revoke it if that is over. When the use is not certain, look for the key's name in your deployments first.",
}}

func findUnused(v *view, k *key, p Policy) (hit, bool) {
	u := k.used
	since := u.At
	if since.IsZero() {
		since = u.NoneSince
	}
	if u.Never || since.IsZero() || v.now.Sub(since) < p.UnusedAfter {
		return hit{}, false
	}
	h := hit{message: fmt.Sprintf("key %s: %s, %s ago", k.title(), usedWords(u), days(v.now.Sub(since)))}
	if u.Exact() {
		h.confidence = finding.HighConfidence
		h.advice = "if its purpose is over, revoke it with `b10lint revoke " + k.Prefix + "`"
		return h, true
	}
	// At least one partial source has to cover the whole of the time without a use.
	covers := func(s baseten.SourceState) bool {
		return s.Err == nil && (!s.Since.After(v.now.Add(-p.UnusedAfter)) || !s.Since.After(since))
	}
	if !covers(v.inv.Source(baseten.SourceUsage)) && !covers(v.inv.Source(baseten.SourceActions)) {
		return hit{}, false
	}
	h.confidence, h.severity = finding.LowConfidence, finding.Low
	if k.Type == baseten.Routes || !u.At.IsZero() {
		h.confidence = finding.MediumConfidence
	}
	h.advice = "ask whoever made it whether it is still needed; its use outside Model APIs is not told, so look before you revoke it"
	return h, true
}
