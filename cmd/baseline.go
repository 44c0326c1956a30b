package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
)

// baselineName is where a baseline lies unless told otherwise.
const baselineName = ".b10lint-baseline.json"

type baselineOptions struct {
	output, from         string
	reason, owner, until string
	prune                bool
	scan                 *scanOptions
}

func newBaseline(env Env, ui *UI) *cobra.Command {
	o := &baselineOptions{scan: defaultScan()}
	c := &cobra.Command{
		Use:   "baseline [TARGET...]",
		Short: "Accept what is there now, so that scans report what is new",
		Long: `Baseline scans the targets as scan does and writes the fingerprint of every finding
to a file, with a reason. "scan --baseline FILE" then accepts them: in every location,
until the day in --until if there is one, and never while a key is verified to work.
"audit --baseline FILE" takes the same file: --from adds the findings of an audit.

The file holds no secret and can be committed. Run again, it adds what is new and
keeps the words of what was there; --prune drops what is not found any more.`,
		Example: `  b10lint baseline --reason 'found when the scan was introduced' --until 2027-03-31
  b10lint baseline --prune
  b10lint baseline --from report.json --output known.json
  b10lint baseline --from audit.json   # the report of an audit
  b10lint scan --baseline .b10lint-baseline.json`,
		RunE: func(c *cobra.Command, targets []string) error { return o.run(c, env, ui, targets) },
	}
	o.scan.config.register(c)
	o.scan.cache.register(c)
	_ = c.Flags().MarkHidden("baseline")
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", baselineName, "write the baseline to this `FILE`")
	f.StringVar(&o.from, "from", "", "take the findings from this JSON `REPORT` and scan nothing")
	f.StringVar(&o.reason, "reason", "", "why the findings are accepted (default: that they were there today)")
	f.StringVar(&o.owner, "owner", "", "who answers for them")
	f.StringVar(&o.until, "until", "", "the last `DAY` on which they are accepted, such as 2027-03-31")
	f.BoolVar(&o.prune, "prune", false, "drop entries for which nothing was found")
	return c
}

func (o *baselineOptions) run(c *cobra.Command, env Env, ui *UI, targets []string) error {
	today := time.Now().Format(time.DateOnly)
	entry := config.BaselineEntry{Reason: cmp.Or(strings.TrimSpace(o.reason), "was there on "+today),
		Owner: o.owner, Until: o.until, Added: today}
	if _, err := time.Parse(time.DateOnly, o.until); err != nil && o.until != "" {
		return usage("write the last day as 2027-03-31", "--until %q is not a day", o.until)
	}
	if o.from != "" && len(targets) > 0 {
		return usage("give one of the two", "the findings can be taken from a report or from targets, not both")
	}
	b, err := config.LoadBaseline(o.output)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = &config.Baseline{File: o.output}, nil
	}
	if err != nil {
		return misconfigured(err)
	}
	var found finding.Report
	if o.from != "" {
		if found, err = readReport(env, "", o.from); err != nil {
			return err
		}
	} else { // what the settings accept does not come into the baseline
		o.scan.config.noBaseline = true
		all, args, err := o.scan.targets(env, targets)
		if err != nil {
			return err
		}
		run := finding.Run{Tool: tool(), Command: "baseline", Targets: args, Started: time.Now().UTC(),
			Rules: rules.Catalogue()}
		r, keys, err := o.scan.read(c.Context(), run, all, &scanner.Progress{}, nil)
		if err != nil {
			return failed(err)
		}
		settle(&r, all, keys, false, func(*scanTarget) bool { return false })
		found = r
	}
	accept := slices.DeleteFunc(found.Standing(), func(f finding.Finding) bool { return strings.HasPrefix(f.Rule, "suppression-") })
	reports := reportedByScan
	if found.Run.Command == "audit" {
		reports = reportedByAudit
	}
	u := b.Merge(accept, entry, o.prune && found.Summary.Complete, reports)
	data, err := b.Encode()
	if err != nil {
		return failed(err)
	}
	if err := atomicfile.WriteFile(o.output, data, atomicfile.Mode{Perm: 0o644}); err != nil {
		return failed(err, "the baseline was not changed")
	}
	fmt.Fprintf(env.Stdout, "%s: %d added, %d kept, %d not found, %d dropped\n", o.output, u.Added, u.Kept, u.Gone, u.Dropped)
	for _, p := range found.Problems {
		ui.warn(strings.TrimPrefix(report.Visible(p.Path)+": "+report.Visible(p.Error), ": "), p.Hint)
	}
	switch {
	case found.Summary.Interrupted:
		return silent(ExitInterrupted)
	case !found.Summary.Complete && o.prune:
		return &exitError{code: ExitIncomplete, err: errors.New("not everything could be read, so nothing was dropped from the baseline")}
	case !found.Summary.Complete:
		return silent(ExitIncomplete)
	}
	return nil
}

// A baseline holds decisions about both kinds of runs; each ignores those of the other.

func reportedByAudit(rule string) bool {
	return slices.ContainsFunc(audit.Rules(), func(r finding.Rule) bool { return r.ID == rule })
}

func reportedByScan(rule string) bool { return !reportedByAudit(rule) }

// decide sets what a decision, nil for none, means for f: it is accepted, or, with onlyNew
// and a decision of a baseline, it is listed as unchanged.
func decide(f *finding.Finding, decision *finding.Suppression, onlyNew bool) {
	known := decision != nil && decision.Kind == config.FromBaseline
	switch {
	case onlyNew && known:
		f.Baseline = audit.Unchanged
	case onlyNew && decision == nil:
		f.Baseline = audit.New
	default:
		f.Suppression = decision
	}
}
