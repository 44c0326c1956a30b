// Package target is the source for a path: files, repositories, or both.
package target

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/workstation"
)

// Options say what of a target is read. The zero value is everything.
type Options struct {
	History git.Options
	// NoFiles skips the files of the work tree, NoHistory the object stores.
	NoFiles, NoHistory bool
	// Home says whose workstation this is: its variables lead to git's ignore files,
	// and a file at one of its places has the exposure Home. The zero value stands
	// for no one's.
	Home workstation.Options
}

// Of returns a Source over a file or folder: its files, and
// the histories of the repositories at or below it, their submodules included. A
// target that is a bare repository or a .git folder is a history alone; below a
// repository's root there are only files. With a Scope, the target is the
// repository that it is in, and only that is read.
//
// A file that is in a repository is located as committed, ignored or untracked;
// where it is as at HEAD, its location is HEAD's.
func Of(name string, opts Options) source.Source {
	t := &target{name: name, opts: opts}
	return source.Source{Walk: t.walk, Locate: t.locate, Coverage: t.coverage}
}

type target struct {
	name      string
	opts      Options
	inside    string // the repository of which the target is a folder
	histories []*git.History
}

func (t *target) walk(ctx context.Context, to source.Sink) error {
	if !t.opts.History.Scope.IsAll() {
		return t.scoped(ctx, to)
	}
	bare := gitdir.Is(t.name)
	if t.opts.NoFiles && !bare && !disk.Exists(t.name, ".git") {
		return to.Problem(finding.Problem{Path: filepath.ToSlash(t.name),
			Error: "is not the root of a git repository", Hint: "name the folder that has .git in it"})
	}
	found := []string{t.name} // repositories at or below the target
	if !t.opts.NoFiles && !bare {
		found = nil
		var mu sync.Mutex
		files := disk.Dir(t.name, disk.Options{
			Jobs: t.opts.History.Jobs, Filter: t.opts.History.Filter, SkipGit: true,
			Repository: func(name string) {
				mu.Lock()
				defer mu.Unlock()
				found = append(found, name)
			}})
		if err := files.Walk(ctx, to); err != nil {
			return err
		}
	}
	if t.opts.NoHistory {
		return nil
	}
	t.inside = enclosing(t.name)
	slices.Sort(found)
	seen := map[string]bool{} // the common folders of the repositories that were walked
	opts := t.opts.History
	opts.Root = t.name
	for len(found) > 0 { // once for each level of submodules
		var walked []*git.History
		for _, name := range found {
			h := git.New(filepath.FromSlash(name), opts)
			common := h.CommonDir()
			if seen[common] {
				continue
			}
			seen[common] = true
			walked = append(walked, h)
			t.histories = append(t.histories, h)
			if err := h.Walk(ctx, to); err != nil {
				return err
			}
		}
		found = nil
		for _, h := range walked {
			folders, err := h.Submodules(to)
			if err != nil {
				return err
			}
			found = append(found, folders...)
		}
	}
	return nil
}

// scoped walks the repository that the target is in.
func (t *target) scoped(ctx context.Context, to source.Sink) error {
	name := t.name
	for !gitdir.Is(name) && !disk.Exists(name, ".git") {
		abs, err := filepath.Abs(name)
		if err != nil || filepath.Dir(abs) == abs {
			return to.Problem(finding.Problem{Path: filepath.ToSlash(t.name), Error: "is not in a git repository"})
		}
		name = filepath.Join(name, "..")
	}
	h := git.New(name, t.opts.History)
	t.histories = append(t.histories, h)
	return h.Walk(ctx, to)
}

func (t *target) coverage() (all []finding.Coverage) {
	for _, h := range t.histories {
		all = append(all, h.Coverage()...)
	}
	if t.inside != "" {
		all = append(all, finding.Coverage{Repository: t.inside, FilesOnly: true})
	}
	return all
}

func (t *target) locate(ctx context.Context, hits []source.Hit) ([][]finding.Location, error) {
	out := make([][]finding.Location, len(hits))
	var first error
	for _, h := range t.histories {
		at, own := h.Own(hits)
		if len(own) == 0 {
			continue
		}
		found, err := h.Locate(ctx, own)
		if err != nil && first == nil {
			first = err
		}
		for j, i := range at {
			if out[i] = []finding.Location{own[j].At}; len(found) == len(own) {
				out[i] = found[j]
			}
		}
	}
	if err := t.locateFiles(ctx, hits, out); err != nil {
		first = err
	}
	return out, first
}

// locateFiles answers for the hits in files. One that HEAD has as well, in the same
// line, is reported once, as HEAD's; one that only the index has as well, as the file's,
// which is staged then.
func (t *target) locateFiles(ctx context.Context, hits []source.Hit, out [][]finding.Location) error {
	type spot struct {
		path, member, key string
		line, column      int
	}
	of := func(l finding.Location, key string) spot { return spot{l.Path, l.Member, key, l.Line, l.Column} }
	head, here, staged := map[spot]bool{}, map[spot]bool{}, map[spot]bool{}
	for i, list := range out {
		if hits[i].At.Blob == "" {
			here[of(hits[i].At, hits[i].Key)] = true
		}
		for _, l := range list {
			if l.AtHead {
				head[of(l, hits[i].Key)] = true
			}
		}
	}
	for i := range out {
		out[i] = slices.DeleteFunc(out[i], func(l finding.Location) bool {
			twice := l.Object == "index" && here[of(l, hits[i].Key)]
			if twice {
				staged[of(l, hits[i].Key)] = true
			}
			return twice
		})
	}
	var at []int
	var ask []finding.Location
	for i, hit := range hits {
		switch {
		case hit.At.Blob != "" || head[of(hit.At, hit.Key)]:
		case hit.At.Exposure != "" && hit.At.Exposure != finding.Shipped: // beside the objects
			out[i] = []finding.Location{hit.At}
		default:
			at, ask = append(at, i), append(ask, hit.At)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := workstation.Locate(ctx, t.opts.Home, ask)
	for j, i := range at {
		if out[i] = []finding.Location{ask[j]}; len(found) == len(ask) {
			out[i][0] = found[j]
		}
		if l := &out[i][0]; l.Exposure == finding.Committed && staged[of(hits[i].At, hits[i].Key)] {
			l.Exposure = finding.Staged
		}
	}
	return err
}

// enclosing is the root of the repository that a folder is in, as the user would
// name it; "" for a folder that is in none, a root, and a file.
func enclosing(name string) string {
	if info, err := os.Stat(name); err != nil || !info.IsDir() || gitdir.Is(name) || disk.Exists(name, ".git") {
		return ""
	}
	for {
		abs, err := filepath.Abs(name)
		if err != nil || filepath.Dir(abs) == abs {
			return ""
		}
		name = filepath.Join(name, "..")
		if own, _ := gitdir.OfWorkTree(name); own != "" && gitdir.Is(own) {
			return filepath.ToSlash(name)
		}
	}
}
