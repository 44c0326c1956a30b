package git

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/internal/git/index"
	"github.com/b10lint/b10lint/internal/git/pack"
)

// An indexEntry is one path of a git index.
type indexEntry struct {
	path        string
	id          pack.ID
	mode        uint32
	intentToAdd bool
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
