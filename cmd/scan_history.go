package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	gitsource "github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
)

// historyOptions are the flags of scan that choose the part of a repository to scan.
type historyOptions struct {
	noHistory, historyOnly, allRefs bool
	since, commitRange              string
	staged, shallowOK               bool
	commitMessage                   string
	prePush                         string
	preReceive                      bool
	set                             func(flag string) bool // it was given; nil: none was
}

// anyRemote is the value of --pre-push without one; no remote can have such a name.
const anyRemote = "the hook's"

func (o *historyOptions) register(c *cobra.Command) {
	f := c.Flags()
	o.set = f.Changed
	f.BoolVar(&o.noHistory, "no-history", false, "scan only files, not git's objects")
	f.BoolVar(&o.historyOnly, "history-only", false, "scan only git's objects, not files")
	f.BoolVar(&o.allRefs, "all-refs", true, "scan every object, reachable or not; this is always so without a range")
	f.StringVar(&o.since, "since", "", "scan only what came after `REV`: a revision, a date (2026-01-31) or an age (36h, 14d, 2w)")
	f.StringVar(&o.commitRange, "range", "", "scan only what the commits of `A..B` (or A...B) add")
	f.BoolVar(&o.staged, "staged", false, "scan only what the next commit would add")
	f.BoolVar(&o.shallowOK, "shallow-ok", false, "accept a shallow clone: the run is complete without the older commits")
	f.StringVar(&o.commitMessage, "commit-msg", "", "scan only the message in this `FILE`, for the commit-msg hook")
	f.StringVar(&o.prePush, "pre-push", "", "scan only what is about to be pushed, which the pre-push hook reads on standard input; what this `REMOTE` has is not new")
	f.Lookup("pre-push").NoOptDefVal = anyRemote
	f.BoolVar(&o.preReceive, "pre-receive", false, "scan only what is being received, which the pre-receive hook reads on standard input")
	scopes := []string{"since", "range", "staged", "commit-msg", "pre-push", "pre-receive"}
	c.MarkFlagsMutuallyExclusive(append(scopes, "no-history")...)
	c.MarkFlagsMutuallyExclusive("no-history", "history-only")
	_ = c.MarkFlagFilename("commit-msg")
}

// target is the source of one target that is a file or folder.
func (o *historyOptions) target(env Env, name string, jobs int, filter source.Filter, cache string) (source.Source, error) {
	scope, err := o.scope(env)
	if err != nil {
		return source.Source{}, err
	}
	h := gitsource.Options{Jobs: jobs, Filter: filter, Scope: scope, ShallowOK: o.shallowOK, Cache: cache, Version: rules.Version}
	if o.staged || o.preReceive || o.prePush != "" {
		// git names to its hooks the folders of objects that it has not accepted yet.
		h.ObjectDir = env.get("GIT_OBJECT_DIRECTORY")
		h.Alternates = filepath.SplitList(env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES"))
	}
	return target.Of(name, target.Options{
		History: h, NoHistory: o.noHistory, NoFiles: o.historyOnly, Home: ownHome(env),
	}), nil
}

// scoped reports whether a part of one repository is scanned.
func (o *historyOptions) scoped() bool {
	return o.since != "" || o.commitRange != "" || o.staged || o.prePush != "" || o.preReceive
}

// check refuses what goes together with no repository, and no standard input.
func (o *historyOptions) check(targets []string, cache string) error {
	if o.set != nil && o.set("all-refs") && !o.allRefs {
		return usage("say which commits you mean: --range A..B or --since REV", "--all-refs=false leaves nothing to start from")
	}
	for name, value := range map[string]string{"since": o.since, "range": o.commitRange, "commit-msg": o.commitMessage, "cache": cache} {
		if value == "" && o.set != nil && o.set(name) {
			return usage("leave it out, or give it a value", "--%s is empty", name)
		}
	}
	switch {
	case o.commitRange != "" && !strings.Contains(o.commitRange, ".."):
		return usage("as in git log: --range origin/main..HEAD", "--range %q: want A..B or A...B", o.commitRange)
	case o.commitMessage != "" && len(targets) > 0:
		return usage("leave the targets out", "--commit-msg scans one file and takes no target")
	case o.scoped() && len(targets) > 1:
		return usage("run it once for each", "only one repository at a time can be scanned in part")
	case o.scoped() && slices.Contains(targets, "-"):
		return usage("name the repository, or nothing for the current folder", "standard input is not a repository")
	}
	return nil
}

func (o *historyOptions) scope(env Env) (s gitsource.Scope, err error) {
	s.Since, s.Range, s.Staged = o.since, o.commitRange, o.staged
	if o.staged {
		s.IndexFile = env.get("GIT_INDEX_FILE")
	}
	switch {
	case o.preReceive:
		s.Except = []string{"refs/"}
		s.Updates, err = readUpdates(env.Stdin, 3, func(f []string) gitsource.Update { return gitsource.Update{Old: f[0], New: f[1], Ref: f[2]} })
	case o.prePush != "":
		remote := o.prePush
		if remote == anyRemote {
			remote = env.get("PRE_COMMIT_REMOTE_NAME")
		}
		if remote != "" { // else only the hook says what the remote has
			s.Except = []string{"refs/remotes/" + remote + "/"}
		}
		s.Outgoing = true
		s.Updates, err = readUpdates(env.Stdin, 4, func(f []string) gitsource.Update { return gitsource.Update{Old: f[3], New: f[1], Ref: f[0]} })
	}
	if err == nil && (o.preReceive || o.prePush != "") && len(s.Updates) == 0 {
		s.Updates = []gitsource.Update{{}} // nothing is pushed, so nothing is scanned
	}
	return s, err
}

// maxUpdates bounds the references that one push may move.
const maxUpdates = 1 << 20

func readUpdates(r io.Reader, fields int, make func([]string) gitsource.Update) (all []gitsource.Update, err error) {
	if f, ok := r.(*os.File); ok && isTerminal(f) {
		return nil, usage("this flag is for the hook; to scan commits by hand use --range A..B",
			"standard input is a terminal")
	}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		// A reference's name has no space in it; what is pushed from may be an
		// expression that has one, and comes first.
		f := strings.Fields(line)
		if len(f) < fields || len(all) == maxUpdates {
			return nil, usage("it wants the lines that git gives to the hook",
				"standard input: line %d has %d words and not %d", len(all)+1, len(f), fields)
		}
		all = append(all, make(f[len(f)-fields:]))
	}
	if in.Err() != nil {
		return nil, failed(fmt.Errorf("standard input: %w", in.Err()))
	}
	return all, nil
}
