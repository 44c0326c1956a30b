package git

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/index"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/scanner/source"
)

// Options limit and tune the scan of a repository. The zero value reads
// every object that is there.
type Options struct {
	Jobs   int           // goroutines; 0 means one a processor
	Filter source.Filter // which paths are reported; objects without a path always are
	// Root is the folder that the filter's paths are relative to, the repository's own if empty.
	Root string
	// ObjectDir and Alternates are what git calls GIT_OBJECT_DIRECTORY and
	// GIT_ALTERNATE_OBJECT_DIRECTORIES: the quarantine of a push.
	ObjectDir  string
	Alternates []string
	// ShallowOK makes a warning of the problem that a shallow clone lacks history.
	ShallowOK bool
	// Scope bounds the scan to what some commits introduce.
	Scope Scope
	// Cache is a folder that remembers which packs were scanned; "" for none.
	// Version is that of the detector, without which nothing is remembered.
	Cache, Version string
}

// New returns the History of the repository at name: a work tree, a .git folder or
// file, or a bare repository.
func New(name string, opts Options) *History {
	shown := filepath.ToSlash(name)
	h := &History{path: name, shown: shown, base: shown, opts: opts}
	if path.Base(shown) == ".git" {
		h.base = path.Dir(shown)
	}
	if rel, err := filepath.Rel(opts.Root, filepath.FromSlash(h.base)); err == nil && opts.Root != "" {
		h.below = filepath.ToSlash(rel)
	}
	h.cov.Repository = shown
	return h
}

// A History is the object store of a repository as a source.
type History struct {
	path  string
	shown string // as the user named it
	base  string // put before the paths in it
	below string // its path in the target, for the filter
	opts  Options

	mu      sync.Mutex
	cov     finding.Coverage
	corrupt map[string]bool
	// only are the commits that a scope holds, once they are known; nil is all.
	only   map[pack.ID]bool
	staged []stagedEntry
	// links are the paths of submodules, modules what .gitmodules says of them where
	// there is no work tree to read it from.
	links   []string
	modules []refs.Module
	// looked is set when there is something to locate in.
	looked bool
	// received is set when the repository is not in a folder.
	received *Received
	early    *sweeper // of what was handed over while the pack arrived
}

// repository is an opened repository.
type repository struct {
	*pack.Store
	received bool // whoever received the store closes it
	refs     []refs.Ref
	head     pack.ID
	shallow  map[pack.ID]bool
	errs     []error // of references
}

func (h *History) open(problem func(pack.Problem)) (*repository, error) {
	if got := h.received; got != nil {
		r := &repository{Store: got.Store, received: true, refs: got.Refs, shallow: got.shallow()}
		r.head, _ = pack.ParseID(got.Head)
		return r, nil
	}
	s, err := pack.Open(h.path, pack.Options{ObjectDir: h.opts.ObjectDir, Alternates: h.opts.Alternates, Problem: problem})
	if err != nil {
		return nil, err
	}
	r := &repository{Store: s, shallow: map[pack.ID]bool{}}
	r.refs, r.errs = refs.Refs(s.CommonDir())
	head, err := refs.Head(s.GitDir(), r.refs)
	if err != nil {
		r.errs = append(r.errs, err)
	}
	r.head, _ = pack.ParseID(head)
	boundary, err := refs.Shallow(s.CommonDir())
	if err != nil {
		r.errs = append(r.errs, err)
	}
	for _, hex := range boundary {
		if id, err := pack.ParseID(hex); err == nil {
			r.shallow[id] = true
		}
	}
	return r, nil
}

// Close releases what open has opened.
func (r *repository) Close() error {
	if r.received {
		return nil
	}
	return r.Store.Close()
}

// indexed calls fn for the entries of all indexes that the repository has.
func (r *repository) indexed(fn func(indexEntry)) (errs []error) {
	if r.received {
		return nil
	}
	return eachIndexed(refs.Indexes(r.CommonDir()), fn)
}

// problem hands on what the store could not read.
func (h *History) problem(to source.Sink, p pack.Problem) error {
	out := finding.Problem{Path: filepath.ToSlash(p.Path), Object: p.ID.String(), Error: source.Reason(p.Err)}
	if out.Object != "" {
		out.Hint = "git fsck shows more; restore it from another clone"
		h.mu.Lock()
		known := h.corrupt[out.Object]
		h.corrupt[out.Object] = true
		h.mu.Unlock()
		if known {
			return nil
		}
	} else if strings.HasSuffix(out.Path, ".idx") {
		out.Hint = "git index-pack makes a new one from the pack"
	}
	return to.Problem(out)
}

// CommonDir is the folder that identifies a repository.
func (h *History) CommonDir() string {
	_, dir, err := gitdir.Find(h.path)
	if err != nil {
		return h.path
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return dir
}

// Own returns the hits that are in objects of this repository, with their numbers.
func (h *History) Own(hits []source.Hit) (at []int, own []source.Hit) {
	for i, hit := range hits {
		if hit.At.Blob != "" && hit.At.Repository == h.shown {
			at, own = append(at, i), append(own, hit)
		}
	}
	return at, own
}

// at is the place of an object before it is located.
func (h *History) at(id pack.ID, kind pack.Kind) finding.Location {
	return finding.Location{Repository: h.shown, Blob: id.String(), Object: kind.String(), Exposure: finding.Committed}
}

// shownPath is a path in the repository as the user would name it.
func (h *History) shownPath(rel string) string {
	switch h.base {
	case ".":
		return rel
	case "/":
		return "/" + rel
	}
	return strings.TrimSuffix(h.base, "/") + "/" + rel
}

// A Scope bounds a scan to what some commits introduce: keys that are at a place
// where none of the commit's parents has them. The zero value is everything. At
// most one field may be set, but for Except and Outgoing, which go with Updates.
type Scope struct {
	// Since is a revision or a date: what is reachable from any reference and not
	// from it, or was committed later.
	Since string
	// Range is A..B or A...B, as in git rev-list.
	Range string
	// Updates are references that are being moved. What Except leads to, as whole
	// names of references or their beginnings, is not new.
	Updates []Update
	Except  []string
	// Outgoing says that the updates have not left this machine yet.
	Outgoing bool
	// Staged is what the index would commit. IndexFile is read in place of the
	// repository's own index, as git does with GIT_INDEX_FILE.
	Staged    bool
	IndexFile string
}

// An Update is a reference on its way from one object to another. An id that is
// all zeros, or empty, is not an object.
type Update struct{ Old, New, Ref string }

// IsAll reports whether the scope is everything.
func (s Scope) IsAll() bool {
	return s.Since == "" && s.Range == "" && len(s.Updates) == 0 && !s.Staged
}

// String says what the scope holds.
func (s Scope) String() string {
	switch {
	case s.Since != "":
		return "what came since " + s.Since
	case s.Range != "":
		return "the range " + s.Range
	case s.Staged:
		return "what is staged"
	case len(s.Updates) > 0:
		return fmt.Sprintf("what %d updated references bring", len(s.Updates))
	}
	return ""
}

// sortedIDs sorts ids and leaves each in once.
func sortedIDs(ids []pack.ID) []pack.ID {
	slices.SortFunc(ids, pack.ID.Compare)
	return slices.Compact(ids)
}

// A stagedEntry is a path of the index that differs from HEAD, and the blob that
// HEAD has there, if any.
type stagedEntry struct {
	path     string
	id, head pack.ID
}

// An indexEntry is one path of a git index.
type indexEntry struct {
	path        string
	id          pack.ID
	mode        uint32
	intentToAdd bool
}

// isGitlink reports whether an entry is a submodule's commit, which is not in this
// store.
func (e *indexEntry) isGitlink() bool { return e.mode&0o170000 == 0o160000 }

// eachIndexed calls fn for the entries of all indexes that a repository has. The
// errors are of indexes that could not be read.
func eachIndexed(files []string, fn func(indexEntry)) (errs []error) {
	for _, name := range files {
		entries, _, err := readIndex(name, filepath.Dir(name))
		if err != nil {
			errs = append(errs, err)
		}
		for _, e := range entries {
			fn(e)
		}
	}
	return errs
}

// readIndex reads an index file of a git folder, in order of path. There are no
// entries where there is no file.
func readIndex(name, gitDir string) ([]indexEntry, *index.Tree, error) {
	var entries []indexEntry
	var paths strings.Builder // so that all paths take one allocation, or a few
	var ends []int
	tree, err := index.Each(name, gitDir, func(e index.Entry) bool {
		paths.Write(e.Name)
		ends = append(ends, paths.Len())
		entries = append(entries, indexEntry{id: pack.IDFromBytes(e.ID), mode: e.Mode, intentToAdd: e.IntentToAdd})
		return true
	})
	if err != nil {
		return nil, nil, err
	}
	text, start := paths.String(), 0
	for i, end := range ends {
		entries[i].path, start = text[start:end], end
	}
	byPath := func(a, b indexEntry) int { return cmp.Compare(a.path, b.path) }
	if !slices.IsSortedFunc(entries, byPath) { // a split index
		slices.SortStableFunc(entries, byPath)
	}
	return entries, tree, nil
}
