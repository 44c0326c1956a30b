package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// keyNeverUsed is the policy on a key that Baseten itself says was never used.
var keyNeverUsed = check{find: findNeverUsed, rule: finding.Rule{
	ID:       "key-never-used",
	Title:    "A key that was never used",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "Baseten lists the key without any use since it was created. Keys do not expire: it gives access until it is revoked, and its loss would not be noticed. " +
		"Keys that merely lack evidence of use, because the list has no date, are reported under `key-unused`.",
	Remedy: "Ask its creator whether it is reserved for something. If not, revoke it: nothing depends on it.",
}}

func findNeverUsed(v *view, k *key, p Policy) (hit, bool) {
	age, ok := k.created.least(v.now)
	if !k.used.Never || !ok || age < p.NeverUsedAfter {
		return hit{}, false
	}
	return hit{
		message:    fmt.Sprintf("key %s was never used; it was made %s", k.title(), k.created.words()),
		advice:     "nothing uses it: revoke it with `b10lint revoke " + k.Prefix + "`",
		confidence: finding.HighConfidence,
	}, true
}

// keyUnused is the policy on a key that was used once and no longer is, as far as
// can be told.
var keyUnused = check{find: findUnused, rule: finding.Rule{
	ID:       "key-unused",
	Title:    "A key that is no longer used",
	Severity: finding.Medium,
	Tags:     []string{"hygiene", "inventory", "baseten"},
	Text: "The key's last use is longer ago than the threshold (60 days). Where the list of keys has the last use, this is certain. Otherwise the " +
		"usage of Model APIs and the audit log are read, which do not cover dedicated deployments, chains and metrics: the report then says " +
		"\"no evidence of use since\", with less confidence.",
	Remedy: "Find out what it was for, and revoke it if it is no longer needed. When the use is not certain, look for the key's name in your deployments first.",
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
	h.advice = "ask its creator whether it is still needed; its use outside Model APIs is unknown, so check before you revoke it"
	return h, true
}

// keyDormantThenUsed is the policy on a key that woke up after a long silence.
var keyDormantThenUsed = check{find: findDormantThenUsed, rule: finding.Rule{
	ID:       "key-dormant-then-used",
	Title:    "A key that was unused for a long time is in use again",
	Severity: finding.High,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "The key was not used for longer than the threshold (60 days) and then was, within the last two weeks. A forgotten key that is used again is a sign " +
		"of theft: people who find an old key try it. The evidence is the list of keys, an earlier report (`--baseline`), or the usage of Model APIs and the audit log, " +
		"which do not record every use.",
	Remedy: "Ask the owner whether the use is theirs. `b10lint timeline PREFIX` shows what was done. If no one recognises the use, revoke the key and treat it as stolen.",
}}

func findDormantThenUsed(v *view, k *key, p Policy) (hit, bool) {
	w := v.silence(k, p)
	if w.to.Sub(w.from) < p.DormantFor {
		return hit{}, false
	}
	h := hit{
		message:    fmt.Sprintf("key %s was silent for %s%s and was used again on %s", k.title(), days(w.to.Sub(w.from)), w.where, day(w.to)),
		advice:     "ask its owner; if no one recognises the use, `b10lint revoke " + k.Prefix + "` and read `b10lint timeline " + k.Prefix + "`",
		confidence: w.sure,
	}
	if w.sure == finding.LowConfidence {
		h.severity = finding.Medium
	}
	return h, true
}

// A wait is a silence that a use ended.
type wait struct {
	from, to time.Time
	sure     finding.Confidence
	where    string // where nothing was heard, if not everywhere
}

// silence returns the longest silence that a recent use ended.
func (v *view) silence(k *key, p Policy) (best wait) {
	try := func(w wait) {
		if !w.from.IsZero() && v.now.Sub(w.to) <= p.RecentWithin && w.to.Sub(w.from) > best.to.Sub(best.from) {
			best = w
		}
	}
	var uses []time.Time
	for _, d := range k.days {
		if at, err := time.Parse(time.DateOnly, d.Date); err == nil {
			uses = append(uses, at)
		}
	}
	// An earlier report that knew the last use then: there was none until then.
	if last, ok := v.earlier.LastUsed[k.Prefix]; ok && k.used.At.After(v.earlier.At) {
		to := v.earlier.At
		if i := slices.IndexFunc(uses, to.Before); i >= 0 {
			to = uses[i]
		} else if k.used.Exact() {
			to = k.used.At
		}
		try(wait{last, to, finding.HighConfidence, ""})
	}
	usage := v.inv.Source(baseten.SourceUsage)
	if usage.Err != nil || usage.Since.IsZero() {
		return best
	}
	// From when on a use would have been seen; zero when that is not known.
	previous, sure := k.created.at, finding.LowConfidence
	if previous.IsZero() && k.Format() == finding.Legacy {
		previous = keyformat.B10.Since // it is older than that
	}
	if !previous.IsZero() && previous.Before(usage.Since) {
		previous = usage.Since
	}
	for _, at := range uses {
		try(wait{previous, at, sure, " in Model APIs and the audit log"})
		previous, sure = at, finding.MediumConfidence
	}
	return best
}
