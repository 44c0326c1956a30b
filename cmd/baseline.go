package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
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
to a file, with a reason. "scan --baseline FILE" then accepts them: in every place,
until the day in --until if there is one, and never while a key is verified to work.

The file holds no secret and can be committed. Run again, it adds what is new and
keeps the words of what was there; --prune drops what is not found any more.`,
		Example: `  b10lint baseline --reason 'found when the scan was introduced' --until 2027-03-31
  b10lint baseline --prune
  b10lint baseline --from report.json --output known.json
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
	entry, err := o.entry(time.Now())
	if err != nil {
		return err
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
		found, err = readReport(env, "", o.from)
	} else {
		found, err = o.look(c, env, targets)
	}
	if err != nil {
		return err
	}
	accept := slices.DeleteFunc(found.Standing(), func(f finding.Finding) bool { return strings.HasPrefix(f.Rule, "suppression-") })
	u := b.Merge(accept, entry, o.prune && found.Summary.Complete)
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

// look scans the targets. What the settings accept does not come into the baseline.
func (o *baselineOptions) look(c *cobra.Command, env Env, args []string) (r finding.Report, err error) {
	o.scan.config.noBaseline = true
	targets, args, err := o.scan.targets(env, args)
	if err != nil {
		return r, err
	}
	run := finding.Run{Tool: tool(), Command: "baseline", Targets: args, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	r, found, err := o.scan.read(c.Context(), run, targets, &scanner.Progress{}, nil)
	if err != nil {
		return r, failed(err)
	}
	settle(&r, targets, found, func(*scanTarget) bool { return false })
	return r, nil
}

func (o *baselineOptions) entry(now time.Time) (config.BaselineEntry, error) {
	day := now.Format(time.DateOnly)
	e := config.BaselineEntry{Reason: strings.TrimSpace(o.reason), Owner: o.owner, Until: o.until, Added: day}
	if e.Reason == "" {
		e.Reason = "was there on " + day
	}
	if o.until == "" {
		return e, nil
	}
	if _, err := time.Parse(time.DateOnly, o.until); err != nil {
		return e, usage("write the last day as 2027-03-31", "--until %q is no day", o.until)
	}
	return e, nil
}
