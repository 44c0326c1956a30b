package cmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	outputs       outputs
	failOn        level[finding.Severity, *finding.Severity]
	minConfidence level[finding.Confidence, *finding.Confidence]
	exclude       []string
	include       []string
	jobs          int
	config        configOptions
	cache         cacheFolder
	verify        verifyFlags
}

func newScan(env Env, ui *UI) *cobra.Command {
	o := &scanOptions{}
	o.failOn.value, o.minConfidence.value = finding.Medium, finding.MediumConfidence
	c := &cobra.Command{
		Use:   "scan [TARGET...]",
		Short: "Find keys in files, folders and standard input",
		Long: `Scan reads every byte of the targets and reports each distinct key once, with
every place where it was seen. A target is a file, a folder, or "-" for standard
input; without one it is the current folder.

With --verify each key is looked up in Baseten's list of keys by its prefix, so
that a finding says whether the key still works, whose it is and what it may do.
No found key is sent for that. --verify=probe sends each found key itself to
Baseten, where it is read only, and needs no API key; see docs/verify.md.

What could not be read is reported too, and makes the run incomplete: nothing is
called clean that was not looked at.`,
		Example: `  b10lint scan
  b10lint scan src notebooks/run.ipynb
  b10lint scan -f text -f sarif=out.sarif --fail-on high .
  b10lint scan --verify
  b10lint scan --verify=both --api-key-file key.txt .
  kubectl get secrets -A -o yaml | b10lint scan -
  b10lint scan --exclude 'vendor/**' --exclude '*.min.js' .`,
		RunE: func(c *cobra.Command, targets []string) error { return runScan(c, env, ui, o, targets) },
	}
	o.outputs.register(c)
	o.config.register(c)
	f := c.Flags()
	f.Var(&o.failOn, "fail-on", "exit with 1 for findings at or above this severity")
	f.Var(&o.minConfidence, "min-confidence", "list findings at or above this confidence; the rest are counted")
	f.StringArrayVar(&o.exclude, "exclude", nil, "leave out paths that match this glob (** crosses folders); repeatable")
	f.StringArrayVar(&o.include, "include", nil, "look only at files that match this glob; repeatable")
	f.IntVar(&o.jobs, "jobs", 0, "read with this many threads (default: one a processor)")
	o.cache.register(c)
	o.verify.cache = &o.cache
	o.verify.register(c)
	return c
}

func runScan(c *cobra.Command, env Env, ui *UI, o *scanOptions, targets []string) error {
	if o.jobs < 0 {
		return usage("leave it out for one thread a processor", "--jobs %d: must not be negative", o.jobs)
	}
	if err := o.outputs.check(); err != nil {
		return err
	}
	if len(targets) == 0 {
		targets = []string{"."}
	}
	settings, err := o.config.load(targets)
	if err != nil {
		return err
	}
	o.adopt(c, settings)
	sources, err := o.sources(env, settings, targets)
	if err != nil {
		return err
	}
	verifier, err := o.verify.verifier(env, targets)
	if err != nil {
		return err
	}
	h, finish, err := o.outputs.open(ui, report.Options{})
	if err != nil {
		return err
	}
	worst := &worstSeverity{Handler: h}
	progress := &scanner.Progress{}
	stop := ui.progress(progress, o.outputs.quiet)
	run := finding.Run{Tool: tool(), Command: "scan", Targets: targets, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	summary, err := scanner.Scan(c.Context(), run, sources, progressEnd{worst, stop}, scanner.Options{
		MinConfidence: o.minConfidence.value,
		Suppressor:    settings.suppressor(o.unbounded() && settings.everything(targets)),
		Progress:      progress,
		Verifier:      verifier,
	})
	if err = finish(err); err != nil {
		return failed(err)
	}
	if code := status(summary, worst.severity, o.failOn.value); code != ExitClean {
		return silent(code)
	}
	return nil
}

// adopt takes what the settings say where the command line is silent.
func (o *scanOptions) adopt(c *cobra.Command, s *settings) {
	if s.FailOn != nil && !c.Flags().Changed("fail-on") {
		o.failOn.value = *s.FailOn
	}
	if s.MinConfidence != nil && !c.Flags().Changed("min-confidence") {
		o.minConfidence.value = *s.MinConfidence
	}
}

// unbounded reports whether the flags leave nothing of the targets out.
func (o *scanOptions) unbounded() bool { return len(o.exclude)+len(o.include) == 0 }

// sources turns the targets into sources, standard input at most once.
func (o *scanOptions) sources(env Env, s *settings, targets []string) ([]source.Source, error) {
	filter, err := source.NewFilter(o.exclude, o.include)
	if err != nil {
		return nil, usage("globs are as in the shell, and ** crosses folders: 'vendor/**'", "%w", err)
	}
	var sources []source.Source
	stdin := false
	for _, t := range targets {
		switch {
		case t == "":
			return nil, usage("name a file or folder, or - for standard input", "a target is empty")
		case t != "-":
			f, err := s.filter(filter, t)
			if err != nil {
				return nil, err
			}
			sources = append(sources, source.Dir(t, source.DirOptions{Jobs: o.jobs, Filter: f, SkipGit: true}))
		case stdin:
			return nil, usage("standard input can be read once", "the target - is given twice")
		default:
			stdin = true
			sources = append(sources, source.Reader(env.Stdin, finding.Location{Path: "<stdin>"}))
		}
	}
	return sources, nil
}

// worstSeverity remembers the worst finding that was reported and not accepted.
type worstSeverity struct {
	finding.Handler
	severity finding.Severity
}

func (w *worstSeverity) Finding(f finding.Finding) error {
	if f.Suppression == nil {
		w.severity = max(w.severity, f.Severity)
	}
	return w.Handler.Finding(f)
}

// progressEnd takes the progress line away before the first word of the report.
type progressEnd struct {
	finding.Handler
	stop func()
}

func (p progressEnd) Start(r finding.Run) error { return p.Handler.Start(r) }

func (p progressEnd) Finding(f finding.Finding) error {
	p.stop()
	return p.Handler.Finding(f)
}

func (p progressEnd) Problem(x finding.Problem) error {
	p.stop()
	return p.Handler.Problem(x)
}

func (p progressEnd) Finish(s finding.Summary) error {
	p.stop()
	return p.Handler.Finish(s)
}
