package cmd

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/english"
	gitconfig "github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/secret"
)

// everywhereFlags are those of a rotation that finds the places itself.
type everywhereFlags struct {
	on     bool
	report string
	skip   []string
}

func (e *everywhereFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&e.on, "everywhere", false, "find the places that hold the key, and deliver to all of them")
	f.StringVar(&e.report, "scan-report", "", "with --everywhere: the files are those of this saved JSON `REPORT`, not of a scan of the current folder and the home")
	f.StringArrayVar(&e.skip, "skip", nil, "with --everywhere: skip this `PLACE`, as the plan names it, or all places of its kind (github, kubectl ...); repeatable")
	_ = c.MarkFlagFilename("scan-report")
}

// A search finds the places that hold a key.
type search struct {
	*rotator
	prefix  string
	holding []revoke.Holding  // whose value is a key with the prefix
	byName  []revoke.SinkSpec // whose value nobody can read
	byHand  []string
	gaps    []string // what was not searched, or is left alone, and why
	failed  []string // where the search failed
}

// everywhere finds all places that hold the key of a prefix. Those whose value is not the
// key itself, but another text behind its public prefix, are never written to.
func (x *rotator) everywhere(ctx context.Context, prefix string) (*search, error) {
	s := &search{rotator: x, prefix: prefix}
	if home := x.env.trussrc(); home != "" {
		held, err := revoke.TrussrcHolding(home, prefix)
		if err != nil {
			return nil, failed(err, "nothing was changed")
		}
		s.holding = held
	}
	if err := s.files(ctx); err != nil {
		return nil, err
	}
	s.stores(ctx)
	s.holding = slices.DeleteFunc(s.holding, func(h revoke.Holding) bool { return x.skipped(h.Sink) })
	s.byName = slices.DeleteFunc(s.byName, x.skipped)
	if len(s.failed) > 0 {
		return nil, &exitError{code: ExitIncomplete, err: fmt.Errorf("places could not be searched, and the key may be there: %s", strings.Join(s.failed, "; ")),
			hints: []string{"mend it, or leave such places out with --skip KIND; nothing was changed"}}
	}
	return s, s.prove(ctx)
}

// skipped reports whether --skip leaves a place out, by its kind or its name.
func (x *rotator) skipped(s revoke.SinkSpec) bool {
	return slices.Contains(x.sweep.skip, s.Kind) || slices.Contains(x.sweep.skip, s.String())
}

// envFile matches the names of files of NAME=VALUE lines that programs and shells read.
var envFile = regexp.MustCompile(`^(\.env|\.env\..+|.+\.env|\.envrc|env|\.(bash|zsh|k?sh)rc|\.zshenv|\.z?profile|\.bash_profile)$`)

// files finds files by a report, or by a scan of the current folder and the home.
func (s *search) files(ctx context.Context) error {
	var r finding.Report
	var err error
	if s.sweep.report != "" {
		r, err = readReport(s.env, "--scan-report", s.sweep.report)
	} else {
		r, err = s.scan(ctx)
	}
	if err != nil {
		return err
	}
	if !r.Summary.Complete {
		s.gaps = append(s.gaps, "the scan for files was not complete: b10lint scan says what it could not read")
	}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if f.Prefix != s.prefix {
			continue
		}
		for _, l := range f.Locations {
			if (l.Commit != "" || l.Object != "" && l.Object != "index") && !l.AtHead {
				continue // what is in the history alone does not call Baseten
			}
			at := placeOf(l)
			if l.Exposure == "" {
				l.Exposure = f.Exposure
			}
			if err := s.file(l, at, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// file takes the place of a finding. A file that git tracks, or would add, is never written
// to: the new key would leak as the old one did.
func (s *search) file(l finding.Location, at string, seen map[string]bool) error {
	name := filepath.FromSlash(l.Path)
	if len(l.RawPath) > 0 {
		name = filepath.FromSlash(string(l.RawPath))
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return failed(err)
	}
	base, why := path.Base(l.Path), ""
	switch {
	case seen[abs]:
		return nil
	case strings.HasPrefix(l.Path, "env:"):
		why = "it is in the environment that b10lint was started with: set it again"
	case l.Member != "":
		why = "it is in an archive"
	case l.Exposure != finding.Home && l.Exposure != finding.Ignored && l.Exposure != finding.Plain:
		why = "git has it or would add it (" + string(l.Exposure) + "): take the key out of it"
	case base != ".trussrc" && !envFile.MatchString(base):
		why = "it is not a file of NAME=VALUE lines"
	}
	if why == "" {
		seen[abs] = true
		find := revoke.EnvFileHolding
		if base == ".trussrc" {
			find = revoke.TrussrcHolding
		}
		held, err := find(abs, s.prefix)
		if err != nil {
			return failed(err, "nothing was changed")
		}
		known := func(h revoke.Holding) bool {
			return slices.ContainsFunc(s.holding, func(o revoke.Holding) bool { return o.Sink.String() == h.Sink.String() })
		}
		s.holding = append(s.holding, slices.DeleteFunc(held, known)...)
		if len(held) > 0 || base == ".trussrc" && abs == s.env.trussrc() {
			return nil
		}
		why = "the key is not the whole value of a variable there, or not there any more"
	}
	s.byHand = append(s.byHand, at+": "+why)
	return nil
}

// scan scans the files of the current folder, and the places of the home.
func (s *search) scan(ctx context.Context) (finding.Report, error) {
	folder, home := defaultScan(), defaultScan()
	folder.history.noHistory = true
	home.places.isHome, home.places.home = true, mine
	targets, args, err := folder.targets(s.env, nil)
	if err != nil {
		return finding.Report{}, err
	}
	if s.env.home() != "" {
		more, _, err := home.targets(s.env, nil)
		if err != nil {
			return finding.Report{}, err
		}
		targets = append(targets, more...)
	}
	run := finding.Run{Tool: tool(), Command: "rotate", Targets: args, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	progress := &scanner.Progress{}
	stop := s.ui.progress(progress, false)
	defer stop()
	r, _, err := folder.read(ctx, run, targets, progress, nil)
	return r, failed(err, "nothing was changed; a saved report can be named with --scan-report")
}

// stores searches the stores behind other programs: Kubernetes, GitLab, GitHub.
func (s *search) stores(ctx context.Context) {
	programs := programs(s.env)
	programs.Dir, _ = filepath.Abs(".")
	repo := ""
	if list := *s.sink.values["repo"]; len(list) == 1 {
		repo = list[0]
	}
	hosts := remoteHosts(".")
	of := func(kind, program, what, word string, search func() error) {
		_, missing := exec.LookPath(program)
		if kind == revoke.KindKubectl && runtime.GOOS == "windows" {
			missing = exec.ErrNotFound // it could not be patched: see revoke.KubernetesSecret
		}
		remote := word == "" || repo != "" || slices.ContainsFunc(hosts, func(h string) bool { return strings.Contains(h, word) })
		switch {
		case slices.Contains(s.sweep.skip, kind):
			s.gaps = append(s.gaps, what+" were not searched: --skip "+kind)
		case missing != nil:
			s.gaps = append(s.gaps, what+" were not searched: "+program+" is not installed")
		case !remote:
			s.gaps = append(s.gaps, what+" were not searched: the current folder has no remote there, and --repo names none")
		default:
			if err := search(); err != nil {
				s.failed = append(s.failed, what+": "+report.Visible(err.Error()))
			}
		}
	}
	of(revoke.KindKubectl, "kubectl", "Secrets of Kubernetes", "", func() error {
		at, err := revoke.KubernetesContext(ctx, programs)
		switch {
		case err != nil:
			return err
		case at == "":
			s.gaps = append(s.gaps, "Secrets of Kubernetes were not searched: kubectl has no current context")
			return nil
		}
		held, whole, err := revoke.ListKubernetesSecrets(ctx, programs, at, s.prefix)
		if err == nil && !whole {
			s.gaps = append(s.gaps, "of Kubernetes only the current namespace of "+report.Visible(at)+" was searched: the others cannot be read")
		}
		s.holding = append(s.holding, held...)
		return err
	})
	of(revoke.KindGitLab, "glab", "variables of GitLab", "gitlab", func() error {
		held, hidden, err := revoke.ListGitLabVariables(ctx, programs, repo, s.prefix)
		s.holding, s.byName = append(s.holding, held...), append(s.byName, s.named(hidden)...)
		return err
	})
	of(revoke.KindGitHub, "gh", "secrets of GitHub Actions", "github", func() error {
		listed, err := revoke.ListGitHubSecrets(ctx, programs, repo)
		s.byName = append(s.byName, s.named(listed)...)
		return err
	})
}

// keyName matches names that are given to Baseten's keys.
var keyName = regexp.MustCompile(`(?i)(BASETEN|TRUSS).*(KEY|TOKEN)`)

// named keeps the places that bear such a name, or that of a variable that holds the key.
func (s *search) named(specs []revoke.SinkSpec) (list []revoke.SinkSpec) {
	for _, spec := range specs {
		same := func(h revoke.Holding) bool { return h.Sink.Kind == revoke.KindDotenv && h.Sink.Name == spec.Name }
		if keyName.MatchString(spec.Name) || slices.ContainsFunc(s.holding, same) {
			spec.ByName = true
			list = append(list, spec)
		}
	}
	return list
}

// remoteHosts are the addresses of the remotes of the repository that a folder lies in.
func remoteHosts(dir string) (addresses []string) {
	abs, err := filepath.Abs(dir)
	for err == nil {
		if _, common := gitdir.OfWorkTree(abs); common != "" {
			variables, err := gitconfig.Read(filepath.Join(common, "config"))
			if err != nil {
				return nil
			}
			for v := range variables {
				if v.Section == "remote" && v.Key == "url" {
					addresses = append(addresses, strings.ToLower(v.Value))
				}
			}
			return addresses
		}
		up := filepath.Dir(abs)
		if up == abs {
			return nil
		}
		abs = up
	}
	return nil
}

// prove asks Baseten with each different value that was found. Anyone can write a text
// behind the key's public prefix, into a file of theirs: the new key must not go there.
func (s *search) prove(ctx context.Context) error {
	values := map[string]secret.Secret{}
	for _, h := range s.holding {
		values[h.Key.Digest()] = h.Key
	}
	real := map[string]bool{}
	if s.self() == s.prefix {
		real[s.credential.Key.Digest()] = true
	} else if s.dryRun { // to ask is to use the key, and the run itself would hold it back as one in use
		if len(values) > 0 {
			s.gaps = append(s.gaps, fmt.Sprintf("whether the %d different %s found behind the prefix %s the key: the run itself asks Baseten", len(values),
				english.Plural(len(values), "text", "texts"), english.Plural(len(values), "is", "are")))
		}
		return nil
	} else if s.noProbe {
		if len(values) > 1 {
			return usage("leave out --no-probe", "the places hold %d different texts behind the prefix %s, and nothing shows which one is the key", len(values), s.prefix)
		}
		for digest := range values {
			real[digest] = true
		}
	} else if len(values) > 0 {
		probe, err := s.probe()
		if err != nil {
			return failed(err, "nothing was changed")
		}
		said := baseten.NewVerifier(nil, probe, nil).Verify(ctx, slices.Collect(maps.Values(values)))
		for digest, v := range said.Verdicts {
			switch v.Liveness.State {
			case finding.Live, finding.Restricted:
				real[digest] = true
			case finding.Dead:
			default:
				return &exitError{code: ExitIncomplete, err: fmt.Errorf("whether what the places hold is the key could not be seen: %s", v.Liveness.Detail),
					hints: []string{"nothing was changed; --no-probe goes by the prefix alone if all places hold the same"}}
			}
		}
	}
	s.holding = slices.DeleteFunc(s.holding, func(h revoke.Holding) bool {
		if !real[h.Key.Digest()] {
			s.gaps = append(s.gaps, h.Sink.String()+": it holds another text behind the same prefix, which is not the key")
			return true
		}
		return false
	})
	return nil
}

// specs are the places that were found, besides those that flags name.
func (s *search) specs(named []revoke.SinkSpec) []revoke.SinkSpec {
	all := slices.Clone(named)
	for _, h := range s.holding {
		all = append(all, h.Sink)
	}
	all = append(all, s.byName...)
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(spec revoke.SinkSpec) bool {
		name := spec.String()
		if seen[name] {
			return true
		}
		seen[name] = true
		return false
	})
}
