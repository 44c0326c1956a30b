package cmd

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
	gitsource "github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/remote"
)

// A scanTarget is what a scan treats as one: all that the command line names in one
// repository or folder, with the settings of its root.
type scanTarget struct {
	finding.Target
	settings *settings
	args     []string
	sources  []source.Target
	// repository is set for one that is fetched.
	repository *remote.Repository
	comments   []finding.Location // that accept nothing, once it was scanned
	// failOn and minConfidence are those of the settings, unless the command line has some.
	failOn        finding.Severity
	onProblem     string // "warn", "fail", or empty where neither says
	minConfidence finding.Confidence
}

// targets are the targets of the command line, and its words. Each has its own settings;
// standard input has those of the current folder. Flags override them.
func (o *scanOptions) targets(env Env, args []string) ([]*scanTarget, []string, error) {
	if o.places.isHome { // in no repository
		t := o.places.target(env)
		all := &scanTarget{Target: finding.Target{Name: t.Name, Kind: finding.HomeTarget},
			settings: &settings{Config: &config.Config{}}, args: []string{t.Name}, sources: []source.Target{t},
			failOn: o.failOn.value, minConfidence: o.minConfidence.value}
		return []*scanTarget{all}, all.args, nil
	}
	if err := o.checkRemote(args); err != nil {
		return nil, nil, err
	}
	if !o.places.isTruss {
		if err := o.history.check(args, o.cache.dir); err != nil {
			return nil, nil, err
		}
	}
	filter, err := source.NewFilter(o.exclude, o.include)
	if err != nil {
		return nil, nil, usage("globs are as in the shell, and ** crosses folders: 'vendor/**'", "%w", err)
	}
	switch {
	case o.places.isTruss:
		args = []string{o.places.truss}
	case o.history.commitMessage != "":
		args = []string{o.history.commitMessage}
	case len(args) == 0:
		args = []string{"."}
	}
	var all []*scanTarget
	shown := slices.Clone(args) // a URL without the password that may be in it
	named := map[string]bool{}
	for i, arg := range args {
		if arg == "" {
			return nil, nil, usage("name a file or folder, or - for standard input", "a target is empty")
		}
		if remote.IsAddress(arg) {
			t, err := o.remoteTarget(env, arg, filter)
			if err != nil {
				return nil, nil, err
			}
			if shown[i] = t.args[0]; !named[shown[i]] {
				named[shown[i]] = true
				all = append(all, t)
			}
			continue
		}
		clean := filepath.Clean(arg)
		if arg == "-" {
			clean = "" // ./- is a file
		}
		if named[clean] && arg == "-" {
			return nil, nil, usage("standard input can be read once", "the target - is given twice")
		}
		if named[clean] {
			continue
		}
		named[clean] = true
		if keyTyped(arg) {
			return nil, nil, usage("pass it on standard input: b10lint scan -; and if it is real, others may have seen it: revoke it",
				"an argument is a whole key, which the list of processes and the shell's history show")
		}
		if err := unknownKind(arg); err != nil {
			return nil, nil, err
		}
		t, err := o.in(&all, arg)
		if err != nil {
			return nil, nil, err
		}
		var s source.Source
		switch {
		case o.places.isTruss:
			s = o.places.target(env).Source
		case o.history.commitMessage != "":
			s = gitsource.CommitMessage(arg)
		case arg == "-":
			s = disk.Reader(env.Stdin, finding.Location{Path: "<stdin>"})
		default:
			own, err := t.settings.filter(filter, arg)
			if err != nil {
				return nil, nil, err
			}
			if s, err = o.history.target(env, arg, o.jobs, own, o.cache.dir); err != nil {
				return nil, nil, err
			}
		}
		s = o.unpack.wrap(s, o.jobs)
		t.args, t.sources = append(t.args, arg), append(t.sources, source.Target{Name: arg, Source: s})
	}
	distinguish(all)
	if o.places.isTruss {
		all[0].Kind = finding.TrussTarget
	}
	return all, shown, nil
}

// keyTyped reports whether an argument is a key and not the name of something.
func keyTyped(arg string) (key bool) {
	if _, err := os.Lstat(arg); err != nil {
		rules.FindUnweighed([]byte(arg), func(rules.Match) bool { key = true; return false })
	}
	return key
}

// distinguish names the targets, each differently.
func distinguish(all []*scanTarget) {
	same := map[string]int{}
	for _, t := range all {
		t.name()
		same[t.Name]++
	}
	for _, t := range all {
		switch {
		case same[t.Name] == 1:
		case t.settings.remote != "":
			t.Name += " (" + t.settings.remote + ")"
		default:
			t.Name += " (" + filepath.ToSlash(filepath.Clean(t.args[0])) + ")"
		}
	}
}

// in returns the target whose root arg lies in, and adds it to all if it is new.
func (o *scanOptions) in(all *[]*scanTarget, arg string) (*scanTarget, error) {
	at := arg
	if arg == "-" || o.history.commitMessage != "" {
		at = "."
	}
	root, repository, err := config.Root(at)
	if err != nil {
		return nil, failed(err)
	}
	for _, t := range *all {
		if t.settings.root == root {
			return t, nil
		}
	}
	t := &scanTarget{failOn: o.failOn.value, minConfidence: o.minConfidence.value}
	if t.settings, err = o.config.load(root, repository); err != nil {
		return nil, err
	}
	o.apply(t)
	*all = append(*all, t)
	return t, nil
}

// apply makes the settings of a target hold where the command line does not say otherwise.
func (o *scanOptions) apply(t *scanTarget) {
	set := o.history.set
	if s := t.settings; s.FailOn != nil && (set == nil || !set("fail-on")) {
		t.failOn = *s.FailOn
	}
	if s := t.settings; s.MinConfidence != nil && (set == nil || !set("min-confidence")) {
		t.minConfidence = *s.MinConfidence
	}
	switch {
	case set != nil && set("on-problem"):
		t.onProblem = o.onProblem.value
	case t.settings.OnProblem != "":
		t.onProblem = t.settings.OnProblem
	}
}

// name names a target: a repository by where it comes from, where it says so, and the
// rest by their folder.
func (t *scanTarget) name() {
	if t.settings.remote != "" {
		return
	}
	first := t.args[0]
	clean := filepath.Clean(first)
	if t.Name = filepath.ToSlash(clean); clean == "." || len(t.args) > 1 || t.settings.repository {
		t.Name = filepath.Base(t.settings.root)
	}
	info, err := os.Stat(clean)
	switch {
	case t.settings.repository && first != "-":
		t.Kind = finding.GitTarget
		if vcs := t.settings.vcs; vcs != nil {
			t.Revision = vcs.Revision
			if _, at, ok := strings.Cut(report.PublicURL(vcs.URI), "://"); ok {
				t.Name = strings.TrimSuffix(path.Clean(at), ".git")
			}
		}
	case first == "-":
		t.Kind, t.Name = finding.StreamTarget, "<stdin>"
	case gitdir.Is(clean):
		t.Kind = finding.GitTarget
	case err == nil && info.IsDir() || len(t.args) > 1:
		t.Kind = finding.FolderTarget
	default:
		t.Kind = finding.FileTarget
	}
}

// read scans one target after another and merges the reports; everything that was found
// is in it, and nothing is accepted. inspect reports what else there is to say of a
// target whose .trussrc files it is given; nil is nothing. The error is of a target that
// could not be scanned at all; those after it were not tried.
func (o *scanOptions) read(ctx context.Context, run finding.Run, all []*scanTarget, p *scanner.Progress,
	inspect func(trussrcs []string) ([]finding.Finding, []finding.Problem)) (finding.Report, *scanner.Found, error) {
	found := &scanner.Found{Keys: map[string]scanner.Key{}}
	var reports []finding.Report
	var failed error
	for _, t := range all {
		r := finding.Report{Summary: finding.Summary{Interrupted: ctx.Err() != nil}}
		if failed == nil && ctx.Err() == nil {
			var f *scanner.Found
			before := p.Hits.Load()
			r, f, failed = scanSources(ctx, t.sources, scanner.Options{Comments: o.comments(t.settings), Progress: p})
			t.comments = f.Comments
			addKeys(found, f)
			r.Problems = append(r.Problems, t.remember(r.Summary.Complete && failed == nil && p.Hits.Load() == before)...)
			if inspect != nil && !r.Summary.Interrupted {
				findings, problems := inspect(f.TrussFiles)
				r.Findings, r.Problems = append(r.Findings, findings...), append(r.Problems, problems...)
				scanner.SortProblems(r.Problems)
				r.Summary.Complete = r.Summary.Complete && finding.Complete(r.Problems)
			}
		}
		r.Run, r.Targets = run, []finding.Target{t.Target}
		reports = append(reports, r)
	}
	r := reports[0]
	if len(reports) > 1 {
		r = finding.Merge(reports...)
		r.Run = run
		rules.Derive(&r)
	}
	return r, found, failed
}

// addKeys adds the keys of one scan to those of others.
func addKeys(all, more *scanner.Found) {
	for id, k := range more.Keys {
		k.Matched = max(k.Matched, all.Keys[id].Matched)
		more.Keys[id] = k
	}
	maps.Copy(all.Keys, more.Keys)
}

// scanSources scans the sources of a target one after another and puts what they have
// together, in the order of the command line.
func scanSources(ctx context.Context, sources []source.Target, o scanner.Options) (finding.Report, *scanner.Found, error) {
	all := finding.Report{Summary: finding.Summary{Complete: true}}
	found := &scanner.Found{Keys: map[string]scanner.Key{}}
	var failed error
	number := map[string]int{} // of findings, by fingerprint
	for _, t := range sources {
		r, f, err := scanner.Scan(ctx, t, o)
		for _, x := range r.Findings {
			if i, known := number[x.Fingerprint]; known {
				all.Findings[i].Locations = append(all.Findings[i].Locations, x.Locations...)
				all.Findings[i].Confidence = max(all.Findings[i].Confidence, x.Confidence)
				continue
			}
			number[x.Fingerprint] = len(all.Findings)
			all.Findings = append(all.Findings, x)
		}
		all.Problems = append(all.Problems, r.Problems...)
		addKeys(found, f)
		found.Comments, found.TrussFiles = append(found.Comments, f.Comments...), append(found.TrussFiles, f.TrussFiles...)
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
	if len(sources) > 1 {
		rules.Derive(&all)
	}
	scanner.SortProblems(all.Problems)
	slices.Sort(found.TrussFiles)
	found.TrussFiles = slices.Compact(found.TrussFiles)
	return all, found, failed
}

// within calls fn with the targets that hold a location of f, all for one without, and
// with the part of f that is there.
func within(all []*scanTarget, f finding.Finding, fn func(*scanTarget, finding.Finding)) {
	if len(all) == 1 {
		fn(all[0], f)
		return
	}
	for _, t := range all {
		part := f
		part.Locations = slices.DeleteFunc(slices.Clone(f.Locations), func(l finding.Location) bool {
			return l.Target != "" && l.Target != t.Name
		})
		if len(part.Locations) > 0 || len(f.Locations) == 0 {
			fn(t, part)
		}
	}
}

// settle applies the settings of the targets to what was found and verified: it drops
// what is below the confidence that a target wants, marks what is accepted, and reports
// what is wrong with these decisions. A finding in several targets is dropped, or
// accepted, if each of them says so. With onlyNew what a baseline would accept is listed
// as unchanged. unused says whether a target was scanned so that an entry which accepts
// nothing can be reported.
func settle(r *finding.Report, all []*scanTarget, found *scanner.Found, onlyNew bool, unused func(*scanTarget) bool) {
	below := map[string]int{} // of each target
	r.Findings = slices.DeleteFunc(r.Findings, func(f finding.Finding) bool {
		drop := true
		within(all, f, func(t *scanTarget, _ finding.Finding) { drop = drop && found.Below(f, t.minConfidence) })
		if drop {
			within(all, f, func(t *scanTarget, _ finding.Finding) { below[t.Name]++ })
		}
		return drop
	})
	suppressors := map[*scanTarget]*config.Suppressor{}
	for _, t := range all {
		var last, path string // one file may hold many
		suppressors[t] = config.NewSuppressor(config.SuppressOptions{
			Config: t.settings.Config, Baseline: t.settings.baseline, Today: time.Now(), Unused: unused(t), Reports: reportedByScan,
			Path: func(at finding.Location) string {
				if at.Path == last && last != "" {
					return path
				}
				last, path = at.Path, strings.TrimPrefix(at.Path, "./")
				if rel, ok := t.settings.relative(at.Path); ok {
					path = rel
				}
				return path
			},
		})
	}
	acceptProblems(r, all, suppressors)
	for i := range r.Targets {
		s := &r.Summary
		if len(r.Targets) > 1 {
			s = &r.Targets[i].Summary
		}
		s.BelowConfidence += below[r.Targets[i].Name]
	}
	for i := range r.Findings {
		f, stands := &r.Findings[i], false
		var decision *finding.Suppression
		var severities []finding.Severity // that the targets give it; the worst holds
		within(all, *f, func(t *scanTarget, part finding.Finding) {
			by := suppressors[t].Suppress(part)
			stands = stands || by == nil
			decision = cmp.Or(decision, by)
			severities = append(severities, f.Severity)
			if s := t.settings.Rules[f.Rule].Severity; s != nil && !alive(*f) {
				severities[len(severities)-1] = *s
			}
		})
		f.Severity = slices.Max(append(severities, finding.Info))
		if stands {
			decision = nil
		}
		decide(f, decision, onlyNew)
	}
	for _, t := range all {
		for _, f := range suppressors[t].Leftover(t.comments) {
			rule, _ := rules.Lookup(f.Rule)
			f.Severity, f.Advice, f.Confidence = rule.Severity, cmp.Or(f.Advice, rule.Remedy), finding.HighConfidence
			if set := t.settings.Rules[f.Rule]; set.Off {
				f.Suppression = &finding.Suppression{Kind: config.FromConfig, Reason: set.Reason, Where: set.Where}
			} else if set.Severity != nil {
				f.Severity = *set.Severity
			}
			for i := range f.Locations {
				if len(all) > 1 {
					f.Locations[i].Target = t.Name
				}
			}
			r.Findings = append(r.Findings, f)
		}
	}
	if earlier := all[0].settings.earlier; earlier != nil {
		resolved := audit.Compare(r.Findings, earlier.Standing())
		if unused(all[0]) && r.Summary.Complete {
			r.Summary.Resolved = resolved
		}
	}
	r.Count()
	r.Summary.Elapsed = time.Since(r.Run.Started)
}

// acceptProblems makes warnings of the problems with files that the settings of their
// target accept as unread. A run that nothing else kept from being complete is complete.
func acceptProblems(r *finding.Report, all []*scanTarget, suppressors map[*scanTarget]*config.Suppressor) {
	accepted := map[string]bool{} // in these targets
	for i := range r.Problems {
		for _, t := range all {
			p := &r.Problems[i]
			if p.Warning || p.Target != "" && p.Target != t.Name {
				continue
			}
			if by := suppressors[t].Unread(*p); by != nil {
				p.Warning, p.Hint = true, "accepted: "+by.Reason+" ("+by.Where+")"
				accepted[p.Target] = true
			}
		}
	}
	complete := func(s *finding.Summary, target string) {
		mine := slices.DeleteFunc(slices.Clone(r.Problems), func(p finding.Problem) bool { return target != "" && p.Target != target })
		s.Complete = s.Complete || !s.Interrupted && finding.Complete(mine)
	}
	if len(accepted) == 0 {
		return
	}
	complete(&r.Summary, "")
	for i := range r.Targets {
		if name := r.Targets[i].Name; accepted[name] {
			complete(&r.Targets[i].Summary, name)
		}
	}
}

// alive reports whether the key of a finding is verified to work, and was not revoked since.
func alive(f finding.Finding) bool {
	return !f.Outcome.Dead() && f.Liveness != nil && (f.Liveness.State == finding.Live || f.Liveness.State == finding.Restricted)
}

// failing reports whether a finding is at or above the severity that fails the run in
// one of its targets; with onlyNew, one that was not known.
func failing(r finding.Report, all []*scanTarget, onlyNew bool) bool {
	return slices.ContainsFunc(r.Standing(), func(f finding.Finding) (fails bool) {
		if onlyNew && f.Baseline == audit.Unchanged {
			return false
		}
		within(all, f, func(t *scanTarget, _ finding.Finding) { fails = fails || f.Severity >= t.failOn })
		return fails
	})
}

// layout says where the targets lie, for the writers.
func layout(all []*scanTarget) report.Options {
	here, err := filepath.Abs(".")
	if err != nil {
		return report.Options{}
	}
	o := report.Options{Dir: filepath.ToSlash(here), Roots: map[string]report.Root{}}
	for _, t := range all {
		name := t.Name
		if len(all) == 1 {
			name = ""
		}
		if t.settings.repository {
			o.Roots[name] = report.Root{Path: filepath.ToSlash(t.settings.root), VCS: t.settings.vcs}
		}
	}
	return o
}
