package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/b10lint/b10lint/finding"
)

// The rules that a Suppressor reports; package rules describes them.
const (
	ruleUnused        = "suppression-unused"
	ruleExpired       = "suppression-expired"
	ruleWithoutReason = "suppression-without-reason"
)

// Where a decision is, as finding.Suppression.Kind says it; the third is "inline".
const (
	FromConfig   = "config"
	FromBaseline = "baseline"
)

// A Suppressor decides which findings were accepted. A finding is accepted when
// every location of it is: a key that was accepted in one file and occurs in a second
// one is reported. What is verified to work is reported whatever was accepted.
type Suppressor struct {
	entries []*entry
	of      map[subject][]int // entries, by what they are about
	lengths []int             // of the fingerprints in them
	inline  bool
	path    func(finding.Location) string
	// without are the places of comments that give no reason.
	without []finding.Finding
	unused  bool
}

// An entry is a decision of the file or of a baseline.
type entry struct {
	kind                string // FromConfig or FromBaseline
	rule                string // whose findings are all accepted; empty for a decision on one
	fingerprint, prefix string
	glob                string
	suppression         finding.Suppression
	expired, used       bool
}

// SuppressOptions say what was accepted.
type SuppressOptions struct {
	Config   *Config
	Baseline *Baseline // nil: none
	// Today decides what has expired.
	Today time.Time
	// Path returns the path of a place from the root that globs start from.
	Path func(finding.Location) string
	// Unused reports entries that nothing was found for. It must be set only for runs
	// that scanned everything the entries may be about.
	Unused bool
	// Reports reports whether the run can report a rule: a baseline's entries for others
	// are ignored. nil means every rule.
	Reports func(rule string) bool
}

// NewSuppressor returns a Suppressor for one run.
func NewSuppressor(o SuppressOptions) *Suppressor {
	s := &Suppressor{inline: o.Config.Inline, path: o.Path, unused: o.Unused}
	today := o.Today.Format(time.DateOnly)
	for _, a := range o.Config.Accept {
		e := &entry{kind: FromConfig, fingerprint: a.Fingerprint, prefix: a.Prefix, glob: cleanGlob(a.Path)}
		e.suppression = finding.Suppression{Reason: a.Reason, Owner: a.Owner, Where: a.Where}
		if !a.Until.IsZero() {
			e.suppression.Until = a.Until.Format(time.DateOnly)
		}
		s.add(e, today)
	}
	for id, r := range o.Config.Rules {
		if r.Off {
			s.add(&entry{kind: FromConfig, rule: id, used: true, suppression: finding.Suppression{Reason: r.Reason, Where: r.Where}}, today)
		}
	}
	if o.Baseline != nil {
		for _, b := range o.Baseline.Entries {
			if o.Reports != nil && !o.Reports(b.Rule) {
				continue
			}
			e := &entry{kind: FromBaseline, fingerprint: b.Fingerprint}
			e.suppression = finding.Suppression{Reason: b.Reason, Owner: b.Owner, Until: b.Until, Where: o.Baseline.File}
			s.add(e, today)
		}
	}
	return s
}

func (s *Suppressor) add(e *entry, today string) {
	e.suppression.Kind = e.kind
	e.expired = e.suppression.Until != "" && e.suppression.Until < today
	s.entries = append(s.entries, e)
	if s.of == nil {
		s.of = map[subject][]int{}
	}
	s.of[e.subject()] = append(s.of[e.subject()], len(s.entries)-1)
	if n := len(e.fingerprint); n > 0 && !slices.Contains(s.lengths, n) {
		s.lengths = append(s.lengths, n)
	}
}

// A subject is what an entry is about: a rule, the beginning of a fingerprint, or the
// prefix of a key.
type subject struct{ rule, fingerprint, prefix string }

func (e *entry) subject() subject {
	switch {
	case e.rule != "":
		return subject{rule: e.rule}
	case e.fingerprint != "":
		return subject{fingerprint: e.fingerprint}
	}
	return subject{prefix: e.prefix}
}

// about returns the entries that are about a finding, in order. Both may be many.
func (s *Suppressor) about(f finding.Finding) (mine []*entry) {
	var found []int
	if f.Rule != "" {
		found = append(found, s.of[subject{rule: f.Rule}]...)
	}
	if f.Prefix != "" {
		found = append(found, s.of[subject{prefix: f.Prefix}]...)
	}
	for _, n := range s.lengths {
		if n <= len(f.Fingerprint) {
			found = append(found, s.of[subject{fingerprint: f.Fingerprint[:n]}]...)
		}
	}
	slices.Sort(found)
	for _, i := range found {
		mine = append(mine, s.entries[i])
	}
	return mine
}

// cleanGlob gives a glob the meaning that exclude has: one without a slash matches
// a name in any folder.
func cleanGlob(g string) string {
	g = strings.TrimSuffix(strings.TrimPrefix(g, "./"), "/")
	if g != "" && !strings.Contains(g, "/") {
		g = "**/" + g
	}
	return strings.TrimPrefix(g, "/")
}

// Suppress returns the decision that accepted f, or nil if it stands. It must be
// called once for each finding of the run.
func (s *Suppressor) Suppress(f finding.Finding) *finding.Suppression {
	mine := s.about(f)
	if len(f.Locations) == 0 {
		var by *finding.Suppression
		for _, e := range mine {
			if e.glob == "" { // what has no place has no path either
				by = e.take(by)
			}
		}
		return standing(f, by)
	}
	allowed := s.allowed(f)
	var first *finding.Suppression
	all := true
	for _, at := range f.Locations {
		by := s.place(mine, allowed, at)
		if first == nil {
			first = by
		}
		all = all && by != nil
	}
	if !all {
		return nil
	}
	return standing(f, first)
}

// Unread returns the decision that what p is about need not be read, or nil. Every name of
// the file has to be accepted.
func (s *Suppressor) Unread(p finding.Problem) (by *finding.Suppression) {
	names := p.Names
	if len(names) == 0 {
		names = []string{p.Path}
	}
	for _, name := range names {
		i := slices.IndexFunc(s.entries, func(e *entry) bool {
			return e.fingerprint == "" && e.prefix == "" && e.glob != "" && e.covers(s.path(finding.Location{Path: name}))
		})
		if name == "" || i < 0 {
			return nil
		}
		if by = s.entries[i].take(nil); by == nil {
			return nil // it has expired
		}
	}
	return by
}

// covers reports whether the glob of an entry, if it has one, matches a path or a folder above it.
func (e *entry) covers(path string) bool {
	return e.glob == "" || doublestar.MatchUnvalidated(e.glob, path) || doublestar.MatchUnvalidated(e.glob+"/**", path)
}

// standing is what a decision comes to: nothing, for a key that works.
func standing(f finding.Finding, by *finding.Suppression) *finding.Suppression {
	if l := f.Liveness; l != nil && (l.State == finding.Live || l.State == finding.Restricted) {
		return nil
	}
	return by
}

// take marks an entry as used; it counts unless another came first or it expired.
func (e *entry) take(by *finding.Suppression) *finding.Suppression {
	e.used = true
	if by != nil || e.expired {
		return by
	}
	return &e.suppression
}

// place returns what accepts one place of a finding.
func (s *Suppressor) place(mine []*entry, allowed map[string]*finding.Suppression, at finding.Location) (by *finding.Suppression) {
	path := s.path(at)
	for _, e := range mine {
		if e.covers(path) {
			by = e.take(by)
		}
	}
	switch {
	case by != nil:
		return by
	case at.Allow != nil && *at.Allow != "" && s.inline:
		return inline(*at.Allow, at)
	case past(at):
		return allowed[path]
	}
	return nil
}

// allowed returns the comments that accept f in files of now, by path. They hold
// for the older versions of the same file too: those cannot be changed any more.
func (s *Suppressor) allowed(f finding.Finding) map[string]*finding.Suppression {
	by := map[string]*finding.Suppression{}
	if !s.inline {
		return by
	}
	for _, at := range f.Locations {
		if at.Allow == nil || past(at) {
			continue
		}
		if *at.Allow == "" {
			s.reasonless(f, at)
			continue
		}
		by[s.path(at)] = inline(*at.Allow, at)
	}
	for _, at := range f.Locations {
		if !past(at) && (at.Allow == nil || *at.Allow == "") {
			delete(by, s.path(at)) // it stands there a second time, without
		}
	}
	return by
}

// past reports whether a place is in history alone.
func past(at finding.Location) bool { return at.Blob != "" && !at.AtHead && at.Object != "index" }

func inline(reason string, at finding.Location) *finding.Suppression {
	return &finding.Suppression{Kind: "inline", Reason: reason, Where: fmt.Sprintf("%s:%d", at.Path, at.Line)}
}

func (s *Suppressor) reasonless(f finding.Finding, at finding.Location) {
	if n := len(s.without); n > 0 && s.without[n-1].Prefix == f.Prefix && s.without[n-1].Locations[0].Path == at.Path {
		return // one a file and key is enough
	}
	s.without = append(s.without, finding.Finding{
		Rule: ruleWithoutReason, Prefix: f.Prefix,
		Fingerprint: fingerprint(ruleWithoutReason, f.Fingerprint, s.path(at)),
		Message:     "the comment b10lint:allow beside key " + f.Prefix + " gives no reason and is not obeyed",
		Locations:   []finding.Location{at},
	})
}

// Leftover returns what the decisions themselves are to be blamed for, as findings
// without severity: comments without a reason, and entries that have expired or
// that nothing was found for. unused are the places of comments that no key stands
// beside. It is called after the last Suppress.
func (s *Suppressor) Leftover(unused []finding.Location) []finding.Finding {
	out := s.without
	for _, at := range unused {
		out = append(out, finding.Finding{
			Rule: ruleUnused, Exposure: at.Exposure,
			Fingerprint: fingerprint(ruleUnused, s.path(at), at.LineHash),
			Message:     "the comment b10lint:allow accepts nothing: there is no key on its line or the next",
			Advice:      "Remove the comment.",
			Locations:   []finding.Location{at},
		})
	}
	for _, e := range s.entries {
		switch {
		case e.expired:
			out = append(out, e.finding(ruleExpired, "ended on "+e.suppression.Until+" and is not obeyed any more"))
		case !e.used && s.unused:
			out = append(out, e.finding(ruleUnused, "accepts nothing that is there"))
		}
	}
	return out
}

func (e *entry) finding(rule, what string) finding.Finding {
	subject := cmp.Or(e.fingerprint, e.prefix, e.glob)
	file, line := e.suppression.Where, 0
	if i := strings.LastIndexByte(file, ':'); i >= 0 && e.kind == FromConfig {
		if _, err := fmt.Sscanf(file[i+1:], "%d", &line); err == nil {
			file = file[:i]
		}
	}
	of, advice := "the entry of accept for ", "Remove the entry, or give it a later day in `until`."
	switch {
	case e.kind == FromBaseline && rule == ruleUnused:
		of, advice = "the baseline's entry for ", "`b10lint baseline --prune` removes it."
	case e.kind == FromBaseline:
		of, advice = "the baseline's entry for ", "Remove the key, or give the entry a later day in `until`."
	case rule == ruleUnused && e.glob != "":
		advice = "Remove the entry. If it should be about another place, correct its `path`."
	case rule == ruleUnused:
		advice = "Remove the entry."
	}
	return finding.Finding{
		Advice: advice,
		Rule:   rule, Prefix: e.prefix,
		Fingerprint: fingerprint(rule, subject, e.glob),
		Message:     of + subject + " " + what,
		Locations:   []finding.Location{{Path: file, Line: line}},
	}
}

// fingerprint is that of a finding that is not about a key: of rule and subject.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
