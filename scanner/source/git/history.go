// Package git is the source of what git repositories on this machine hold: every
// object, or what some commits or the index bring. Walk sweeps the packs; only when
// something was found are trees and commits read again to locate it (locate, with
// forest, graph and changes). worktree says what git knows of a file on disk.
package git

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/scanner/source"
)

// Walk hands over every blob, commit and tag, reachable or not, each once; then the
// plain files that git keeps beside the objects, such as its configuration and logs.
// With a Scope, only what it holds. The location of an object has its id and no path
// until Locate says which commits and paths it belongs to.
func (h *History) Walk(ctx context.Context, to source.Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if h.early == nil {
		h.corrupt = map[string]bool{}
	}
	r, err := h.open(func(p pack.Problem) {
		if err := h.problem(to, p); err != nil {
			cancel(err)
		}
	})
	if err != nil {
		return to.Problem(finding.Problem{Path: h.shown, Error: "cannot be read as a git repository: " + source.Reason(err)})
	}
	defer r.Close()
	h.looked = true
	h.cov.Packs, h.cov.Refs, h.cov.Alternates = len(r.Packs()), len(r.refs), len(r.ObjectDirs())-1
	for id := range r.shallow {
		h.cov.Shallow = append(h.cov.Shallow, id.String())
	}
	slices.Sort(h.cov.Shallow)
	for _, err := range r.errs {
		p := finding.Problem{Path: h.shown, Error: err.Error()}
		if errors.Is(err, refs.ErrReftable) {
			p.Hint = refs.ReftableHint
		}
		if err := to.Problem(p); err != nil {
			return err
		}
	}
	if !h.opts.Scope.IsAll() {
		if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Commit, pack.Tag, pack.Tree, pack.Blob)); err != nil {
			return err
		}
		return h.walkScope(ctx, r, to)
	}
	sweep := h.sweep
	if h.received != nil {
		sweep = h.walkReceived
	}
	if err := sweep(ctx, r, to); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return context.Cause(ctx)
		}
		return err
	}
	if len(h.cov.Shallow) > 0 {
		err := to.Problem(finding.Problem{Path: h.shown, Warning: h.opts.ShallowOK,
			Error: "is a shallow clone: what was removed before its first commits is not here",
			Hint:  "git fetch --unshallow, or fetch-depth: 0 in a workflow; --shallow-ok accepts it"})
		if err != nil {
			return err
		}
	}
	if h.received != nil {
		return nil
	}
	return h.gitFiles(ctx, r, to)
}

// sweep hands over every object and checks that what they refer to is there.
func (h *History) sweep(ctx context.Context, r *repository, to source.Sink) error {
	c := &connectivity{r: r, hash: r.HashSize(), promisor: map[string]bool{}, absent: map[pack.ID]bool{}, empty: emptyTree(r.HashSize())}
	for _, p := range r.Packs() {
		c.promisor[p.Path] = p.Promisor
	}
	cache, skip, err := h.openCache(r, to)
	if err != nil {
		return err
	}
	sw := &sweeper{h: h, to: to, conn: c, cache: cache, windows: map[pack.ID]*lineTracker{}, repo: r}
	stats, err := r.Sweep(ctx, sw.object, pack.SweepOptions{
		Jobs: h.opts.Jobs, SkipPacks: skip,
		Kinds: pack.KindSet(pack.Blob, pack.Commit, pack.Tag, pack.Tree),
	})
	h.count(stats)
	if err != nil {
		return err
	}
	if err := cache.replay(ctx, sw); err != nil {
		return err
	}
	if h.links, err = h.missing(c, to); err != nil {
		return err
	}
	// The submodules are those in the index or, where there is no work tree, those of
	// HEAD, which no tree has to be read for if none that was swept has one.
	if (c.linked.Load() || len(skip) > 0) && gitdir.Is(h.path) {
		h.links, h.modules = headModules(r)
	}
	for id := range h.corrupt {
		h.cov.Corrupt = append(h.cov.Corrupt, id)
	}
	slices.Sort(h.cov.Corrupt)
	if err := cache.store(r, sortedIDs(sw.held), c, len(h.corrupt) == 0); err != nil {
		return to.Problem(finding.Problem{Path: filepath.ToSlash(h.opts.Cache), Warning: true, Error: "the cache could not be written: " + err.Error()})
	}
	return nil
}

// count turns what the sweep did into coverage.
func (h *History) count(s pack.SweepStats) {
	h.cov.Loose = int(s.Loose)
	h.cov.Kinds = map[string]finding.ObjectCount{}
	for _, k := range []pack.Kind{pack.Blob, pack.Commit, pack.Tag, pack.Tree} {
		n := finding.ObjectCount{Seen: int(s.Handed[k] + s.Seen[k] + s.Others[k]), Scanned: int(s.Handed[k] + s.Seen[k])}
		if k == pack.Tree {
			// Names of files and ids: read to see that all is there.
			n.Scanned, n.Skipped = 0, map[string]int{"hold names and ids": n.Seen}
		}
		h.cov.Cached += int(s.Seen[k])
		if n.Seen > 0 {
			h.cov.Kinds[k.String()] = n
		}
	}
	if s.Failed > 0 {
		h.cov.Kinds["object"] = finding.ObjectCount{Seen: int(s.Failed), Skipped: map[string]int{"not readable": int(s.Failed)}}
	}
}

// Coverage says what was read; nothing where there is not a repository.
func (h *History) Coverage() []finding.Coverage {
	if !h.looked {
		return nil
	}
	return []finding.Coverage{h.cov}
}
