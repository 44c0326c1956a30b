package git

import (
	"bytes"
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/index"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
)

// walkStaged hands over the blobs of the index that HEAD does not have at their
// paths, and those that HEAD has there, which Locate distinguishes. Trees are only
// read where the index does not remember that they are those of HEAD. The sides of
// a conflict are scanned, too.
func (h *History) walkStaged(ctx context.Context, r *repository, to source.Sink) error {
	name := h.opts.Scope.IndexFile
	if name == "" {
		name = filepath.Join(r.GitDir(), "index")
	}
	entries, trees, err := readIndex(name, r.GitDir())
	if err != nil {
		return to.Problem(finding.Problem{Path: h.shown, Error: err.Error()})
	}
	s := &stager{differ: newDiffer(r), entries: entries}
	s.compare("", s.tree(r.head), trees, len(entries))
	h.staged = s.found
	return h.hand(ctx, r, s.want, s.problems, to)
}

// A stager compares an index with a tree, from the front.
type stager struct {
	differ
	entries []indexEntry // what is left of the index
	found   []stagedEntry
}

// compare takes the entries below prefix off the index. count is at most how many
// they are.
func (s *stager) compare(prefix string, tree pack.ID, cache *index.Tree, count int) {
	if cache != nil && cache.ID != nil && cache.Entries <= count && bytes.Equal(cache.ID, tree.Bytes()) {
		s.entries = s.entries[cache.Entries:]
		return
	}
	head := map[string]pack.TreeEntry{}
	for _, e := range s.read(tree) {
		head[string(e.Name)] = e
	}
	for len(s.entries) > 0 && strings.HasPrefix(s.entries[0].path, prefix) {
		e := &s.entries[0]
		name, _, below := strings.Cut(e.path[len(prefix):], "/")
		if below && name != "" && e.mode != index.ModeTree {
			sub := pack.ID{}
			if old := head[name]; old.IsTree() {
				sub = old.ID
			}
			var below *index.Tree
			if cache != nil {
				if i := slices.IndexFunc(cache.Dirs, func(d *index.Tree) bool { return d.Name == name }); i >= 0 {
					below = cache.Dirs[i]
				}
			}
			s.compare(e.path[:len(prefix)+len(name)+1], sub, below, len(s.entries))
			continue
		}
		s.entries = s.entries[1:]
		switch old := head[name]; {
		case e.id == old.ID || e.isGitlink() || e.intentToAdd:
		case e.mode == index.ModeTree: // a folder that is not checked out, in a sparse index
			s.diff(e.id, []pack.ID{old.ID})
		default:
			in := pack.ID{}
			if !old.IsTree() && !old.IsCommit() && !old.ID.IsZero() {
				in = old.ID
				s.want[in] = true
			}
			s.want[e.id] = true
			s.found = append(s.found, stagedEntry{e.path, e.id, in})
		}
	}
}

// locateStaged gives the paths where the index contains a key that HEAD does not.
func (h *History) locateStaged(hits []source.Hit) [][]finding.Location {
	type keyIn struct{ blob, key string }
	has := map[keyIn]bool{}
	for _, hit := range hits {
		has[keyIn{hit.At.Blob, hit.Key}] = true
	}
	out := make([][]finding.Location, len(hits))
	byBlob := map[string][]stagedEntry{}
	for _, e := range h.staged {
		byBlob[e.id.String()] = append(byBlob[e.id.String()], e)
	}
	for i, hit := range hits {
		for _, e := range byBlob[hit.At.Blob] {
			if has[keyIn{e.head.String(), hit.Key}] || h.opts.Filter.Skip(path.Join(h.below, e.path)) {
				continue
			}
			at := hit.At
			at.Object, at.Path, at.Exposure = "index", h.shownPath(e.path), finding.Staged
			out[i] = append(out[i], at)
		}
	}
	return out
}
