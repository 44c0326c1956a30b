package scanner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/secret"
)

// Limits that keep hostile input from filling the memory: files can be made that
// hold millions of made-up keys. Reaching one is a Problem.
const (
	maxKeys     = 1 << 20
	maxPlaces   = 10_000 // of one key
	maxProblems = 10_000
)

// A collector gathers hits into one candidate for each distinct key.
type collector struct {
	opts     Options
	keys     map[string]*candidate // by digest
	order    []*candidate          // fixed by sort
	problems []finding.Problem
	trussrcs []string // that were met
	extra    []finding.Finding
	comments []place            // of comments that accept nothing, as they came
	unused   []finding.Location // the same, once it is known which of them count
	// dropped counts what went over a limit.
	droppedKeys, droppedPlaces, droppedProblems, droppedTrussrcs int
	incomplete                                                   bool
}

// A candidate is a key with the places where it was seen.
type candidate struct {
	digest     string
	key        secret.Secret
	format     finding.Format
	confidence finding.Confidence
	// matched is the confidence before it is lowered for keys in pictures alone:
	// they are asked for, so what is listed goes by how a key looks.
	matched finding.Confidence
	places  []place
	verdict *finding.Verdict
}

type place struct {
	source int
	offset int64
	silent bool // nothing near the key speaks of an owner
	at     finding.Location
}

func newCollector(opts Options) *collector {
	return &collector{opts: opts, keys: map[string]*candidate{}}
}

func (c *collector) add(e event) {
	if e.problem != nil {
		c.problem(*e.problem)
		return
	}
	if e.comment != nil {
		if len(c.comments) < maxPlaces {
			c.comments = append(c.comments, *e.comment)
		}
		return
	}
	if e.trussrc != "" {
		if len(c.trussrcs) < maxPlaces {
			c.trussrcs = append(c.trussrcs, e.trussrc)
		} else {
			c.droppedTrussrcs++
		}
		return
	}
	h := e.hit
	digest := h.key.Digest()
	k := c.keys[digest]
	if k == nil {
		if len(c.keys) == maxKeys {
			c.droppedKeys++
			return
		}
		k = &candidate{digest: digest, key: h.key, format: h.format}
		c.keys[digest] = k
	}
	k.matched = max(k.matched, h.confidence)
	if !h.picture { // characters may be misread
		k.confidence = max(k.confidence, h.confidence)
	}
	if len(k.places) == maxPlaces {
		c.droppedPlaces++
		return
	}
	k.places = append(k.places, place{h.source, h.offset, h.silent, h.at})
}

func (c *collector) problem(p finding.Problem) {
	c.incomplete = c.incomplete || !p.Warning
	if len(c.problems) == maxProblems {
		c.droppedProblems++
		return
	}
	c.problems = append(c.problems, p)
}

// sorted fixes the order of the candidates by their first places, and of the
// places of each. It is idempotent.
func (c *collector) sorted() []*candidate {
	c.order = c.order[:0]
	for _, k := range c.keys {
		if len(k.places) == 0 { // a source said that none of them is to be told
			continue
		}
		slices.SortFunc(k.places, func(a, b place) int { return cmp.Or(comparePlaces(a, b), b.known()-a.known()) })
		k.places = slices.CompactFunc(k.places, func(a, b place) bool { return comparePlaces(a, b) == 0 })
		c.order = append(c.order, k)
	}
	slices.SortFunc(c.order, func(a, b *candidate) int {
		return cmp.Or(comparePlaces(a.places[0], b.places[0]), strings.Compare(a.digest, b.digest))
	})
	return c.order
}

// known says how much is known of a place. The same place may come twice, in a
// window and as part of the whole; the whole knows its cell and line.
func (p place) known() int {
	n := 0
	if p.at.Cell != nil {
		n++
	}
	if p.at.LineHash != "" {
		n++
	}
	return n
}

// comparePlaces orders by source, then what is on disk now before what is only in
// history, then by path and place.
func comparePlaces(a, b place) int {
	inHistory := func(l finding.Location) int {
		if l.Blob != "" && !l.AtHead {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(a.source, b.source),
		cmp.Compare(inHistory(a.at), inHistory(b.at)),
		strings.Compare(a.at.Path, b.at.Path),
		strings.Compare(a.at.Member, b.at.Member),
		cmp.Compare(a.offset, b.offset),
		cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column),
		strings.Compare(a.at.Commit, b.at.Commit),
		strings.Compare(a.at.Blob, b.at.Blob),
		strings.Compare(a.at.Object, b.at.Object),
		strings.Compare(strings.Join(a.at.Decoded, " "), strings.Join(b.at.Decoded, " ")),
	)
}

// locate asks the sources that can to say more of their places.
func (c *collector) locate(ctx context.Context, sources []source.Source) {
	for i, s := range sources {
		if s.Locate == nil {
			continue
		}
		var of []*candidate
		var ask []finding.Location
		for _, k := range c.sorted() {
			for _, p := range k.places {
				if p.source == i {
					of, ask = append(of, k), append(ask, p.at)
				}
			}
		}
		if len(ask) == 0 {
			continue
		}
		found, err := s.Locate(ctx, ask)
		var parts source.LocateError
		switch {
		case errors.As(err, &parts):
			for _, p := range parts {
				c.problem(p)
			}
		case err != nil:
			c.problem(finding.Problem{Error: "could not work out where keys come from: " + err.Error()})
		}
		if len(found) == len(ask) {
			c.replace(i, of, found)
			c.rejudge()
		}
	}
}

// rejudge raises keys of low confidence in objects whose paths are known by now: a
// path can be what makes a key likely, where nothing nearer says anything.
func (c *collector) rejudge() {
	for _, k := range c.sorted() {
		for _, p := range k.places {
			if k.confidence == finding.LowConfidence && p.silent && p.at.Blob != "" && p.at.Path != "" && p.at.Member == "" {
				if confidence, ok := rules.PathSpeaks(k.format, p.at.Path); ok {
					k.confidence = max(k.confidence, confidence)
				}
			}
		}
	}
}

// replace puts what a source said in the place of what it was asked. Both are in
// the order of sorted.
func (c *collector) replace(source int, of []*candidate, found [][]finding.Location) {
	n := 0
	for i, k := range of {
		if i > 0 && of[i-1] == k {
			continue
		}
		kept := k.places[:0:0]
		for _, p := range k.places {
			if p.source != source {
				kept = append(kept, p)
				continue
			}
			for _, at := range found[n] {
				kept = append(kept, place{p.source, p.offset, p.silent, at})
			}
			n++
		}
		k.places = kept
	}
}

// verify asks the verifier about every candidate, also those of low confidence:
// Baseten's inventory overrides any guess.
func (c *collector) verify(ctx context.Context) {
	if c.opts.Verifier == nil || len(c.keys) == 0 {
		return
	}
	var suspects []Suspect
	for _, k := range c.sorted() {
		suspects = append(suspects, Suspect{k.key, k.confidence})
	}
	verdicts, problems := c.opts.Verifier.Verify(ctx, suspects)
	for _, p := range problems {
		c.problem(p)
	}
	for digest, v := range verdicts {
		k := c.keys[digest]
		if k == nil {
			continue
		}
		k.verdict = &v
		if s := v.Liveness.State; v.Key != nil || s == finding.Live || s == finding.Restricted {
			k.confidence = finding.HighConfidence
		}
	}
}

// report makes the report of what was collected.
func (c *collector) report(sources []source.Source) (r finding.Report) {
	p := c.opts.Progress
	r.Summary = finding.Summary{Files: p.Files.Load(), Objects: p.Objects.Load(), Bytes: p.Bytes.Load()}
	c.handOver(&r)
	c.leftover(&r)
	c.overLimits()
	slices.SortStableFunc(c.problems, func(a, b finding.Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Member, b.Member), strings.Compare(a.Object, b.Object), strings.Compare(a.Error, b.Error))
	})
	r.Problems = c.problems
	for _, src := range sources {
		if src.Coverage != nil {
			r.Summary.Coverage = appendCoverage(r.Summary.Coverage, src.Coverage())
		}
	}
	r.Summary.Complete = !c.incomplete
	return r
}

// leftover reports what is wrong with the decisions that accept findings.
func (c *collector) leftover(r *finding.Report) {
	if c.opts.Suppressor == nil {
		return
	}
	for _, f := range c.opts.Suppressor.Leftover(c.unused) {
		rule, _ := rules.Lookup(f.Rule)
		f.Severity, f.Advice, f.Confidence = rule.Severity, rule.Remedy, finding.HighConfidence
		r.Summary.Findings++
		r.Findings = append(r.Findings, f)
	}
}

func (c *collector) overLimits() {
	for _, limit := range []struct {
		n    int
		text string
	}{
		{c.droppedKeys, fmt.Sprintf("%d matches of further keys are not listed: the report holds %d distinct keys at most", c.droppedKeys, maxKeys)},
		{c.droppedPlaces, fmt.Sprintf("%d further places are not listed: the report holds %d places of one key at most", c.droppedPlaces, maxPlaces)},
		{c.droppedTrussrcs, fmt.Sprintf("%d further .trussrc files are not judged: %d are at most", c.droppedTrussrcs, maxPlaces)},
		{c.droppedProblems, fmt.Sprintf("%d further problems are not listed", c.droppedProblems)},
	} {
		if limit.n > 0 {
			c.problems = append(c.problems, finding.Problem{Error: limit.text})
			c.incomplete = true
		}
	}
}

// width orders places by how far the key got by them.
func width(at finding.Location) int {
	w := 2 * at.Exposure.Rank()
	if at.Readable {
		w++
	}
	return w
}

// finding words what is known of a key.
func (k *candidate) finding() finding.Finding {
	f := finding.Finding{
		Confidence:  k.confidence,
		Format:      k.format,
		Prefix:      k.key.Prefix(),
		Fingerprint: k.digest[:32],
		Liveness:    &finding.Liveness{State: finding.Unchecked},
	}
	places := slices.Clone(k.places)
	// The place that decides how bad it is stands first.
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(width(b.at), width(a.at)) })
	for i, p := range places {
		at := p.at
		var advice string
		at.Context, advice = rules.Advise(at, at.Snippet)
		f.Locations = append(f.Locations, at)
		if i == 0 {
			f.Exposure, f.Advice = at.Exposure, advice
		}
	}
	if k.verdict != nil {
		f.Liveness, f.Key = &k.verdict.Liveness, k.verdict.Key
	}
	rules.Describe(&f)
	return f
}
