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

// Timeline returns the history of the key with a prefix, in order: its creation, every
// place that a scan saw it, what it did, when it was used, its end. A prefix that
// no source knows gives a story without events that says so.
func Timeline(inv *baseten.Inventory, prefix string, leaks []Leak) finding.Timeline {
	v := newView(inv, leaks, Earlier{})
	t := finding.Timeline{Prefix: prefix, At: v.now, State: finding.Unknown, Events: []finding.Event{}, Usage: []finding.DailyUse{}, Unknown: []string{}}
	var k *key // nil when the key is not here
	if i := slices.IndexFunc(v.keys, func(k *key) bool { return k.Prefix == prefix }); i >= 0 {
		k = v.keys[i]
	}
	history := inv.History[prefix]
	switch {
	case k != nil && k.listed:
		t.State = finding.Live
		t.Key = k.facts()
	case history.Gone:
		t.State = finding.Dead
		t.Key = history.Facts()
	case k != nil:
		t.Key = k.facts()
	}
	s := story{t: &t, prefix: prefix}
	s.life(k, history)
	s.places(leaks)
	s.actions(inv)
	s.usage(inv.Usage)
	if t.Leaked != nil {
		signs, unjudged := signsOfTheft(inv, prefix, *t.Leaked)
		for _, x := range signs {
			t.Events = append(t.Events, finding.Event{At: x.at, Kind: "sign", From: x.from, Text: x.text, DayOnly: x.dayOnly})
		}
		t.Unknown = append(t.Unknown, unjudged...)
	}
	// Of one moment: a day-only event stands before the others of its day, and a
	// creation before all.
	kinds := []string{"created", "committed", "first-use", "action", "sign", "last-use", "removed", "revoked"}
	slices.SortStableFunc(t.Events, func(a, b finding.Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)))
	})
	t.Unknown = append(t.Unknown, v.unknown(k, &t)...)
	return t
}

// A story collects the events of one key.
type story struct {
	t      *finding.Timeline
	prefix string
}

func (s *story) add(at time.Time, kind, from, by, format string, args ...any) {
	if !at.IsZero() {
		s.t.Events = append(s.t.Events, finding.Event{At: at.UTC(), Kind: kind, From: from, By: by, Text: fmt.Sprintf(format, args...)})
	}
}

func (s *story) life(k *key, h baseten.KeyHistory) {
	created, from, by := h.Created.Time, baseten.FromLog, h.CreatedBy
	kind := h.Type
	if k != nil {
		if !k.created.at.IsZero() {
			created, from = k.created.at, k.created.basis
		}
		kind = string(k.Type)
	}
	via := ""
	if h.Source != "" {
		via = " by way of " + h.Source
	}
	s.add(created, "created", from, by, "key of type %s made%s", kind, via)
	if h.Gone {
		s.add(h.Deleted.Time, "revoked", baseten.FromLog, h.DeletedBy, "key revoked")
	}
	if k != nil && k.used.Exact() {
		s.add(k.used.At, "last-use", baseten.FromList, "", "last use of any kind")
	}
}

// places adds each location that scans saw, and who could read it there.
func (s *story) places(leaks []Leak) {
	for _, l := range leaks {
		if l.Finding.Prefix != s.prefix || !strings.HasPrefix(l.Finding.Rule, "leaked-") {
			continue
		}
		for _, at := range l.Finding.Locations {
			if at.Date == nil {
				s.t.Unknown = append(s.t.Unknown, "since when it stood in "+at.Path+" (by "+l.From+", "+string(at.Exposure)+")")
				continue
			}
			if public(at, l) && (s.t.Leaked == nil || at.Date.Before(*s.t.Leaked)) {
				s.t.Leaked = moment(at.Date.UTC())
			}
			who := "anyone who can read the repository could see it"
			switch {
			case at.Unreachable:
				who = "no branch or tag leads there, but anyone who has the objects can see it"
			case len(at.Refs) > 0:
				who = "anyone who can read " + strings.Join(at.Refs[:min(len(at.Refs), 5)], ", ") + " could see it"
			}
			if at.AtHead {
				who += "; it is still at the head"
			}
			s.add(*at.Date, "committed", l.From, at.Author, "commit %s put it into %s; %s", short(at.Commit), at.Path, who)
			if at.RemovedIn != "" {
				s.t.Unknown = append(s.t.Unknown, "when commit "+short(at.RemovedIn)+" took it out of "+at.Path+": the report has no date for it; history keeps the key")
			}
		}
	}
}

func (s *story) actions(inv *baseten.Inventory) {
	for _, a := range inv.Actions {
		if a.Actor.APIKeyPrefix != s.prefix || a.Created.IsZero() {
			continue
		}
		with := ""
		if a.ClientName != "" {
			with = strings.TrimRight(" with "+a.ClientName+" "+a.ClientVersion, " ")
		}
		s.add(a.Created.Time, "action", baseten.FromLog, a.Actor.String(), "%s, by way of %s%s", inv.Deed(a), a.Source, with)
		s.t.Events[len(s.t.Events)-1].Power = string(a.Power())
	}
}

// usage adds the days of use by model, and marks the first and last of them.
func (s *story) usage(buckets []baseten.UsageBucket) {
	var first, last time.Time
	for _, b := range buckets {
		for _, u := range b.Results {
			if u.APIKeyPrefix != s.prefix || u.RequestCount <= 0 || b.StartTime.IsZero() {
				continue
			}
			at := b.StartTime.Time
			if first.IsZero() {
				first = at
			}
			last = at
			s.t.Usage = append(s.t.Usage, finding.DailyUse{Date: day(at), Model: u.Model, Requests: u.RequestCount,
				InputTokens: u.InputTokens, OutputTokens: u.OutputTokens,
				AfterLeak: s.t.Leaked != nil && at.Add(Day).After(*s.t.Leaked)})
		}
	}
	n := len(s.t.Events)
	s.add(first, "first-use", baseten.FromUsage, "", "first day with calls to a Model API that is still kept")
	if !last.Equal(first) {
		s.add(last, "last-use", baseten.FromUsage, "", "last day with calls to a Model API")
	}
	for i := n; i < len(s.t.Events); i++ {
		s.t.Events[i].DayOnly = true
	}
}

// unknown lists what could not be determined.
func (v *view) unknown(k *key, t *finding.Timeline) (list []string) {
	for _, s := range v.inv.Sources {
		if s.Err != nil && !s.NotUsed {
			list = append(list, string(s.Name)+" could not be read: "+missing(s.Name))
		}
	}
	if k == nil && t.State != finding.Dead {
		list = append(list, "whether the key exists: neither the list of keys that this credential sees nor the audit log has it")
	}
	if k != nil && k.created.at.IsZero() {
		list = append(list, "when exactly it was made: "+k.created.words())
	}
	if s := v.inv.Source(baseten.SourceActions); s.Err == nil && !s.Since.IsZero() {
		list = append(list, "what it did before "+day(s.Since)+", which is how far back the audit log's actions and the usage were read")
	}
	if t.Leaked == nil {
		list = append(list, "when it leaked: no scan report gives a dated place in the open")
	}
	list = append(list, "calls to dedicated deployments and chains, reads through the management API, and the addresses that calls came from: Baseten does not report them")
	if k != nil && k.Type == baseten.Personal {
		list = append(list, "which actions were this key's: what a personal key does is recorded in the audit log under its owner")
	}
	return list
}

func short(id string) string {
	if id == "" {
		return "(unknown)"
	}
	return id[:min(len(id), 12)]
}
