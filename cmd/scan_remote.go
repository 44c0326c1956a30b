package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	gitsource "github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/remote"
)

// remoteOptions are the flags of scan for repositories that are fetched.
type remoteOptions struct {
	commits []string
	state   string
}

func (o *remoteOptions) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&o.commits, "commit", nil, "of a URL, fetch this commit too, which no branch may lead to any more; a whole `ID`, repeatable")
	c.Flags().StringVar(&o.state, "state", "", "of URLs in which nothing was found, remember the references in this `FOLDER` and fetch only what is new")
	_ = c.MarkFlagDirname("state")
}

// isRemote reports whether some target is a URL.
func isRemote(args []string) bool { return slices.ContainsFunc(args, remote.IsAddress) }

// checkRemote refuses flags that fit no repository that is fetched, and those that fit
// only one.
func (o *scanOptions) checkRemote(args []string) error {
	h := &o.history
	set := h.set
	if set == nil {
		set = func(string) bool { return false }
	}
	if !isRemote(args) {
		if len(o.remote.commits) > 0 {
			return usage("a repository on this disk is scanned with all that is in it", "--commit is for a URL")
		}
		if set("state") {
			return usage("for a repository on this disk there is --cache", "--state is for a URL")
		}
		return nil
	}
	for _, f := range []struct{ name, why string }{
		{"staged", "a repository on a server has no index"},
		{"commit-msg", "it is for a file that git hands to a hook"},
		{"pre-push", "it is for a hook of the repository on this disk"},
		{"pre-receive", "it is for a hook of the repository on this disk"},
		{"no-history", "what is fetched is the history, and no file is checked out"},
		{"cache", "it is for repositories on this disk"},
		{"truss", "it is for a folder"},
	} {
		if set(f.name) {
			return usage("leave it out, or scan a clone", "--%s does not go with a URL: %s", f.name, f.why)
		}
	}
	switch {
	case !set("state"):
	case o.remote.state == "":
		return usage("leave it out, or give it a value", "--state is empty")
	case h.since != "" || h.commitRange != "" || len(o.remote.commits) > 0:
		return usage("leave one of them out", "--state does not go with --since, --range or --commit")
	}
	for _, id := range o.remote.commits {
		if _, err := pack.ParseID(id); err != nil || len(id) != 40 {
			return usage("as git rev-parse prints it", "--commit %q: want a whole id of 40 digits", id)
		}
	}
	return nil
}

// kindOf begins words such as github:acme and oci:alpine. A drive of Windows has one letter.
var kindOf = regexp.MustCompile(`^[a-z][a-z0-9+.-]+:`)

// unknownKind refuses such a word where no file has that name.
func unknownKind(arg string) error {
	kind := kindOf.FindString(arg)
	if kind == "" {
		return nil
	}
	if _, err := os.Lstat(arg); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return usage("targets are files and folders, - for standard input, and git repositories: https://HOST/PATH, ssh://, git://, file:///PATH or "+
		"user@host:path; what lies elsewhere can be piped in, docs/recipes.md", "there is no such file, and %s is not a kind of target", kind)
}

// remoteTarget returns the target of a URL. Its settings are known when it was fetched.
func (o *scanOptions) remoteTarget(env Env, arg string, filter source.Filter) (*scanTarget, error) {
	at, err := remote.ParseAddress(arg)
	if err != nil {
		return nil, usage("as git clone takes it: https://HOST/PATH, ssh://, git://, file:///PATH, or user@host:path", "a target: %w", err)
	}
	scope, err := o.history.scope(env)
	if err != nil {
		return nil, err
	}
	t := &scanTarget{failOn: o.failOn.value, minConfidence: o.minConfidence.value, args: []string{at.String()},
		settings: &settings{Config: config.Default(), repository: true, remote: at.String()}}
	t.Name, t.Kind = at.Name(), finding.GitTarget
	switch {
	case o.config.none:
		t.settings.Config = &config.Config{}
	case o.config.file != "":
		if t.settings.Config, err = o.config.fromFile(); err != nil {
			return nil, misconfigured(err)
		}
	}
	if o.config.baseline != "" {
		if err := o.config.loadBaseline(t.settings); err != nil {
			return nil, misconfigured(err)
		}
	}
	r, err := remote.New(at, remote.Options{
		History: gitsource.Options{Jobs: o.jobs, Filter: filter, Scope: scope, ShallowOK: o.history.shallowOK, Version: rules.Version},
		State:   o.remote.state, StateOptions: o.stateOptions(),
		Commits: o.remote.commits, CAFile: o.verify.api.caFile, Env: env.get, Home: env.home(), Git: remoteGit(env),
		Arrived: func(ctx context.Context, r *remote.Repository) (source.Filter, []finding.Problem) {
			return o.arrived(ctx, t, r, filter)
		},
	})
	if err != nil {
		return nil, failed(err)
	}
	t.repository = r
	t.sources = []source.Target{{Name: at.String(), Source: o.unpack.wrap(r.Source(), o.jobs)}}
	return t, nil
}

// stateOptions names what decides what a scan finds in a repository, and which of its
// files are asked for: with anything else, nothing that is remembered holds.
func (o *scanOptions) stateOptions() string {
	u, c := &o.unpack, &o.config
	return fmt.Sprint(tool().Version, " ", rules.Version, " ", u.noArchives, u.limits, u.ocr, " ", c.none, c.file != "", c.from, " ", c.baseline != "", c.noBaseline)
}

// remember keeps what a scan has learned of a repository that was fetched. clean says that
// it was whole, and nothing in it looked like a key.
func (t *scanTarget) remember(clean bool) []finding.Problem {
	if t.repository == nil {
		return nil
	}
	if err := t.repository.Remember(clean); err != nil {
		return []finding.Problem{{Warning: true, Error: "the state could not be kept: " + err.Error(), Hint: "the next scan fetches everything"}}
	}
	return nil
}

// remoteGit calls git for its credential helpers and git-upload-pack, from the user's
// home: the current folder may be a stranger's repository.
func remoteGit(env Env) remote.Command {
	home := env.home()
	if _, err := exec.LookPath("git"); err != nil || home == "" {
		return nil
	}
	if info, err := os.Stat(home); err != nil || !info.IsDir() {
		return nil
	}
	return git{env: env, dir: home, ownFolder: true}.command
}

// arrived applies the settings that a fetched repository has in its default branch, or
// in the commit that --config-from names, unless the command line has others. Settings
// that are not understood do not hold, and are a problem.
func (o *scanOptions) arrived(ctx context.Context, t *scanTarget, r *remote.Repository, filter source.Filter) (source.Filter, []finding.Problem) {
	var problems []finding.Problem
	bad := func(name string, err error) {
		p := finding.Problem{Path: name, Error: "the repository's settings were not applied: " + err.Error()}
		var e *config.Error
		if errors.As(err, &e) {
			p.Hint = e.Hint
		}
		problems = append(problems, p)
	}
	id, branch := r.Head()
	t.Revision = id
	t.settings.vcs = &report.VCS{URI: t.settings.remote, Revision: id, Branch: branch}
	revision, name, named := strings.Cut(o.config.from, ":")
	if revision == "" {
		revision = "HEAD"
	}
	if !named || name == "" {
		name = config.Name
	}
	if !o.config.none && o.config.file == "" && (id != "" || o.config.from != "") {
		data, err := r.File(ctx, revision, name, maxConfig)
		var read *config.Config
		if err == nil {
			read, err = config.Parse(name, data)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) && !named:
		case err != nil:
			bad(name, err)
		default:
			t.settings.Config = read
		}
	}
	if base := t.settings.Baseline; base != "" && o.config.baseline == "" && !o.config.noBaseline {
		data, err := r.File(ctx, revision, base, maxConfig)
		if err == nil {
			t.settings.baseline, err = config.ParseBaseline(base, data)
		}
		if err != nil {
			bad(base, err)
		}
	}
	t.settings.Inline = t.settings.Inline && !o.config.noInline
	o.apply(t)
	own, err := t.settings.filter(filter, t.settings.remote)
	if err != nil {
		bad(name, err)
		own = filter
	}
	return own, problems
}
