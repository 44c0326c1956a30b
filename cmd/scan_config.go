package cmd

import (
	"bufio"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/config"
	gitconfig "github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/scanner/source"
	gitsource "github.com/b10lint/b10lint/scanner/source/git"
)

// configOptions are the flags that say what a repository's own settings are.
type configOptions struct {
	file, from, baseline string
	none, noInline       bool
	noBaseline           bool // the one that the settings name does not count
}

func (o *configOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.file, "config", "", "read the settings from `FILE` (default: "+config.Name+" at the root of the repository)")
	f.StringVar(&o.from, "config-from", "", "read the settings of this `COMMIT` (a branch, tag or id), so that a change cannot silence itself")
	f.BoolVar(&o.none, "no-config", false, "read no settings of the repository and ignore comments b10lint:allow")
	f.BoolVar(&o.noInline, "no-inline", false, "ignore comments b10lint:allow")
	f.StringVar(&o.baseline, "baseline", "", "accept the findings in `FILE`, written by b10lint baseline; compare with a JSON report")
	c.MarkFlagsMutuallyExclusive("config", "config-from", "no-config")
}

// settings are what a repository says of its scans.
type settings struct {
	*config.Config
	root       string      // the folder that globs start from, absolute
	repository bool        // it is the root of a work tree
	vcs        *report.VCS // of a repository, where its configuration has one
	baseline   *config.Baseline
	earlier    *finding.Report // that --baseline names in place of a baseline
	remote     string          // the address of a repository that is fetched; root is empty then
}

// shared reports whether the flags have one file of settings, or one baseline, for
// whatever is scanned.
func (o *configOptions) shared() bool { return o.file != "" || o.baseline != "" }

// load reads the settings of the folder root.
func (o *configOptions) load(root string, repository bool) (s *settings, err error) {
	s = &settings{root: root, repository: repository}
	if repository {
		s.vcs = provenance(root)
	}
	switch {
	case o.none:
		s.Config = &config.Config{}
	case o.from != "":
		s.Config, err = configAt(root, o.from)
	case o.file != "":
		s.Config, err = o.fromFile()
	default:
		s.Config, err = config.Load(shorter(filepath.Join(root, config.Name)))
		if errors.Is(err, fs.ErrNotExist) {
			s.Config, err = config.Default(), nil
		}
	}
	if err == nil {
		err = s.known()
	}
	if err == nil {
		err = o.loadBaseline(s)
	}
	if err != nil {
		return nil, misconfigured(err)
	}
	s.Inline = s.Inline && !o.noInline
	return s, nil
}

// fromFile reads the settings that the command line names.
func (o *configOptions) fromFile() (*config.Config, error) {
	c, err := config.Load(o.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("check the name given to --config", "%s: no such file", o.file)
	}
	return c, err
}

// loadBaseline reads the baseline of the command line, which may be the JSON report of an
// earlier run, else that of the settings. One that the settings of a commit name is the
// one in that commit.
func (o *configOptions) loadBaseline(s *settings) (err error) {
	name := o.baseline
	switch {
	case name != "":
	case s.Baseline == "" || o.noBaseline:
		return nil
	case o.from != "":
		revision, _, _ := strings.Cut(o.from, ":")
		at := revision + ":" + s.Baseline
		data, err := gitsource.FileAt(s.root, revision, s.Baseline, maxConfig)
		if err != nil {
			return &config.Error{File: at, Text: err.Error(), Hint: "the settings in this commit name it as their baseline"}
		}
		s.baseline, err = config.ParseBaseline(at, data)
		return err
	default:
		name = shorter(filepath.Join(s.root, filepath.FromSlash(s.Baseline)))
	}
	s.baseline, err = config.LoadBaseline(name)
	if errors.Is(err, fs.ErrNotExist) {
		return usage("make one with b10lint baseline --output "+name, "%s: no such file", name)
	}
	if err != nil && o.baseline != "" {
		if f, openErr := os.Open(name); openErr == nil {
			defer f.Close()
			if r, readErr := report.Read(bufio.NewReader(f)); readErr == nil {
				s.earlier = &r
				return nil
			}
		}
		return usage("--baseline takes what b10lint baseline writes, or the JSON report of an earlier run, from -f json=FILE", "%w", err)
	}
	return err
}

// known reports rules in the settings that there are not.
func (s *settings) known() error {
	var ids []string
	for _, r := range Catalogue() {
		ids = append(ids, r.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Rules)) {
		if !slices.Contains(ids, id) {
			return &config.Error{File: s.Rules[id].Where, Text: "there is no rule " + strconv.Quote(id),
				Hint: didYouMean(id, "", ids) + "run 'b10lint rules' for their list"}
		}
	}
	return nil
}

// misconfigured is the error of settings that are not understood: each mistake with
// its place, and what to do.
func misconfigured(err error) error {
	if e := (*exitError)(nil); errors.As(err, &e) {
		return err
	}
	out := &exitError{code: ExitUsage, err: err}
	var joined interface{ Unwrap() []error }
	list := []error{err}
	if errors.As(err, &joined) {
		list = joined.Unwrap()
	}
	seen := map[string]bool{}
	for _, e := range list {
		var at *config.Error
		if errors.As(e, &at) && at.Hint != "" && !seen[at.Hint] {
			seen[at.Hint] = true
			out.hints = append(out.hints, at.Hint)
		}
	}
	if len(out.hints) == 0 {
		out.hints = []string{"docs/config.md describes the settings"}
	}
	return out
}

// shorter gives a path from the current folder where that is the plainer name.
func shorter(name string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return name
	}
	if rel, err := filepath.Rel(here, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}

// filter adds the globs of the settings, which start from the root, to those of
// the command line, which start from the target.
func (s *settings) filter(f source.Filter, target string) (source.Filter, error) {
	g, err := source.NewFilter(s.Exclude, s.Include)
	if err != nil {
		return f, usage("globs are as in the shell, and ** crosses folders: 'vendor/**'", "%s: %w", s.File, err)
	}
	base, ok := s.relative(target)
	if !ok {
		return f, nil // another folder, of which the settings say nothing
	}
	return f.And(base, g), nil
}

// relative returns the path of a file from the root, with slashes; "" is the root.
func (s *settings) relative(name string) (rel string, ok bool) {
	if s.remote != "" {
		return strings.TrimPrefix(name, s.remote), true
	}
	abs, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return "", false
	}
	rel, err = filepath.Rel(s.root, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	if rel == "." {
		rel = ""
	}
	return filepath.ToSlash(rel), true
}

// everything reports whether the targets cover the whole of what the settings are
// about.
func (s *settings) everything(targets []string) bool {
	return slices.ContainsFunc(targets, func(t string) bool {
		rel, ok := s.relative(t)
		return ok && rel == "" && t != "-"
	})
}

// maxConfig bounds what is read of the settings in a commit.
const maxConfig = 4 << 20

// configAt reads the settings as they are in a revision: REV, or REV:PATH. Without
// a file there, none hold.
func configAt(root, spec string) (*config.Config, error) {
	revision, name, found := strings.Cut(spec, ":")
	if !found || name == "" {
		name = config.Name
	}
	data, err := gitsource.FileAt(root, revision, name, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !found:
		for _, other := range config.Misnamed() {
			if _, err := gitsource.FileAt(root, revision, other, maxConfig); err == nil {
				return nil, config.WrongName(revision + ":" + other)
			}
		}
		return config.Default(), nil
	case err != nil:
		return nil, &config.Error{File: revision + ":" + name, Text: err.Error(), Hint: "name a commit that is here: --config-from origin/main"}
	}
	return config.Parse(revision+":"+name, data)
}

// provenance says where the work tree at root comes from and what is checked out; nil
// when it is not one.
func provenance(root string) *report.VCS {
	own, common := gitdir.OfWorkTree(root)
	if own == "" {
		return nil
	}
	v := &report.VCS{}
	if vars, err := gitconfig.Read(filepath.Join(common, "config")); err == nil {
		for s := range vars { // the address of origin, else of the first remote
			if s.Section == "remote" && s.Key == "url" && (v.URI == "" || s.Subsection == "origin") {
				v.URI = s.Value
			}
		}
	}
	v.Revision, _ = refs.HeadOnly(own, common)
	if head, err := regular.ReadFile(filepath.Join(own, "HEAD"), source.SmallFile); err == nil {
		if branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/"); ok {
			v.Branch = branch
		}
	}
	return v
}
