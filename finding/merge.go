package finding

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Merge returns what the reports say together. It is associative, commutative and
// idempotent, so that reports can be merged in any order and more than once: targets,
// problems, and the findings and locations of a key are united, and two records of the
// same thing become the one that says more. A key that was accepted in one report and
// stands in another stands. The counts are summed over the targets, a key that is in
// several counting once.
//
// Targets are the same if their names are. The words and the severity of a leaked key
// depend on all its locations: rules.Derive derives them again.
func Merge(reports ...Report) Report {
	var m Report
	m.Summary.Complete = true
	var ended time.Time
	targets, inventory := map[string]Target{}, map[string]InventoryKey{}
	sources := map[string]Source{}
	findings, resolved := map[string]Finding{}, map[string]Finding{}
	problems := map[problemKey]Problem{}
	for _, r := range reports {
		r = spread(r)
		m.Run.Tool, m.Run.Command = greater(m.Run.Tool, r.Run.Tool), max(m.Run.Command, r.Run.Command)
		m.Run.Targets = slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.Run.Targets, r.Run.Targets))))
		if start := r.Run.Started; m.Run.Started.IsZero() || !start.IsZero() && start.Before(m.Run.Started) {
			m.Run.Started = start
		}
		if end := r.Run.Started.Add(r.Summary.Elapsed); end.After(ended) {
			ended = end
		}
		s := r.Summary
		m.Summary.Complete, m.Summary.Interrupted = m.Summary.Complete && s.Complete, m.Summary.Interrupted || s.Interrupted
		m.Summary.Keys = max(m.Summary.Keys, s.Keys)
		unite(targets, r.Targets, func(t Target) string { return t.Name }, joinTargets)
		unite(findings, r.Findings, Finding.key, joinFindings)
		unite(problems, r.Problems, Problem.key, greater[Problem])
		unite(resolved, s.Resolved, Finding.key, greater[Finding])
		unite(inventory, s.Inventory, func(k InventoryKey) string { return k.Prefix }, greater[InventoryKey])
		unite(sources, s.Sources, func(s Source) string { return s.Name }, greater[Source])
	}
	maps.DeleteFunc(resolved, func(key string, _ Finding) bool { _, found := findings[key]; return found })
	m.Targets = inOrder(targets, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	m.Findings = inOrder(findings, compareFindings)
	m.Problems = inOrder(problems, compareProblems)
	m.Summary.Resolved = inOrder(resolved, compareFindings)
	m.Summary.Inventory = inOrder(inventory, func(a, b InventoryKey) int { return strings.Compare(a.Prefix, b.Prefix) })
	m.Summary.Sources = inOrder(sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	m.Summary.Keys = max(m.Summary.Keys, len(m.Summary.Inventory))
	m.Summary.Elapsed = max(0, ended.Sub(m.Run.Started))
	for _, t := range m.Targets {
		m.Summary.Files += t.Summary.Files
		m.Summary.Objects += t.Summary.Objects
		m.Summary.Bytes += t.Summary.Bytes
		m.Summary.Unlisted += t.Summary.Unlisted
		m.Summary.BelowConfidence += t.Summary.BelowConfidence
		m.Summary.Coverage = append(m.Summary.Coverage, t.Summary.Coverage...)
	}
	m.Count()
	if len(m.Targets) == 1 {
		m.Targets[0].Summary = Summary{}
		name(&m, m.Targets[0].Name, "")
	}
	return m
}

// spread returns r with a name on all that is of a target, and a summary for each; r
// stays as it is.
func spread(r Report) Report {
	if len(r.Targets) > 1 {
		return r
	}
	t := Target{Name: cmp.Or(strings.Join(r.Run.Targets, ", "), r.Run.Command)}
	if len(r.Targets) == 1 {
		t = r.Targets[0]
	}
	s := r.Summary
	t.Summary = Summary{Complete: s.Complete, Files: s.Files, Objects: s.Objects, Bytes: s.Bytes,
		BelowConfidence: s.BelowConfidence, Interrupted: s.Interrupted, Coverage: s.Coverage}
	t.Summary.Unlisted = max(0, s.Suppressed-len(r.Findings)+len(r.Standing()))
	r.Targets = []Target{t}
	name(&r, "", t.Name)
	return r
}

// name gives what is of the target from the name to; r shares no location with what it was.
func name(r *Report, from, to string) {
	named := func(findings []Finding) []Finding {
		findings = slices.Clone(findings)
		for i := range findings {
			f := &findings[i]
			f.Locations = slices.Clone(f.Locations)
			for j := range f.Locations {
				if f.Locations[j].Target == from {
					f.Locations[j].Target = to
				}
			}
		}
		return findings
	}
	r.Findings, r.Summary.Resolved = named(r.Findings), named(r.Summary.Resolved)
	r.Problems = slices.Clone(r.Problems)
	for i := range r.Problems {
		if r.Problems[i].Target == from {
			r.Problems[i].Target = to
		}
	}
}

// Count sets the numbers of findings in the summary, and of those in each of several
// targets in the target's, by the findings that are there. A finding in several targets
// counts in each, and once in the summary.
func (r *Report) Count() {
	of := map[string]*Summary{}
	if s := &r.Summary; len(r.Targets) > 1 {
		s.BelowConfidence = 0
		for i := range r.Targets {
			t := &r.Targets[i].Summary
			t.Findings, t.Suppressed = 0, t.Unlisted
			of[r.Targets[i].Name] = t
			s.BelowConfidence += t.BelowConfidence
		}
	}
	r.Summary.Findings, r.Summary.Suppressed = 0, r.Summary.Unlisted
	for _, f := range r.Findings {
		in := []*Summary{&r.Summary}
		for _, l := range f.Locations {
			if t := of[l.Target]; t != nil && !slices.Contains(in, t) {
				in = append(in, t)
			}
		}
		for _, s := range in {
			if f.Suppression == nil {
				s.Findings++
			} else {
				s.Suppressed++
			}
		}
	}
}

// unite adds a list to records by key, joining those of one key.
func unite[K comparable, T any](all map[K]T, list []T, key func(T) K, join func(a, b T) T) {
	for _, x := range list {
		k := key(x)
		if old, ok := all[k]; ok {
			x = join(old, x)
		} else {
			x = join(x, x) // what a record holds twice is joined as well
		}
		all[k] = x
	}
}

func inOrder[K comparable, T any](all map[K]T, compare func(a, b T) int) []T {
	return slices.SortedFunc(maps.Values(all), compare)
}

// greater returns the one of two records that comes last in an order that depends on
// their contents alone. A record that says more is not smaller than its parts, but for
// that the order has no meaning: two records of one thing differ where it changed
// between two runs.
func greater[T any](a, b T) T {
	if compareJSON(a, b) < 0 {
		return b
	}
	return a
}

func compareJSON(a, b any) int {
	if reflect.DeepEqual(a, b) { // as most are, and faster
		return 0
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil { // a time that JSON cannot hold
		return 0
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), bytes.Compare(x, y))
}

func joinTargets(a, b Target) Target {
	s, t := a.Summary, b.Summary
	a.Kind, a.Revision = max(a.Kind, b.Kind), max(a.Revision, b.Revision)
	a.Summary = Summary{
		Complete: s.Complete && t.Complete, Interrupted: s.Interrupted || t.Interrupted,
		Files: max(s.Files, t.Files), Objects: max(s.Objects, t.Objects), Bytes: max(s.Bytes, t.Bytes),
		Unlisted: max(s.Unlisted, t.Unlisted), BelowConfidence: max(s.BelowConfidence, t.BelowConfidence),
		Coverage: joinCoverage(s.Coverage, t.Coverage),
	}
	return a
}

// joinCoverage joins what was covered of each repository. What covers all of one
// outweighs what covers a range or none of its history.
func joinCoverage(a, b []Coverage) []Coverage {
	all := map[string]Coverage{}
	key := func(c Coverage) string { return c.Repository + "\x00" + c.Scope }
	unite(all, slices.Concat(a, b), key, func(a, b Coverage) Coverage {
		if a.FilesOnly != b.FilesOnly && a.FilesOnly || a.FilesOnly == b.FilesOnly && compareJSON(a, b) < 0 {
			return b
		}
		return a
	})
	maps.DeleteFunc(all, func(_ string, c Coverage) bool {
		whole, ok := all[c.Repository+"\x00"]
		return ok && !whole.FilesOnly && c.Scope != ""
	})
	return inOrder(all, func(a, b Coverage) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Scope, b.Scope))
	})
}

// key says which findings are of the same key, or of the same defect.
func (f Finding) key() string {
	return cmp.Or(f.Fingerprint, strings.Join([]string{f.Rule, f.Prefix, f.Message}, "\x00"))
}

// joinFindings joins what two reports say of a key. Most fields are taken together
// from the one that is worse or was asked later, so that they fit each other.
func joinFindings(a, b Finding) Finding {
	locations := map[locationKey]Location{}
	unite(locations, slices.Concat(a.Locations, b.Locations), Location.key, joinLocations)
	f := a
	if cmp.Or(cmp.Compare(a.Severity, b.Severity), compareJSON(a.words(), b.words())) < 0 {
		f = b
	}
	f.Locations = inOrder(locations, func(a, b Location) int {
		return cmp.Or(cmp.Compare(b.Reach(), a.Reach()), compareLocations(a, b))
	})
	f.Confidence, f.Format, f.Prefix = max(a.Confidence, b.Confidence), max(a.Format, b.Format), max(a.Prefix, b.Prefix)
	f.Exposure = a.Exposure
	if cmp.Or(cmp.Compare(b.Exposure.Rank(), a.Exposure.Rank()), cmp.Compare(b.Exposure, a.Exposure)) > 0 {
		f.Exposure = b.Exposure
	}
	f.Liveness, f.Key = a.Liveness, a.Key
	if compareVerdicts(a, b) < 0 {
		f.Liveness, f.Key = b.Liveness, b.Key
	}
	states := []string{"resolved", "unchanged", "new"}
	f.Baseline = a.Baseline
	if slices.Index(states, b.Baseline) > slices.Index(states, a.Baseline) {
		f.Baseline = b.Baseline
	}
	f.Outcome = a.Outcome
	if x, y := a.Outcome, b.Outcome; y != nil && (x == nil || cmp.Or(compareTimes(x.At, y.At), compareJSON(x, y)) < 0) {
		f.Outcome = y
	}
	f.Suppression = nil
	if a.Suppression != nil && b.Suppression != nil {
		f.Suppression = greater(a.Suppression, b.Suppression)
	}
	return f
}

// words is the text of a finding, which is derived from what is known.
func (f Finding) words() any { return []string{f.Rule, f.Message, f.Advice} }

// compareVerdicts orders what is known of whether a key works: the later answer is the
// greater one, and any is greater than none.
func compareVerdicts(a, b Finding) int {
	at := func(f Finding) (asked int, at *time.Time) {
		if f.Liveness == nil {
			return 0, nil
		}
		if f.Liveness.State == Unchecked || f.Liveness.State == "" {
			return 1, f.Liveness.At
		}
		return 2, f.Liveness.At
	}
	askedA, atA := at(a)
	askedB, atB := at(b)
	return cmp.Or(cmp.Compare(askedA, askedB), compareTimes(atA, atB),
		compareJSON([]any{a.Liveness, a.Key}, []any{b.Liveness, b.Key}))
}

// compareTimes orders times; none is the earliest.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}

// compareFindings orders keys before other findings, then by the first location. One
// without a location comes last, the most severe first.
func compareFindings(a, b Finding) int {
	class := func(f Finding) int {
		switch {
		case len(f.Locations) == 0:
			return 2
		case f.Format == "":
			return 1
		}
		return 0
	}
	c := cmp.Compare(class(a), class(b))
	switch {
	case c != 0:
	case class(a) == 2:
		c = cmp.Compare(b.Severity, a.Severity)
	default: // the severity is derived again, and is not what they are ordered by
		c = compareLocations(slices.MinFunc(a.Locations, compareLocations), slices.MinFunc(b.Locations, compareLocations))
	}
	return cmp.Or(c, strings.Compare(a.Prefix, b.Prefix), strings.Compare(a.key(), b.key()))
}

// A locationKey is what makes two locations the same one.
type locationKey struct {
	target, repository, path, member, object, blob, commit, decoded string
	line, column                                                    int
	cell                                                            Cell
}

func (l Location) key() locationKey {
	k := locationKey{l.Target, l.Repository, l.Path, l.Member, l.Object, l.Blob, l.Commit,
		strings.Join(l.Decoded, " "), l.Line, l.Column, Cell{}}
	if l.Cell != nil {
		k.cell = *l.Cell
	}
	return k
}

// joinLocations is greater, but for the context, which rules.Derive derives again.
func joinLocations(a, b Location) Location {
	x, y := a, b
	x.Context, y.Context = "", ""
	if cmp.Or(compareJSON(x, y), strings.Compare(a.Context, b.Context)) < 0 {
		return b
	}
	return a
}

// Reach orders locations by how far the key got: the further, the larger.
func (l Location) Reach() int {
	if l.Readable {
		return 2*l.Exposure.Rank() + 1
	}
	return 2 * l.Exposure.Rank()
}

// compareLocations orders by target, then what is on disk before what is only in
// history, then by path and position.
func compareLocations(a, b Location) int {
	inHistory := func(l Location) int {
		if l.Blob != "" && !l.AtHead {
			return 1
		}
		return 0
	}
	x, y := a.key(), b.key()
	return cmp.Or(strings.Compare(x.target, y.target), cmp.Compare(inHistory(a), inHistory(b)),
		strings.Compare(x.path, y.path), strings.Compare(x.member, y.member),
		cmp.Compare(x.line, y.line), cmp.Compare(x.column, y.column), strings.Compare(x.commit, y.commit),
		strings.Compare(x.blob, y.blob), strings.Compare(x.object, y.object), strings.Compare(x.decoded, y.decoded),
		strings.Compare(x.repository, y.repository), cmp.Compare(x.cell.Index, y.cell.Index),
		strings.Compare(x.cell.Part, y.cell.Part), strings.Compare(x.cell.Output, y.cell.Output))
}

type problemKey struct {
	target, path, member, object, err, hint string
	warning                                 bool
}

func (p Problem) key() problemKey {
	return problemKey{p.Target, p.Path, p.Member, p.Object, p.Error, p.Hint, p.Warning}
}

// compareProblems orders by target and file, those of the whole run first.
func compareProblems(a, b Problem) int {
	x, y := a.key(), b.key()
	warnings := func(p Problem) int {
		if p.Warning {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(x.target, y.target), strings.Compare(x.path, y.path), strings.Compare(x.member, y.member),
		strings.Compare(x.object, y.object), strings.Compare(x.err, y.err), strings.Compare(x.hint, y.hint),
		cmp.Compare(warnings(b), warnings(a)))
}
