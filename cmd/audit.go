package cmd

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/report"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	api       api
	outputs   outputs
	failOn    level[finding.Severity, *finding.Severity]
	failOnNew bool
	baseline  string
	leaks     leakSources
	policy    policyFlags
}

func newAudit(env Env, ui *UI) *cobra.Command {
	o := &auditOptions{}
	o.failOn.value = finding.Medium
	c := &cobra.Command{
		Use:   "audit",
		Short: "Judge the organisation's keys: stale, unused, too powerful, orphaned, leaked",
		Long: `Audit reads the list of keys and what else Baseten tells of them: members, the
audit log, the usage of Model APIs, the gateway's groups. It changes nothing.

Each key is judged by the evidence that there is, and the report says what it
rests on: "never used" is said where Baseten says so, "no evidence of use since"
where it does not. A source that the credential may not read narrows the audit
and is reported; a personal key of an organisation admin may read them all.

With --scan-report or --scan the keys are joined, by prefix, with those that
scans found. With --baseline findings are new, unchanged or resolved. Thresholds,
severities and exceptions stand in .b10lint.yaml, below "audit"; a flag outweighs it.`,
		Example: `  b10lint audit
  b10lint audit -f text -f html=audit.html -f json=audit.json
  b10lint audit --scan-report scan.json --unused 30d
  b10lint audit --scan . --fail-on high
  b10lint audit --baseline last.json --fail-on-new -f json=audit.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runAudit(c, env, ui, o) },
	}
	o.outputs.register(c)
	f := c.Flags()
	f.Var(&o.failOn, "fail-on", "exit with 1 for findings at or above this severity")
	f.StringVar(&o.baseline, "baseline", "", "compare with the JSON report in `FILE`: what is new, unchanged, resolved")
	f.BoolVar(&o.failOnNew, "fail-on-new", false, "with --baseline: only new findings decide the exit status")
	_ = c.MarkFlagFilename("baseline", "json", "jsonl")
	o.leaks.register(c)
	o.policy.register(c)
	o.api.register(c)
	return c
}

func runAudit(c *cobra.Command, env Env, ui *UI, o *auditOptions) error {
	ctx, started := c.Context(), time.Now().UTC()
	if err := o.outputs.check(); err != nil {
		return err
	}
	if o.failOnNew && o.baseline == "" {
		return usage("give the earlier report with --baseline FILE", "--fail-on-new needs an earlier report")
	}
	policy, err := o.policy.policy(c)
	if err != nil {
		return err
	}
	var earlier finding.Report
	if o.baseline != "" {
		if earlier, err = readReport(env, "--baseline", o.baseline); err != nil {
			return err
		}
	}
	account, err := o.api.open(env)
	if err != nil {
		return err
	}
	leaks, problems, err := o.leaks.read(ctx, env)
	if err != nil {
		return err
	}
	inventory, err := baseten.Gather(ctx, account.client, audit.Sources()...)
	interrupted := ctx.Err() != nil
	if err != nil && !interrupted {
		return failed(err, "nothing was changed; run again when Baseten answers")
	}
	res := audit.Judge(inventory, leaks, audit.LastUses(earlier.Run.Started, earlier.Summary.Inventory), policy)
	if interrupted {
		res.Problems = append(problems, finding.Problem{Error: "the audit was interrupted while Baseten was asked", Hint: "run it again to the end"})
		res.Findings = nil // half of the evidence accuses the wrong keys
	} else {
		res.Problems = append(problems, res.Problems...)
	}
	s := finding.Summary{Keys: len(res.Inventory), Findings: len(res.Findings), Suppressed: res.Suppressed, Interrupted: interrupted,
		Inventory: res.Inventory, Sources: res.Sources, Complete: !interrupted && finding.Complete(res.Problems)}
	if o.baseline != "" && !interrupted {
		s.Resolved = audit.Compare(res.Findings, earlier.Standing())
	}
	s.Elapsed = time.Since(started)
	run := finding.Run{Tool: tool(), Command: "audit", Targets: []string{}, Started: started, Rules: Catalogue()}
	r := finding.Report{Run: run, Findings: res.Findings, Problems: res.Problems, Summary: s}
	w, err := o.outputs.open(ui)
	if err != nil {
		return err
	}
	if err := w.write(r, report.Options{}, nil); err != nil {
		return err
	}
	if o.failOnNew {
		r.Findings = slices.DeleteFunc(r.Findings, func(f finding.Finding) bool { return f.Baseline != audit.New })
	}
	atOrAbove := func(f finding.Finding) bool { return f.Severity >= o.failOn.value }
	return silent(status(r, slices.ContainsFunc(r.Standing(), atOrAbove)))
}
