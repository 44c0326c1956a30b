package pack

import (
	"context"
	"path/filepath"
	"slices"
)

// A PackInfo describes a pack of the store.
type PackInfo struct {
	Path    string
	Objects int   // in its index
	Bytes   int64 // of the pack
	// Promisor is set on packs from a server that has promised whatever they
	// refer to, so that it may be absent here (a partial clone).
	Promisor bool
	Keep     bool // git must not delete it
	// Alternate is set when the pack is not in the repository's own folder.
	Alternate bool
	// Unindexed is set when the pack had no usable index and was read in order.
	Unindexed bool
}

// Packs describes the packs of the store, in its order.
func (s *Store) Packs() []PackInfo {
	own := filepath.Join(s.dirs[0], "pack")
	infos := make([]PackInfo, 0, len(s.packs))
	for _, p := range s.packs {
		infos = append(infos, PackInfo{
			Path: p.path, Objects: p.idx.ids.n, Bytes: int64(len(p.mapped)),
			Promisor: p.promisor, Keep: p.keep,
			Alternate: filepath.Dir(p.path) != own, Unindexed: p.walked,
		})
	}
	return infos
}

// ObjectDirs are the object folders of the store: the repository's own, then its
// alternates.
func (s *Store) ObjectDirs() []string { return slices.Clone(s.dirs) }

// A Listed object is one of those that List names.
type Listed struct {
	ID   ID
	Kind Kind   // 0 if it cannot be read, which is a Problem
	Pack string // the path of its pack; "" for a loose object
}

// List names every object of the store, trees included, each once, by reading
// nothing but headers. It calls fn from its own goroutine and ends when fn fails.
func (s *Store) List(ctx context.Context, fn func(Listed) error) error {
	f, err := s.forest(ctx, defaultJobs(0), nil)
	if err != nil {
		return err
	}
	r := s.Reader()
	for _, g := range f.groups {
		for rank := range g.n {
			n := g.base + node(rank)
			if f.isCopy(n) {
				continue
			}
			l := Listed{Kind: f.kind[n]}
			err := guard(func() error { l.ID = IDFromBytes(g.id(rank)); return nil })
			if g.pack != nil {
				l.Pack = g.pack.path
			}
			if l.Kind == 0 && err == nil {
				l.Kind, err = r.Kind(l.ID)
			}
			if err != nil {
				s.opts.Problem(Problem{ID: l.ID, Path: l.Pack, Err: err})
			}
			if l.ID.IsZero() {
				continue
			}
			if err := fn(l); err != nil {
				return err
			}
			if rank&0xfff == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}
