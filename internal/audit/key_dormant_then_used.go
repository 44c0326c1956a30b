package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// keyDormantThenUsed is the policy on a key that woke up after a long silence.
var keyDormantThenUsed = check{find: findDormantThenUsed, rule: finding.Rule{
	ID:       "key-dormant-then-used",
	Title:    "A key that was silent for long is in use again",
	Severity: finding.High,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "The key was not used for longer than the threshold (60 days) and then was, within the last two weeks. A forgotten key that comes to life is a sign " +
		"of theft: whoever finds an old key tries it. The silence is told by the list of keys, by an earlier report (`--baseline`), or by the usage of Model APIs and the audit log, " +
		"which do not see every use.",
	Remedy: "Ask the owner whether the use is theirs. `b10lint timeline PREFIX` tells what was done. If nobody knows of it, revoke the key and treat it as stolen.",
}}

func findDormantThenUsed(v *view, k *key, p Policy) (hit, bool) {
	w := v.silence(k, p)
	if w.to.Sub(w.from) < p.DormantFor {
		return hit{}, false
	}
	h := hit{
		message:    fmt.Sprintf("key %s was silent for %s%s and was used again on %s", k.title(), days(w.to.Sub(w.from)), w.where, day(w.to)),
		advice:     "ask its owner; if the use is nobody's, `b10lint revoke " + k.Prefix + "` and read `b10lint timeline " + k.Prefix + "`",
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
