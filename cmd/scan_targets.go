package cmd

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
)

// scanTargets scans one target after another and puts the reports together. The error
// is of a target that could not be scanned at all; those after it were not tried.
func scanTargets(ctx context.Context, run finding.Run, targets []source.Target, o scanner.Options) (finding.Report, *scanner.Found, error) {
	all := finding.Report{Run: run, Summary: finding.Summary{Complete: true}}
	found := &scanner.Found{Keys: map[string]scanner.Key{}}
	var failed error
	number := map[string]int{} // of findings, by fingerprint
	for _, t := range targets {
		r, f, err := scanner.Scan(ctx, t, o)
		for _, x := range r.Findings {
			if i, known := number[x.Fingerprint]; known {
				all.Findings[i].Locations = append(all.Findings[i].Locations, x.Locations...)
				all.Findings[i].Confidence = max(all.Findings[i].Confidence, x.Confidence)
				k := found.Keys[x.Fingerprint]
				k.Matched = max(k.Matched, f.Keys[x.Fingerprint].Matched)
				f.Keys[x.Fingerprint] = k
				continue
			}
			number[x.Fingerprint] = len(all.Findings)
			all.Findings = append(all.Findings, x)
		}
		all.Problems = append(all.Problems, r.Problems...)
		maps.Copy(found.Keys, f.Keys)
		found.Comments = append(found.Comments, f.Comments...)
		found.Trussrcs = append(found.Trussrcs, f.Trussrcs...)
		s := &all.Summary
		s.Files, s.Objects, s.Bytes = s.Files+r.Summary.Files, s.Objects+r.Summary.Objects, s.Bytes+r.Summary.Bytes
		s.Complete, s.Interrupted = s.Complete && r.Summary.Complete, s.Interrupted || r.Summary.Interrupted
		for _, c := range r.Summary.Coverage {
			// That the history of a repository was not scanned is not so where it was.
			same := func(other finding.Coverage) bool { return other.Repository == c.Repository }
			if !c.FilesOnly || !slices.ContainsFunc(s.Coverage, same) {
				s.Coverage = append(s.Coverage, c)
			}
		}
		if failed = err; err != nil || r.Summary.Interrupted {
			break
		}
	}
	all.Summary.Findings = len(all.Findings)
	all.Summary.Elapsed = time.Since(run.Started)
	rules.Derive(&all)
	scanner.SortProblems(all.Problems)
	slices.Sort(found.Trussrcs)
	found.Trussrcs = slices.Compact(found.Trussrcs)
	return all, found, failed
}

// accept marks the findings that the settings accept, and reports what is wrong with
// these decisions. comments are those that accept nothing.
func accept(r *finding.Report, s *config.Suppressor, comments []finding.Location) {
	for i := range r.Findings {
		if r.Findings[i].Suppression = s.Suppress(r.Findings[i]); r.Findings[i].Suppression != nil {
			r.Summary.Suppressed++
		}
	}
	for _, f := range s.Leftover(comments) {
		rule, _ := rules.Lookup(f.Rule)
		f.Severity, f.Advice, f.Confidence = rule.Severity, rule.Remedy, finding.HighConfidence
		r.Findings = append(r.Findings, f)
	}
	r.Summary.Findings = len(r.Findings) - r.Summary.Suppressed
}
