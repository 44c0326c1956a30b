package git

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

const (
	// maxLinks bounds the submodules that are named: trees can be made that have
	// one under more paths than there is room for.
	maxLinks = 10_000
	// maxTreeDepth is how deep folders may lie in each other; git has the same
	// limit.
	maxTreeDepth = 2048
)

// A linkFinder finds the submodules in a tree. It reads each tree once to know
// which lead to one, and those a second time.
type linkFinder struct {
	differ
	leads map[pack.ID]bool
	paths []string
}

// look reports whether a submodule is in a tree.
func (f *linkFinder) look(tree pack.ID, depth int) bool {
	if found, known := f.leads[tree]; known || depth > maxTreeDepth {
		return found
	}
	found := false
	for _, e := range f.read(tree) {
		if e.IsCommit() || e.IsTree() && f.look(e.ID, depth+1) {
			found = true
		}
	}
	f.leads[tree] = found
	return found
}

// list notes the paths of the submodules in a tree that has some.
func (f *linkFinder) list(tree pack.ID, prefix string) {
	for _, e := range f.read(tree) {
		switch {
		case len(f.paths) == maxLinks:
			return
		case e.IsCommit():
			f.paths = append(f.paths, prefix+string(e.Name))
		case e.IsTree() && f.leads[e.ID]:
			f.list(e.ID, prefix+string(e.Name)+"/")
		}
	}
}

// headModules gives the submodules that HEAD has, and what its .gitmodules says.
// What cannot be read is reported elsewhere, as missing or corrupt.
func headModules(r *repository) (links []string, mods []refs.Module) {
	f := &linkFinder{differ: newDiffer(r), leads: map[pack.ID]bool{}}
	tree := f.tree(r.head)
	if !f.look(tree, 0) {
		return nil, nil
	}
	f.list(tree, "")
	for _, e := range f.read(tree) {
		if string(e.Name) == ".gitmodules" && !e.IsTree() {
			if _, text, err := f.reader.Object(e.ID); err == nil {
				mods = refs.ParseModules(text)
			}
		}
	}
	return f.paths, mods
}

// Submodules notes, after Walk, which submodules are here, and returns the git folders
// that this repository keeps for them, as they are shown.
func (h *History) Submodules(to source.Sink) (folders []string, err error) {
	common := h.CommonDir()
	dirs, errs := refs.ModuleDirs(common)
	for _, err := range errs {
		if err := to.Problem(finding.Problem{Path: h.shown, Error: "submodules: " + source.Reason(err)}); err != nil {
			return nil, err
		}
	}
	for _, dir := range dirs {
		if rel, err := filepath.Rel(common, dir); err == nil {
			folders = append(folders, path.Join(filepath.ToSlash(h.gitPath(common)), filepath.ToSlash(rel)))
		}
	}
	mods := h.modules
	if data, err := regular.ReadFile(filepath.Join(h.path, ".gitmodules"), source.SmallFile); err == nil {
		mods = refs.ParseModules(data)
	}
	known := map[string]bool{}
	for _, m := range mods {
		known[m.Path] = true
	}
	slices.Sort(h.links)
	for _, p := range slices.Compact(h.links) { // some have a repository and no entry in .gitmodules
		if !known[p] {
			mods = append(mods, refs.Module{Path: p})
		}
	}
	for _, m := range mods {
		s := finding.Submodule{Path: h.shownPath(m.Path), State: "not initialised"}
		here := func(dir string) bool { return m.Name != "" && sameFile(dir, filepath.Join(common, "modules", m.Name)) }
		if slices.ContainsFunc(dirs, here) || disk.Exists(filepath.Join(h.path, filepath.FromSlash(m.Path)), ".git") {
			s.State = "scanned"
		}
		h.cov.Submodules = append(h.cov.Submodules, s)
	}
	return folders, nil
}

// gitFiles hands over what git keeps beside the objects: configuration, hooks,
// messages being written, logs, packed references, the state of a rebase, and
// whatever anybody else has put there. These files stay with this clone, so their
// exposure is that of files git does not have. The object folder and, as they are
// repositories of their own, those of submodules are excluded.
func (h *History) gitFiles(ctx context.Context, r *repository, to source.Sink) error {
	dirs := []string{r.CommonDir()}
	rel, err := filepath.Rel(r.CommonDir(), r.GitDir())
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		dirs = append(dirs, r.GitDir()) // of a linked work tree in another folder
	}
	for _, dir := range dirs {
		skip := func(real string) bool {
			rel, err := filepath.Rel(dir, real)
			first, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
			return err == nil && (first == "objects" || first == "modules")
		}
		files := disk.Dir(h.gitPath(dir), disk.Options{Jobs: h.opts.Jobs, Skip: skip, Exposure: finding.Untracked})
		if err := files.Walk(ctx, to); err != nil {
			return err
		}
	}
	return nil
}

// gitPath is the name by which a git folder is shown: below the target where it
// is, else its own.
func (h *History) gitPath(dir string) string {
	for _, name := range []string{h.path, filepath.Join(h.path, ".git")} {
		if sameFile(name, dir) {
			return name
		}
	}
	return dir
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
