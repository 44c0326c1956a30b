package git

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/ignore"
	"github.com/b10lint/b10lint/internal/git/index"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// A State is what git knows of a file on disk.
type State struct {
	// Exposure is Committed for a file in the index, Ignored or Untracked for one
	// that is only in the work tree, Plain for one that is in no repository.
	Exposure finding.Exposure
	// Root is the work tree, and Rel the path in it, slash separated; both are
	// empty for Plain.
	Root, Rel string
	// Err is what kept the state from being known. The Exposure is then not
	// narrower than the truth.
	Err error
}

// WorkTrees answers what git knows of files. A file belongs to the innermost
// repository around it: the usual kind, a linked work tree or a submodule. A
// symbolic link is asked for where it leads to, which is where the key is.
// Nothing is executed. It is for one goroutine.
type WorkTrees struct {
	env  func(string) string
	dirs map[string]*workTree // by folder; nil for one that is in none
}

// NewWorkTrees returns a WorkTrees. lookup is os.LookupEnv or a replacement: variables
// lead to the user's own git configuration. Nil stands for no variables.
func NewWorkTrees(lookup func(string) (string, bool)) *WorkTrees {
	w := &WorkTrees{env: func(string) string { return "" }, dirs: map[string]*workTree{}}
	if lookup != nil {
		w.env = func(name string) string { v, _ := lookup(name); return v }
	}
	return w
}

// A workTree is the folder that a repository's files are in.
type workTree struct {
	root, gitDir  string
	opts          ignore.Options
	ignored       *ignore.Matcher
	err           error
	exact, folded map[string]bool // paths that were asked for; set when in the index
}

// States returns the state of each file. Each index is read once.
func (w *WorkTrees) States(names []string) []State {
	out := make([]State, len(names))
	trees := make([]*workTree, len(names))
	asked := map[*workTree][]string{}
	for i, name := range names {
		t, rel := w.place(name)
		if trees[i] = t; t == nil {
			out[i].Exposure = finding.Plain
			continue
		}
		out[i].Root, out[i].Rel = t.root, rel
		asked[t] = append(asked[t], rel)
	}
	for t, rels := range asked {
		t.look(rels)
	}
	for i, t := range trees {
		if t != nil {
			out[i].Exposure, out[i].Err = t.state(out[i].Rel)
		}
	}
	return out
}

// State is States for one file.
func (w *WorkTrees) State(name string) State { return w.States([]string{name})[0] }

// place finds the work tree of a file and its path in it. Files of the git folder
// itself are in none.
func (w *WorkTrees) place(name string) (*workTree, string) {
	real := disk.RealPath(name)
	t := w.around(filepath.Dir(real))
	if t == nil {
		return nil, ""
	}
	rel, err := filepath.Rel(t.root, real)
	rel = filepath.ToSlash(rel)
	if err != nil || rel == ".git" || strings.HasPrefix(rel, ".git/") {
		return nil, ""
	}
	if t.opts.Compose {
		rel = norm.NFC.String(rel)
	}
	return t, rel
}

// around returns the work tree that a folder is in.
func (w *WorkTrees) around(dir string) *workTree {
	t, known := w.dirs[dir]
	if known {
		return t
	}
	if t = w.open(dir); t == nil && dir != filepath.Dir(dir) {
		t = w.around(filepath.Dir(dir))
	}
	w.dirs[dir] = t
	return t
}

// open returns the work tree whose root is dir, nil when it is none. git goes by
// HEAD, objects and refs; an empty folder of the name .git is not a repository.
func (w *WorkTrees) open(dir string) *workTree {
	git := filepath.Join(dir, ".git")
	info, err := os.Stat(git)
	if err != nil {
		return nil
	}
	own, common := gitdir.OfWorkTree(dir)
	t := &workTree{root: dir, gitDir: own}
	if !disk.Exists(own, "HEAD") || !disk.Exists(common, "objects") || !disk.Exists(common, "refs") && !disk.Exists(common, "reftable") {
		if info.IsDir() {
			return nil
		}
		// A file called .git says that there is a repository, which is elsewhere.
		t.err = fmt.Errorf("%s leads to no git repository", filepath.ToSlash(git))
		return t
	}
	t.opts = ignore.Discover(dir, w.env)
	t.ignored = ignore.New(dir, t.opts)
	return t
}

// look finds out which of the paths are in the index.
func (t *workTree) look(rels []string) {
	t.exact, t.folded = map[string]bool{}, map[string]bool{}
	longest := 0
	for _, rel := range rels {
		t.exact[rel] = false
		longest = max(longest, len(rel))
		if t.opts.IgnoreCase {
			t.folded[strings.ToLower(rel)] = false
		}
		// A sparse index has one entry for a whole folder.
		for i := range len(rel) {
			if rel[i] == '/' {
				t.exact[rel[:i+1]] = false
			}
		}
	}
	if t.gitDir == "" || t.err != nil {
		return
	}
	_, err := index.Each(filepath.Join(t.gitDir, "index"), t.gitDir, func(e index.Entry) bool {
		if len(e.Name) > longest || e.IntentToAdd {
			return true // of git add -N git has the name only
		}
		if _, asked := t.exact[string(e.Name)]; asked {
			t.exact[string(e.Name)] = true
		}
		if t.opts.IgnoreCase {
			name := strings.ToLower(string(e.Name))
			if _, asked := t.folded[name]; asked {
				t.folded[name] = true
			}
		}
		return true
	})
	if err != nil {
		t.err = fmt.Errorf("%s: %w", filepath.ToSlash(t.root), err)
	}
}

// state judges one of the paths that look was asked for.
func (t *workTree) state(rel string) (finding.Exposure, error) {
	if t.err != nil {
		return finding.Untracked, t.err
	}
	if t.exact[rel] || t.folded[strings.ToLower(rel)] {
		return finding.Committed, nil
	}
	for i := range len(rel) {
		if rel[i] == '/' && t.exact[rel[:i+1]] {
			return finding.Committed, nil
		}
	}
	ignored := t.ignored.Ignored(rel, false)
	switch err := errors.Join(t.ignored.Errors()...); {
	case err != nil:
		return finding.Untracked, err
	case ignored:
		return finding.Ignored, nil
	}
	return finding.Untracked, nil
}
