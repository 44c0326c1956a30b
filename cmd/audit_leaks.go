package cmd

import (
	"bufio"
	"context"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/scanner"
)

// leakSources are where the keys that scans found come from.
type leakSources struct {
	reports, targets []string
}

func (l *leakSources) register(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&l.reports, "scan-report", nil, "join with the scan whose JSON report is in `FILE`; repeatable")
	f.StringArrayVar(&l.targets, "scan", nil, "scan this `TARGET` first and join with what is found; repeatable")
	_ = c.MarkFlagFilename("scan-report", "json", "jsonl")
	_ = c.MarkFlagDirname("scan")
}

// read reads the reports and scans the targets. The problems are those of the
// scans: what they could not read may hold a key that the audit then misses.
func (l *leakSources) read(ctx context.Context, env Env) (leaks []audit.Leak, problems []finding.Problem, err error) {
	take := func(from string, r *keptReport) {
		for _, f := range r.findings {
			leaks = append(leaks, audit.Leak{Finding: f, From: from})
		}
		if n := incompletes(r.problems); n > 0 || !r.summary.Complete {
			problems = append(problems, finding.Problem{Path: from, Error: "the scan was not complete",
				Hint: "a key that is only in what it could not read is not reported as leaked"})
		}
	}
	for _, name := range l.reports {
		r, err := readBack("--scan-report", name)
		if err != nil {
			return nil, nil, err
		}
		take(name, r)
	}
	if len(l.targets) == 0 {
		return leaks, problems, nil
	}
	scan := plainScan()
	settings, err := scan.config.load(l.targets)
	if err != nil {
		return nil, nil, err
	}
	sources, targets, err := scan.sources(env, settings, l.targets)
	if err != nil {
		return nil, nil, err
	}
	r := &keptReport{}
	run := finding.Run{Tool: tool(), Command: "scan", Targets: targets, Started: time.Now().UTC()}
	// The inventory settles what is a key, so that weak matches count, too.
	found, err := scanner.Scan(ctx, run, sources, scanner.Options{MinConfidence: finding.LowConfidence})
	if err != nil {
		return nil, nil, failed(err)
	}
	if err := finding.Emit(found, r); err != nil {
		return nil, nil, err
	}
	take("the scan of "+strings.Join(targets, ", "), r)
	return leaks, problems, nil
}

// plainScan is a scan without flags of its own.
func plainScan() *scanOptions {
	o, c := &scanOptions{}, &cobra.Command{}
	o.config.register(c)
	o.history.register(c)
	o.archives.register(c)
	o.ocr.register(c)
	o.cache.register(c)
	o.history.cache = &o.cache
	return o
}

func incompletes(problems []finding.Problem) (n int) {
	for _, p := range problems {
		if !p.Warning {
			n++
		}
	}
	return n
}

// A keptReport is a report that was read back, or a run that was kept.
type keptReport struct {
	run      finding.Run
	findings []finding.Finding
	problems []finding.Problem
	summary  finding.Summary
}

// Start is of finding.Handler, as are the others.
func (k *keptReport) Start(r finding.Run) error { k.run = r; return nil }

// Finding keeps a finding.
func (k *keptReport) Finding(f finding.Finding) error {
	k.findings = append(k.findings, f)
	return nil
}

// Problem keeps a problem.
func (k *keptReport) Problem(p finding.Problem) error {
	k.problems = append(k.problems, p)
	return nil
}

// Finish keeps the summary.
func (k *keptReport) Finish(s finding.Summary) error { k.summary = s; return nil }

// readBack reads a saved report back; an empty name gives an empty one.
func readBack(flag, name string) (*keptReport, error) {
	k := &keptReport{}
	if name == "" {
		return k, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("make one with -f json=FILE", "%s: %w", flag, err)
	}
	defer f.Close()
	if err := report.Replay(bufio.NewReader(f), k); err != nil {
		return nil, usage("make one with -f json=FILE", "%s %s: %w", flag, name, err)
	}
	return k, nil
}
