package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/scanner"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	api       api
	outputs   outputs
	failOn    level[finding.Severity, *finding.Severity]
	failOnNew bool
	leaks     leakSources
	policy    policyFlags
}

func newAudit(env Env, ui *UI) *cobra.Command {
	o := &auditOptions{}
	o.failOn.value = finding.Medium
	c := &cobra.Command{
		Use:   "audit",
		Short: "Judge the organisation's keys: stale, unused, too powerful, orphaned, leaked",
		Long: `Audit reads the list of keys and what else Baseten records about them: members, the
audit log, the usage of Model APIs, the gateway's groups. It changes nothing.

Each key is judged by the available evidence, which the report names: "never used" is
what Baseten reports, "no evidence of use since" is said where it reports nothing. A source that the credential may not read narrows the audit
and is reported; a personal key of an organisation admin may read them all.

With --scan-report or --scan the keys are joined, by prefix, with those that
scans found. --baseline takes what b10lint baseline wrote, whose findings are accepted,
or an earlier JSON report, against which findings are new, unchanged or resolved.
.b10lint.yaml has thresholds, severities and exceptions below "audit"; flags override it.`,
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
	f.StringVar(&o.policy.config.baseline, "baseline", "", "accept the findings in `FILE`, written by b10lint baseline; compare with a JSON report")
	f.BoolVar(&o.failOnNew, "fail-on-new", false, "with --baseline: list what it knows too, and fail only for what is new")
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
	policy, settings, err := o.policy.policy(c)
	if err != nil {
		return err
	}
	if o.failOnNew && settings.baseline == nil && settings.earlier == nil {
		return usage("name what is known with --baseline FILE: a baseline or an earlier JSON report", "--fail-on-new has nothing to compare with")
	}
	earlier := cmp.Or(settings.earlier, &finding.Report{})
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
	s := finding.Summary{Keys: len(res.Inventory), Interrupted: interrupted,
		Inventory: res.Inventory, Sources: res.Sources, Complete: !interrupted && finding.Complete(res.Problems)}
	suppressor := config.NewSuppressor(config.SuppressOptions{Config: &config.Config{Rules: settings.Rules}, Baseline: settings.baseline, Today: started,
		Unused: s.Complete, Reports: reportedByAudit,
		Path: func(at finding.Location) string { return at.Path }})
	for i := range res.Findings {
		f := res.Findings[i]
		if f.Rule != audit.Leaked { // every listed key works; only of one that leaked that means no decision holds
			f.Liveness = nil
		}
		decide(&res.Findings[i], suppressor.Suppress(f), o.failOnNew)
		if r := settings.Rules[f.Rule]; r.Severity != nil && f.Rule != audit.Leaked {
			res.Findings[i].Severity = *r.Severity
		}
	}
	if n := len(suppressor.Leftover(nil)); n > 0 {
		res.Problems = append(res.Problems, finding.Problem{Path: settings.baseline.File, Warning: true,
			Error: fmt.Sprintf("%d %s expired, or accepted nothing that is there", n, english.Plural(n, "entry", "entries")),
			Hint:  "b10lint baseline --from AUDIT.json --prune drops what is not found any more"})
	}
	if settings.earlier != nil && !interrupted {
		s.Resolved = audit.Compare(res.Findings, earlier.Standing())
	}
	s.Elapsed = time.Since(started)
	run := finding.Run{Tool: tool(), Command: "audit", Targets: []string{}, Started: started, Rules: Catalogue(),
		Account: &finding.Account{Endpoint: account.options.Endpoints.Management.String(), Credential: account.name()}}
	if me, err := account.client.Me(ctx); err == nil { // the report does without
		run.Account.Workspace, run.Account.User = me.WorkspaceName, cmp.Or(me.Email, me.Name)
	}
	r := finding.Report{Run: run, Findings: res.Findings, Problems: res.Problems, Summary: s}
	r.Count()
	r.Summary.Suppressed += res.Suppressed // by exceptions
	w, err := o.outputs.open(ui)
	if err != nil {
		return err
	}
	if err := w.write(r, report.Options{}, nil); err != nil {
		return err
	}
	if o.failOnNew {
		r.Findings = slices.DeleteFunc(r.Findings, func(f finding.Finding) bool { return f.Baseline == audit.Unchanged })
	}
	atOrAbove := func(f finding.Finding) bool { return f.Severity >= o.failOn.value }
	return silent(status(r, slices.ContainsFunc(r.Standing(), atOrAbove)))
}

// policyFlags are the thresholds that the command line sets.
type policyFlags struct {
	unused, neverUsed, old, dormant, recent duration
	fewModels                               int
	off                                     []string
	config                                  configOptions
}

func (p *policyFlags) register(c *cobra.Command) {
	d := audit.DefaultPolicy()
	f := c.Flags()
	for _, t := range []struct {
		flag        *duration
		value       time.Duration
		name, usage string
	}{
		{&p.unused, d.UnusedAfter, "unused", "report keys without use for so long"},
		{&p.neverUsed, d.NeverUsedAfter, "never-used", "report keys that were never used and are so old"},
		{&p.old, d.OldAfter, "old", "report keys that are so old"},
		{&p.dormant, d.DormantFor, "dormant", "report keys that were silent for so long and are in use again"},
		{&p.recent, d.RecentWithin, "recent", "what counts as in use again"},
	} {
		_ = t.flag.Set(fmt.Sprintf("%dd", t.value/audit.Day))
		f.Var(t.flag, t.name, t.usage)
	}
	f.StringVar(&p.config.file, "config", "", "read the settings from this `FILE`, not from "+config.Name+" at the repository's root")
	f.BoolVar(&p.config.none, "no-config", false, "read no settings of the repository")
	c.MarkFlagsMutuallyExclusive("config", "no-config")
	f.IntVar(&p.fewModels, "few-models", d.FewModels, "report keys for every model that call at most so many")
	f.StringArrayVar(&p.off, "without", nil, "turn off this `RULE`; repeatable")
	var ids []string
	for _, r := range audit.Rules() {
		ids = append(ids, r.ID)
	}
	_ = c.RegisterFlagCompletionFunc("without", cobra.FixedCompletions(ids, cobra.ShellCompDirectiveNoFileComp))
}

// policy is that of the settings, with what the command line says in its place, and the
// settings themselves.
func (p *policyFlags) policy(c *cobra.Command) (audit.Policy, *settings, error) {
	root, repository, err := config.Root(".")
	if err != nil {
		return audit.Policy{}, nil, failed(err)
	}
	s, err := p.config.load(root, repository)
	if err != nil {
		return audit.Policy{}, nil, err
	}
	policy := audit.Policy{NeverUsedAfter: p.neverUsed.value, RecentWithin: p.recent.value, FewModels: p.fewModels,
		Off: append(slices.Clone(s.Audit.Off), p.off...), Severity: s.Audit.Severities, Exceptions: s.Audit.Exceptions}
	var ids []string
	for _, r := range audit.Rules() {
		ids = append(ids, r.ID)
	}
	for _, id := range p.off {
		if !slices.Contains(ids, id) {
			return policy, nil, unknownRule(id, ids)
		}
	}
	for _, t := range []struct {
		to       *time.Duration
		name     string
		flag     *duration
		settings time.Duration
	}{
		{&policy.UnusedAfter, "unused", &p.unused, s.Audit.UnusedAfter}, {&policy.OldAfter, "old", &p.old, s.Audit.OldAfter},
		{&policy.DormantFor, "dormant", &p.dormant, s.Audit.DormantAfter},
	} {
		*t.to = t.flag.value
		if t.settings > 0 && !c.Flags().Changed(t.name) {
			*t.to = t.settings
		}
	}
	if err := policy.Validate(); err != nil {
		return policy, nil, usage("thresholds look like 60d, rules are listed by: b10lint rules", "%w", err)
	}
	return policy, s, nil
}

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
