package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
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
	take := func(from string, r finding.Report) {
		for _, f := range r.Standing() {
			leaks = append(leaks, audit.Leak{Finding: f, From: from})
		}
		if !finding.Complete(r.Problems) || !r.Summary.Complete {
			problems = append(problems, finding.Problem{Path: from, Error: "the scan was not complete",
				Hint: "a key that is only in what it could not read is not reported as leaked"})
		}
	}
	for _, name := range l.reports {
		r, err := readReport(env, "--scan-report", name)
		if err != nil {
			return nil, nil, err
		}
		take(name, r)
	}
	if len(l.targets) == 0 {
		return leaks, problems, nil
	}
	scan := defaultScan()
	targets, args, err := scan.targets(env, l.targets)
	if err != nil {
		return nil, nil, err
	}
	run := finding.Run{Tool: tool(), Command: "scan", Targets: args, Started: time.Now().UTC()}
	// The inventory settles what is a key, so that weak matches count, and accepted ones.
	r, _, err := scan.read(ctx, run, targets, &scanner.Progress{}, nil)
	if err != nil {
		return nil, nil, failed(err)
	}
	take("the scan of "+strings.Join(args, ", "), r)
	return leaks, problems, nil
}
