package scanner

import (
	"context"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// inspect judges what was met besides keys.
func (c *collector) inspect(ctx context.Context) {
	if c.opts.Inspect == nil {
		return
	}
	slices.Sort(c.trussrcs)
	var problems []finding.Problem
	c.extra, problems = c.opts.Inspect(ctx, slices.Compact(c.trussrcs))
	for _, p := range problems {
		c.problem(p)
	}
}

// handOver reports the keys in their order and counts them, then what Inspect found.
func (c *collector) handOver(r *finding.Report) {
	for _, k := range c.sorted() {
		f := k.finding()
		if max(k.confidence, k.matched) < c.opts.MinConfidence {
			r.Summary.BelowConfidence++
			continue
		}
		if c.listed(&f, &r.Summary) && c.opts.Keys != nil {
			c.opts.Keys(f, k.key)
		}
		r.Findings = append(r.Findings, f)
	}
	for _, f := range c.extra {
		c.listed(&f, &r.Summary)
		r.Findings = append(r.Findings, f)
	}
}

// listed counts a finding and reports whether it stands; one that does not is
// marked with the decision.
func (c *collector) listed(f *finding.Finding, s *finding.Summary) bool {
	if c.opts.Suppressor != nil {
		f.Suppression = c.opts.Suppressor.Suppress(*f)
	}
	if f.Suppression != nil {
		s.Suppressed++
		return false
	}
	s.Findings++
	return true
}

// appendCoverage leaves out the note that the history of a repository was not looked
// at where that was already said, or is not so.
func appendCoverage(all, more []finding.Coverage) []finding.Coverage {
	for _, c := range more {
		same := func(other finding.Coverage) bool { return other.Repository == c.Repository }
		if !c.FilesOnly || !slices.ContainsFunc(all, same) {
			all = append(all, c)
		}
	}
	return all
}
