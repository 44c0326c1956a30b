package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// A day after the leak is a spike if it has spikeTimes as many requests as the busiest of
// the spikeDays days before the leak, and spikeLeast at least. It is not judged where the
// key had calls on fewer than spikeKnown of those days.
const (
	spikeTimes = 5
	spikeLeast = 100
	spikeDays  = 28
	spikeKnown = 7
)

// A sign is something that a key did after it leaked and never before: somebody else may
// have it.
type sign struct {
	at      time.Time
	dayOnly bool
	from    string
	text    string
}

// signsOfTheft compares what a key did since it leaked with what it did before: a client
// or a model that was not seen before, a spike. The same evidence gives the same signs, the
// oldest first. unjudged says what could not be compared, a phrase each.
func signsOfTheft(inv *baseten.Inventory, prefix string, leaked time.Time) (list []sign, unjudged []string) {
	var acts []baseten.AuditEntry
	for _, a := range slices.Backward(inv.Actions) {
		if a.Actor.APIKeyPrefix == prefix && !a.Created.IsZero() {
			acts = append(acts, a)
		}
	}
	slices.SortStableFunc(acts, func(a, b baseten.AuditEntry) int { return a.Created.Compare(b.Created.Time) })
	clients := map[string]bool{}
	for _, a := range acts {
		if a.Created.Before(leaked) {
			clients[a.ClientName] = true
		}
	}
	if len(clients) == 0 {
		unjudged = append(unjudged, "whether it was used with another program: the audit log has no action of it before the leak")
	} else {
		for _, a := range acts {
			if !a.Created.Before(leaked) && a.ClientName != "" && !clients[a.ClientName] {
				clients[a.ClientName] = true
				list = append(list, sign{a.Created.UTC(), false, baseten.FromLog,
					"used with " + strings.TrimRight(a.ClientName+" "+a.ClientVersion, " ") + ", which was never seen with it before the leak"})
			}
		}
	}
	calls, more := newCalls(inv, prefix, leaked)
	list = append(list, calls...)
	slices.SortStableFunc(list, func(a, b sign) int { return a.at.Compare(b.at) })
	return list, append(unjudged, more...)
}

// newCalls are the signs in the usage of Model APIs. The day of the leak counts as after it.
func newCalls(inv *baseten.Inventory, prefix string, leaked time.Time) (list []sign, unjudged []string) {
	models := map[string]bool{}
	requests := map[time.Time]int64{}
	type first struct {
		day   time.Time
		model string
	}
	var after []first
	for _, b := range inv.Usage {
		for _, u := range b.Results {
			if u.APIKeyPrefix != prefix || u.RequestCount <= 0 || b.StartTime.IsZero() {
				continue
			}
			start := b.StartTime.Time
			requests[start] += u.RequestCount
			if start.Add(Day).After(leaked) {
				after = append(after, first{start, u.Model})
			} else {
				models[u.Model] = true
			}
		}
	}
	slices.SortStableFunc(after, func(a, b first) int { return cmp.Or(a.day.Compare(b.day), cmp.Compare(a.model, b.model)) })
	if len(models) == 0 {
		unjudged = append(unjudged, "whether it called other models: no call of a Model API before the leak is known")
		after = nil
	}
	for _, a := range after {
		if !models[a.model] {
			models[a.model] = true
			list = append(list, sign{a.day.UTC(), true, baseten.FromUsage, "called model " + a.model + ", which it never called before the leak"})
		}
	}
	var busiest int64
	known := 0
	var days []time.Time
	for day, n := range requests {
		switch {
		case day.Add(Day).After(leaked):
			days = append(days, day)
		case !day.Before(leaked.Add(-(spikeDays + 1) * Day)):
			known++
			busiest = max(busiest, n)
		}
	}
	if known < spikeKnown {
		return list, append(unjudged, fmt.Sprintf("whether its use rose: calls of Model APIs are known of %d of the %d days before the leak, and %d are needed",
			known, spikeDays, spikeKnown))
	}
	slices.SortFunc(days, time.Time.Compare)
	for _, day := range days {
		if n := requests[day]; n >= spikeLeast && n >= spikeTimes*busiest {
			list = append(list, sign{day.UTC(), true, baseten.FromUsage, fmt.Sprintf(
				"%d requests, %d times the busiest of the %d days before the leak (%d)", n, n/busiest, spikeDays, busiest)})
		}
	}
	return list, unjudged
}

// keyTheft is the policy on a leaked key that did since the leak what it never did before,
// or that acted with power.
var keyTheft = check{find: findTheft, rule: finding.Rule{
	ID:       "key-signs-of-theft",
	Title:    "A leaked key did things that it never did before the leak",
	Severity: finding.Critical,
	Tags:     []string{"security", "inventory", "baseten"},
	Text: "Since the date of the leak, a program used the key that was never seen with it before, or it called a model that it never called before, or its use " +
		"rose: a day with at least 100 requests and five times as many as the busiest of the 28 days before the leak, where calls are known of at least seven of them. Or it acted with power: " +
		"keys, secrets, SSH certificates, webhook signing secrets, members and roles, deployments. Someone else may have the key.\n\n" +
		"Without a sign it may still be stolen: Baseten does not attribute calls to dedicated deployments, or what a personal key does, to one key.",
	Remedy: "Revoke the key now, then go through what it did: `b10lint timeline PREFIX`, `b10lint incident`. What it changed outlives it.",
}}

func findTheft(v *view, k *key, _ Policy) (hit, bool) {
	if k.leakedAt.IsZero() {
		return hit{}, false
	}
	var words []string
	signs, _ := signsOfTheft(v.inv, k.Prefix, k.leakedAt)
	for _, s := range signs {
		words = append(words, day(s.at)+": "+s.text)
	}
	for _, e := range slices.Backward(v.inv.Deeds(k.Prefix)) {
		if !e.Created.Before(k.leakedAt) {
			words = append(words, day(e.Created.Time)+": "+v.inv.Deed(e))
		}
	}
	if len(words) == 0 {
		return hit{}, false
	}
	h := hit{confidence: finding.MediumConfidence,
		message: fmt.Sprintf("key %s leaked on %s, and since then: %s", k.title(), day(k.leakedAt), some(words, 10)),
		advice:  "revoke it now with `b10lint revoke " + k.Prefix + "`, then go through what it did: `b10lint timeline " + k.Prefix + "`"}
	if len(signs) == 0 { // it may always have done that
		h.severity = finding.High
	}
	return h, true
}
