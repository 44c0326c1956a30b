package audit

import (
	"fmt"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// KeyDormantThenUsed is the rule for a key that woke up after a long silence.
func KeyDormantThenUsed() finding.Rule {
	return finding.Rule{
		ID:       "key-dormant-then-used",
		Title:    "A key that was silent for long is in use again",
		Severity: finding.High,
		Tags:     []string{"security", "inventory", "baseten"},
		Text: "The key was not used for longer than the threshold (60 days) and then was, within the last two weeks. A forgotten key that comes to life is a sign " +
			"of theft: whoever finds an old key tries it. The silence is told by the list of keys, by an earlier report (`--baseline`), or by the usage of Model APIs and the audit log, " +
			"which do not see every use.",
		Remedy: "Ask the owner whether the use is theirs. `b10lint timeline PREFIX` tells what was done. If nobody knows of it, revoke the key and treat it as stolen.",
	}
}

func keyDormantThenUsed(v *view, k *key, p Policy) (hit, bool) {
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
		if v.now.Sub(w.to) <= p.RecentWithin && w.to.Sub(w.from) > best.to.Sub(best.from) {
			best = w
		}
	}
	// An earlier report that told the last use then: there was none until then.
	if last, ok := v.earlier.LastUsed[k.Prefix]; ok && k.used.At.After(v.earlier.At) {
		to := v.earlier.At
		if first := k.firstAfter(to); !first.IsZero() {
			to = first
		} else if k.used.Exact() {
			to = k.used.At
		}
		try(wait{last, to, finding.HighConfidence, ""})
	}
	since := v.usageSince()
	if since.IsZero() {
		return best
	}
	const partly = " in Model APIs and the audit log"
	previous, sure := v.began(k, since), finding.LowConfidence
	for _, d := range k.days {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue
		}
		if !previous.IsZero() {
			try(wait{previous, at, sure, partly})
		}
		previous, sure = at, finding.MediumConfidence
	}
	return best
}

// began is from when on a use of the key would have been seen; zero when that is
// not known.
func (v *view) began(k *key, since time.Time) time.Time {
	begin := k.created.at
	if begin.IsZero() && k.Format() == finding.Legacy {
		begin = keyformat.B10.Since // it is older than that
	}
	if !begin.IsZero() && begin.Before(since) {
		begin = since
	}
	return begin
}

func (k *key) firstAfter(t time.Time) time.Time {
	for _, d := range k.days {
		if at, err := time.Parse(time.DateOnly, d.Date); err == nil && at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// usageSince is how far back usage was read, and zero when it was not.
func (v *view) usageSince() time.Time {
	if s := v.inv.Source(baseten.SourceUsage); s.Err == nil {
		return s.Since
	}
	return time.Time{}
}
