package source

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/refs"
)

// TargetOptions say what of a target is looked at. The zero value is everything.
type TargetOptions struct {
	History HistoryOptions
	// NoFiles leaves out the files of the work tree, NoHistory the object stores.
	NoFiles, NoHistory bool
	// Home is as in DirOptions.
	Home HomeOptions
}

// Target is a Source over whatever a file or folder stands for: its files, and
// the histories of the repositories at or below it, their submodules included. A
// target that is a bare repository or a .git folder is a history alone; below a
// repository's root there are only files. With a Scope, the target is the
// repository that it lies in, and only that is looked at.
//
// The Source is a Locator and a Coverer. A file that is in a repository is said to
// be committed, ignored or untracked; where it is as at HEAD, its place is HEAD's.
func Target(name string, opts TargetOptions) Source {
	return &target{name: name, opts: opts}
}

type target struct {
	name string
	opts TargetOptions

	mu        sync.Mutex
	found     []string // repositories, as shown
	inside    string   // the repository of which the target is a folder
	histories []*history
}

// Walk implements Source.
func (t *target) Walk(ctx context.Context, to Sink) error {
	if !t.opts.History.Scope.all() {
		return t.scoped(ctx, to)
	}
	bare := gitdir.Is(t.name)
	if !t.opts.NoFiles && !bare {
		d := &dirSource{target: t.name, opts: DirOptions{
			Jobs: t.opts.History.Jobs, Filter: t.opts.History.Filter, SkipGit: true, Repository: t.meet,
		}}
		if err := d.Walk(ctx, to); err != nil {
			return err
		}
	} else if bare || exists(t.name, ".git") {
		t.meet(t.name)
	} else if _, err := os.Stat(t.name); err != nil || t.opts.NoFiles {
		return to.Problem(finding.Problem{Path: filepath.ToSlash(t.name), Error: "is not the root of a git repository", Hint: "name the folder that has .git in it"})
	}
	if t.opts.NoHistory {
		return nil
	}
	t.inside = enclosing(t.name)
	slices.Sort(t.found)
	seen := map[string]bool{}
	for _, name := range t.found {
		if err := t.history(ctx, to, name, seen); err != nil {
			return err
		}
	}
	for i := 0; i < len(t.histories); i++ { // grows while submodules have some
		if err := t.submodules(ctx, to, t.histories[i], seen); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) meet(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found = append(t.found, name)
}

// scoped looks at the repository that the target lies in.
func (t *target) scoped(ctx context.Context, to Sink) error {
	name := t.name
	for !gitdir.Is(name) && !exists(name, ".git") {
		abs, err := filepath.Abs(name)
		if err != nil || filepath.Dir(abs) == abs {
			return to.Problem(finding.Problem{Path: filepath.ToSlash(t.name), Error: "is not in a git repository"})
		}
		name = filepath.Join(name, "..")
	}
	h := newHistory(name, t.opts.History)
	t.histories = append(t.histories, h)
	return h.Walk(ctx, to)
}

// history walks the object store of a repository, once.
func (t *target) history(ctx context.Context, to Sink, name string, seen map[string]bool) error {
	h := newHistory(filepath.FromSlash(name), t.opts.History)
	if rel, err := filepath.Rel(t.name, filepath.FromSlash(h.base)); err == nil {
		h.below = filepath.ToSlash(rel)
	}
	common := commonDir(h.path)
	if seen[common] {
		return nil
	}
	seen[common] = true
	t.histories = append(t.histories, h)
	return h.Walk(ctx, to)
}

// submodules walks the repositories that a repository keeps for its submodules and
// that were not met in a work tree.
func (t *target) submodules(ctx context.Context, to Sink, h *history, seen map[string]bool) error {
	common := commonDir(h.path)
	dirs, errs := refs.ModuleDirs(common)
	for _, err := range errs {
		if err := to.Problem(finding.Problem{Path: h.shown, Error: "submodules: " + reason(err)}); err != nil {
			return err
		}
	}
	h.modulesOf(common, dirs)
	for _, dir := range dirs {
		rel, err := filepath.Rel(common, dir)
		if err != nil {
			continue
		}
		if err := t.history(ctx, to, path.Join(filepath.ToSlash(h.gitPath(common)), filepath.ToSlash(rel)), seen); err != nil {
			return err
		}
	}
	return nil
}

// commonDir is the folder that tells one repository from another.
func commonDir(name string) string {
	_, dir, err := gitdir.Find(name)
	if err != nil {
		return name
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return dir
}

// Coverage implements Coverer.
func (t *target) Coverage() (all []finding.Coverage) {
	for _, h := range t.histories {
		all = append(all, h.Coverage()...)
	}
	if t.inside != "" {
		all = append(all, finding.Coverage{Repository: t.inside, FilesOnly: true})
	}
	return all
}

// Reread implements Rereader for places in objects.
func (t *target) Reread(ctx context.Context, places []finding.Location, fn func(int, []byte)) error {
	var first error
	for _, h := range t.histories {
		at, ask := h.own(places)
		if len(ask) == 0 {
			continue
		}
		if err := h.Reread(ctx, ask, func(i int, data []byte) { fn(at[i], data) }); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// own are the places in a repository, with their numbers.
func (h *history) own(places []finding.Location) (at []int, own []finding.Location) {
	for i, p := range places {
		if p.Blob != "" && p.Repository == h.shown {
			at, own = append(at, i), append(own, p)
		}
	}
	return at, own
}

// Locate implements Locator.
func (t *target) Locate(ctx context.Context, places []finding.Location) ([][]finding.Location, error) {
	out := make([][]finding.Location, len(places))
	var first error
	for _, h := range t.histories {
		at, ask := h.own(places)
		if len(ask) == 0 {
			continue
		}
		found, err := h.Locate(ctx, ask)
		if err != nil && first == nil {
			first = err
		}
		for j, i := range at {
			if out[i] = []finding.Location{ask[j]}; len(found) == len(ask) {
				out[i] = found[j]
			}
		}
	}
	if err := t.files(ctx, places, out); err != nil {
		first = err
	}
	return out, first
}

// files answers for the places in files. One that HEAD has as well, in the same
// line, is said once, as HEAD's; one that only the index has as well, as the file's.
func (t *target) files(ctx context.Context, places []finding.Location, out [][]finding.Location) error {
	type spot struct {
		path, member, key string
		line, column      int
	}
	of := func(l finding.Location) spot { return spot{l.Path, l.Member, l.KeyDigest, l.Line, l.Column} }
	head, here := map[spot]bool{}, map[spot]bool{}
	for i, list := range out {
		if places[i].Blob == "" {
			here[of(places[i])] = true
		}
		for _, l := range list {
			if l.AtHead {
				head[of(l)] = true
			}
		}
	}
	for i := range out {
		out[i] = slices.DeleteFunc(out[i], func(l finding.Location) bool { return l.Object == "index" && here[of(l)] })
	}
	var at []int
	var ask []finding.Location
	for i, p := range places {
		switch {
		case p.Blob != "" || head[of(p)]:
		case p.Exposure != "" && p.Exposure != finding.Shipped: // beside the objects
			out[i] = []finding.Location{p}
		default:
			at, ask = append(at, i), append(ask, p)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := newLocal(t.opts.Home, false).locate(ctx, ask)
	for j, i := range at {
		if out[i] = []finding.Location{ask[j]}; len(found) == len(ask) {
			out[i] = found[j]
		}
	}
	return err
}
