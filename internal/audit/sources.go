package audit

import (
	"fmt"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/english"
)

// missing says what is not known without each source.
func missing(name baseten.Source) string {
	return map[baseten.Source]string{
		baseten.SourceKeys:    "the keys below are those that the audit log mentions: names, owners and scopes are not known, and older keys are missing",
		baseten.SourceTeams:   "teams are known by the names that the keys carry",
		baseten.SourceUsers:   "whether an owner is still a member is known from the audit log only",
		baseten.SourceEvents:  "who made a key, who was removed and, where the list has no dates, when a key was made is not known",
		baseten.SourceActions: "what keys did is not known, so neither is whether a key with management rights needs them",
		baseten.SourceUsage:   "which Model APIs a key called, and when, is not known",
		baseten.SourceGateway: "federated keys are not listed",
	}[name]
}

// problems reports which sources could not be read. A missing permission narrows
// the evidence and is a warning; anything else makes the audit incomplete, and so
// does a list of keys that may not be read.
func (v *view) problems() (list []finding.Problem) {
	for _, s := range v.inv.Sources {
		if s.Err == nil || s.NotUsed {
			continue
		}
		p := finding.Problem{Error: fmt.Sprintf("%s could not be read: %v", s.Name, s.Err), Hint: missing(s.Name)}
		if s.Denied() {
			p.Error = string(s.Name) + " may not be read with this credential (403)"
			p.Warning = s.Name != baseten.SourceKeys
			p.Hint += "; a personal key of an organisation admin may read it"
		}
		list = append(list, p)
	}
	if v.inv.Source(baseten.SourceUsers).Err == nil && len(v.inv.Users) == 0 {
		list = append(list, finding.Problem{Warning: true, Error: "the list of members is empty", Hint: missing(baseten.SourceUsers)})
	}
	if lacking := v.inv.Unlisted(); len(lacking) > 0 {
		what := "keys that live, by the audit log and the usage: "
		if lacking[0] == v.inv.Self && len(lacking) == 1 {
			what = "the key that it was read with: "
		}
		list = append(list, finding.Problem{Error: "the list of keys is only a part: it lacks " + what + some(lacking, 20),
			Hint: "other members' personal keys are shown to a personal key of an organisation admin only; use one, or ask Baseten"})
	}
	var differ []string
	for _, k := range v.keys {
		if k.used.Disagreement() != "" {
			differ = append(differ, k.Prefix)
		}
	}
	if len(differ) > 0 {
		list = append(list, finding.Problem{Warning: true, Error: fmt.Sprintf("the list of keys gives an earlier last use of %d %s than Model API usage or the audit log: %s",
			len(differ), english.Plural(len(differ), "key", "keys"), some(differ, 20)), Hint: "the later one is taken"})
	}
	var open []string // leaked keys that are neither in the inventory nor, by the audit log, revoked
	for _, l := range v.leftover {
		if !v.inv.History[l.Finding.Prefix].Gone && !slices.Contains(open, l.Finding.Prefix) {
			open = append(open, l.Finding.Prefix)
		}
	}
	if len(open) > 0 {
		list = append(list, finding.Problem{
			Warning: true, Error: "leaked, by the scans, and not among these keys: " + some(open, 20),
			Hint: "they were revoked before the audit log begins, belong to another organisation, or are hidden from this credential; " +
				"b10lint scan --verify checks each",
		})
	}
	return list
}

// sources says how far the evidence goes.
func (v *view) sources() (list []finding.Source) {
	for _, s := range v.inv.Sources {
		out := finding.Source{Name: string(s.Name), State: "read", Since: moment(s.Since)}
		switch {
		case s.NotUsed:
			out.State, out.Detail = "not-used", "not used, or not permitted to this credential: Baseten answers both alike"
		case s.Denied():
			out.State, out.Detail = "denied", missing(s.Name)
		case s.Err != nil:
			out.State, out.Detail = "failed", missing(s.Name)
		case s.Name == baseten.SourceUsage:
			out.Detail = "Model APIs only: dedicated deployments, chains and metrics are not counted"
		case s.Name == baseten.SourceActions:
			out.Detail = "administrative actions only; what a personal key does is recorded under its owner"
		}
		list = append(list, out)
	}
	return list
}
