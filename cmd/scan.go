package cmd

import (
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	outputs       outputs
	failOn        level[finding.Severity, *finding.Severity]
	minConfidence level[finding.Confidence, *finding.Confidence]
	onProblem     choice
	failOnNew     bool
	exclude       []string
	include       []string
	jobs          int
	config        configOptions
	cache         cacheFolder
	verify        verifyFlags
	revoke        scanRevoke
	history       historyOptions
	places        placesFlags
	unpack        unpackOptions
	remote        remoteOptions
}

// defaultScan is a scan without flags.
func defaultScan() *scanOptions {
	o := &scanOptions{}
	o.onProblem = choice{"fail", []string{"warn", "fail"}}
	o.failOn.value, o.minConfidence.value = finding.Medium, finding.MediumConfidence
	o.unpack.limits = archive.DefaultLimits()
	return o
}

func newScan(env Env, ui *UI) *cobra.Command {
	o := defaultScan()
	c := &cobra.Command{
		Use:   "scan [TARGET...]",
		Short: "Find keys in files, folders and standard input",
		Long: `Scan reads every byte of the targets and reports each distinct key once, with every
location. A target is a file, a folder, "-" for standard input, or the URL of a git
repository, which is scanned without a clone (docs/remote.md); the default is the
current folder. In a git repository the whole history is scanned as well as the files:
every blob, commit and tag on every branch, in stashes and notes, and what no branch
refers to any more.

With --verify each key is looked up in Baseten's list of keys by its prefix, and no
found key is sent; --verify=probe sends each found key itself to Baseten and needs no
API key (docs/verify.md). --revoke revokes the leaked keys that work and are ours,
after a plan and a question, and proves each first by sending it to Baseten
(docs/incident.md). --home scans the places on this workstation where keys are kept,
and checks how they are kept; --truss scans what truss push would upload.

What could not be read is reported and makes the run incomplete, exit status 3.`,
		Example: `  b10lint scan
  b10lint scan src notebooks/run.ipynb
  b10lint scan --exclude 'vendor/**' --exclude '*.min.js' .
  b10lint scan -f text -f sarif=out.sarif --fail-on high .
  b10lint scan --staged              # what the next commit would bring
  b10lint scan --range origin/main..HEAD
  b10lint scan https://github.com/acme/app
  b10lint scan --verify
  b10lint scan --verify=both --api-key-file key.txt .
  b10lint scan --revoke --receipt receipt.md .
  b10lint scan --home
  b10lint scan --truss my-model && truss push my-model
  kubectl get secrets -A -o yaml | b10lint scan -`,
		RunE: func(c *cobra.Command, targets []string) error { return runScan(c, env, ui, o, targets) },
	}
	o.outputs.register(c)
	c.Flags().StringVar(&o.outputs.hook, "hook", "", "word the report for one whom a hook stopped; the `STOP` is commit, push or check")
	_ = c.Flags().MarkHidden("hook")
	o.config.register(c)
	o.history.register(c)
	o.unpack.register(c)
	o.remote.register(c)
	f := c.Flags()
	f.Var(&o.failOn, "fail-on", "exit with 1 for findings at or above this severity")
	f.BoolVar(&o.failOnNew, "fail-on-new", false, "with --baseline: list what it knows too, and fail only for what is new")
	o.onProblem.register(c, "on-problem", "", "whether what could not be read fails the run (default fail; in hooks warn)")
	f.Var(&o.minConfidence, "min-confidence", "list findings at or above this confidence and count the rest")
	f.StringArrayVar(&o.exclude, "exclude", nil, "skip paths that match this `GLOB`, where ** crosses folders; repeatable")
	f.StringArrayVar(&o.include, "include", nil, "scan only files that match this `GLOB`; repeatable")
	o.places.register(c)
	f.IntVar(&o.jobs, "jobs", 0, "read with `N` threads (default: one a processor)")
	o.cache.register(c)
	o.verify.register(c)
	o.revoke.register(c)
	return c
}

// mostJobs is how many threads may be asked for: each holds a window of a file, and more
// than a small multiple of the processors only takes memory.
func mostJobs() int { return max(64, 8*runtime.NumCPU()) }

func runScan(c *cobra.Command, env Env, ui *UI, o *scanOptions, args []string) error {
	if o.jobs < 0 {
		return usage("leave it out for one thread a processor", "--jobs %d: must not be negative", o.jobs)
	}
	if most := mostJobs(); o.jobs > most {
		return usage("leave it out for one thread a processor", "--jobs %d: at most %d on this machine", o.jobs, most)
	}
	if err := o.outputs.check(); err != nil {
		return err
	}
	o.places.isHome, o.places.isTruss = c.Flags().Changed("home"), c.Flags().Changed("truss")
	if err := o.places.check(env, args, o.revoke.on); err != nil {
		return err
	}
	if o.places.list {
		return o.places.print(env, ui, o.outputs.list)
	}
	if err := o.unpack.prepare(env); err != nil {
		return err
	}
	fixed, err := o.places.fixModes(c.Context(), env, ui)
	if err != nil {
		return err
	}
	targets, args, err := o.targets(env, args)
	if err != nil {
		return err
	}
	if o.failOnNew && !slices.ContainsFunc(targets, func(t *scanTarget) bool { return t.settings.baseline != nil || t.settings.earlier != nil }) {
		return usage("name what is known with --baseline FILE: a baseline or an earlier JSON report", "--fail-on-new has nothing to compare with")
	}
	mode := o.verify.mode.value
	if o.revoke.on {
		o.revoke.flags.yes = o.places.yes
	}
	mode, err = o.revoke.mode(mode)
	if err != nil {
		return err
	}
	if err := o.revoke.check(env, slices.Contains(args, "-") || o.verify.api.keyStdin); err != nil {
		return err
	}
	verifier, err := o.verify.verifier(env, mode, args, o.cache.dir)
	if err != nil {
		return err
	}
	if slices.Contains(args, "-") && isTerminal(env.Stdin) {
		ui.info("reading standard input; Ctrl-D ends it")
	}
	reports, err := o.outputs.open(ui)
	if err != nil {
		return err
	}
	defer reports.abandon()
	var revocation *revocation // it asks Baseten nothing yet
	if o.revoke.on {
		if revocation, err = newRevocation(env, ui, &o.revoke.flags, &o.verify.api); err != nil {
			return err
		}
	}
	progress := &scanner.Progress{}
	stop := ui.progress(progress, o.outputs.quiet)
	run := finding.Run{Tool: tool(), Command: "scan", Targets: args, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	inspect := func(trussrcs []string) ([]finding.Finding, []finding.Problem) {
		findings, problems := o.places.inspect(env, trussrcs)
		return findings, append(problems, fixed...)
	}
	r, found, scanErr := o.read(c.Context(), run, targets, progress, inspect)
	if verifier != nil && !r.Summary.Interrupted {
		revocation.look(c.Context(), r)
		found.Verify(c.Context(), &r, verifier)
	}
	settle(&r, targets, found, o.failOnNew, func(t *scanTarget) bool {
		return o.unbounded() && t.settings.everything(t.args) && (len(targets) == 1 || !o.config.shared())
	})
	stop()
	revoked := o.revoke.finish(c.Context(), env, revocation, &r, found)
	if err := reports.write(r, layout(targets), scanErr); err != nil {
		return err
	}
	if revoked != nil {
		return revoked // a key that should be dead and is not outranks findings
	}
	code := status(r, failing(r, targets, o.failOnNew))
	if code == ExitIncomplete && scanErr == nil && o.forgiven(r, targets) {
		code = ExitClean
		if o.outputs.hook != "" { // which shows no report of a clean run
			for _, p := range r.Problems {
				if !p.Warning {
					ui.warn(report.ProblemText(p)+"; the "+o.outputs.hook+" continues", p.Hint,
						"in .b10lint.yaml, exclude: is for what need not be read, on-problem: fail stops at it")
				}
			}
		}
	}
	return silent(code)
}

// forgiven reports whether the targets only warn of all that kept a run from being
// complete. A hook that was not asked to warn does so of single objects and members; that
// it could not read a repository stops it.
func (o *scanOptions) forgiven(r finding.Report, targets []*scanTarget) bool {
	for _, p := range r.Problems {
		single := o.outputs.hook != "" && (p.Object != "" || p.Member != "" || p.Repository != "")
		for _, t := range targets {
			if !p.Warning && (p.Target == "" || p.Target == t.Name) && t.onProblem != "warn" && !(single && t.onProblem == "") {
				return false
			}
		}
	}
	return true
}

// unbounded reports whether the flags leave nothing of the targets out.
func (o *scanOptions) unbounded() bool {
	h := &o.history
	return len(o.exclude)+len(o.include) == 0 && !h.scoped() && !h.noHistory && !h.historyOnly && h.commitMessage == "" && !o.places.isTruss
}

// comments says where comments that accept nothing are looked for: in what belongs
// to a repository, and where they are obeyed.
func (o *scanOptions) comments(s *settings) scanner.Comments {
	h := &o.history
	switch {
	case !s.Inline || !s.repository || s.remote != "" || o.places.isTruss || h.commitMessage != "":
		return scanner.NoComments
	case h.staged:
		return scanner.CommentsInIndex
	case h.scoped() || h.historyOnly:
		return scanner.NoComments
	}
	return scanner.CommentsInFiles
}
