// Package audit judges how an organisation keeps its Baseten keys: which are
// stale, unused, more powerful than needed, orphaned or leaked. It is pure: the
// evidence is gathered by package baseten, the time comes with it, and a policy
// is a function of the two. Policies stand by subject in the files key_*.go, each with its
// words beside it.
//
// What is not known is never taken for a fact: every time carries what it rests
// on, and a policy that lacks its evidence says nothing. Which evidence was
// missing is a Problem.
package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
)

// A check is one policy: its words, and the function that looks for it.
type check struct {
	rule finding.Rule
	find func(*view, *key, Policy) (hit, bool)
}

func checks() []check {
	return []check{keyLeaked, keyTheft, keyMadeByLeaked, keyDormantThenUsed, keyOrphaned, keyOverprivileged, keyPersonalAutomation,
		keyNeverUsed, keyUnused, keyOld, keyDuplicateName, keyUnnamed, keyLegacyFormat}
}

// Rules returns the words of every policy, in a fixed order.
func Rules() []finding.Rule {
	var list []finding.Rule
	for _, c := range checks() {
		list = append(list, c.rule)
	}
	return list
}

// A Result is what an audit came to.
type Result struct {
	// Findings come by key, the key most at risk first, and within a key by severity.
	Findings   []finding.Finding
	Problems   []finding.Problem
	Inventory  []finding.InventoryKey // in the order of the list
	Sources    []finding.Source
	Suppressed int // findings that an exception covers
}

// Judge applies the policy to every key of an inventory, which was gathered from
// Sources, joined with what scans found and what an earlier report knew. The
// policy has to be valid.
func Judge(inv *baseten.Inventory, leaks []Leak, earlier Earlier, p Policy) Result {
	v := newView(inv, leaks, earlier)
	res := Result{Problems: v.problems(), Sources: v.sources()}
	used := make([]bool, len(p.Exceptions)) // it covered something, or would have but for its date
	var groups [][]finding.Finding
	for _, k := range v.keys {
		res.Inventory = append(res.Inventory, finding.InventoryKey{
			Prefix: k.Prefix, Key: *k.facts(), Activity: k.days, LeakedAt: moment(k.leakedAt),
		})
		var group []finding.Finding
		for _, c := range checks() {
			rule := c.rule
			h, ok := c.find(v, k, p)
			if !ok || slices.Contains(p.Off, rule.ID) {
				continue
			}
			covered := false
			for i, e := range p.Exceptions {
				if matches(e, k, rule.ID) {
					used[i] = true
					covered = covered || !expired(e, v.now)
				}
			}
			if covered {
				res.Suppressed++
				continue
			}
			group = append(group, v.finding(rule, k, h, p))
		}
		if len(group) > 0 {
			slices.SortStableFunc(group, func(a, b finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
			groups = append(groups, group)
		}
	}
	// The key whose worst finding is worst, then the one that can do most, then the one
	// with most findings.
	slices.SortStableFunc(groups, func(a, b []finding.Finding) int {
		return cmp.Or(
			cmp.Compare(b[0].Severity, a[0].Severity),
			cmp.Compare(power(b[0].Key.Type), power(a[0].Key.Type)),
			cmp.Compare(len(b), len(a)),
			cmp.Compare(a[0].Prefix, b[0].Prefix))
	})
	for _, g := range groups {
		res.Findings = append(res.Findings, g...)
	}
	res.Problems = append(res.Problems, exceptionProblems(p.Exceptions, used, v.now)...)
	return res
}

// A hit is what a policy has to say of a key.
type hit struct {
	message, advice string
	severity        finding.Severity   // the zero value: the rule's own
	confidence      finding.Confidence // the zero value is low
	locations       []finding.Location
}

// finding words a hit.
func (v *view) finding(rule finding.Rule, k *key, h hit, p Policy) finding.Finding {
	sum := sha256.Sum256([]byte("b10lint/audit\x00" + rule.ID + "\x00" + k.Prefix)) // of the rule and the key alone
	f := finding.Finding{
		Rule: rule.ID, Severity: rule.Severity, Confidence: h.confidence, Prefix: k.Prefix, Format: k.Format(),
		Fingerprint: "sha256:" + hex.EncodeToString(sum[:]), Message: h.message, Advice: h.advice, Key: k.facts(),
		Locations: h.locations,
	}
	if h.severity != finding.Info {
		f.Severity = h.severity
	}
	if s, ok := p.Severity[rule.ID]; ok {
		f.Severity = s
	}
	if k.listed {
		at := v.now
		f.Liveness = &finding.Liveness{State: finding.Live, By: "inventory", At: &at, Detail: "listed by Baseten"}
	}
	for _, l := range f.Locations {
		if l.Exposure.Rank() > f.Exposure.Rank() {
			f.Exposure = l.Exposure
		}
	}
	return f
}
