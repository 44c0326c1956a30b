package git

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/scanner/source"
)

// Received is a repository that came over a connection and lies in no folder.
type Received struct {
	Store *pack.Store
	Refs  []refs.Ref // by name
	Head  string     // the id that HEAD leads to; "" for none
	// Incomplete says that the pack broke off: what is not in it is no news.
	Incomplete bool
	// Shallow are the commits whose parents the server does not have.
	Shallow []string
	// Known are objects that the pack does not hold because they were scanned before, with
	// all that they lead to; Since says when.
	Known []pack.ID
	Since string
}

// NewReceived returns the History of a repository that was received; shown is its name.
// Paths are those in the repository. Beside the objects there are no files.
func NewReceived(shown string, r *Received, opts Options) *History {
	h := &History{path: shown, shown: shown, base: ".", opts: opts, received: r, corrupt: map[string]bool{}}
	h.cov.Repository = shown
	return h
}

func (got *Received) shallow() map[pack.ID]bool {
	ids := map[pack.ID]bool{}
	for _, hex := range got.Shallow {
		if id, err := pack.ParseID(hex); err == nil {
			ids[id] = true
		}
	}
	return ids
}

// SetFilter sets which paths are reported, before anything is located.
func (h *History) SetFilter(f source.Filter) { h.opts.Filter = f }

// Receive reads the pack of the repository, and hands objects over while it arrives, but
// for a scope: what a scope holds is known when all is here. The references are known.
func (h *History) Receive(in io.Reader, o pack.ReceiveOptions, to source.Sink) {
	if h.opts.Scope.IsAll() {
		h.early = h.newSweeper(&repository{received: true}, to)
		o.Early, o.Sweep = h.early.object, h.sweepReceived()
	}
	h.received.Store = pack.Receive(in, o)
}

func (h *History) newSweeper(r *repository, to source.Sink) *sweeper {
	r.shallow = h.received.shallow()
	c := &connectivity{r: r, received: true, hash: hashReceived}
	return &sweeper{h: h, to: to, conn: c, windows: map[pack.ID]*lineTracker{}, repo: r}
}

// hashReceived is the length of ids that servers are asked for.
const hashReceived = 20

// sweepReceived are the options of a sweep over a pack that was received. Only commits
// and tags are hashed, to see that all of them came; what the trees name is taken on
// trust of the server, which made the pack by reading them. The pack's own checksum was
// verified.
func (h *History) sweepReceived() pack.SweepOptions {
	return pack.SweepOptions{Jobs: h.opts.Jobs, Rest: true, Identify: pack.KindSet(pack.Commit, pack.Tag),
		Kinds: pack.KindSet(pack.Blob, pack.Commit, pack.Tag, pack.Tree)}
}

// walkReceived hands over the objects of a pack that was received, as far as that was
// not done while it arrived.
func (h *History) walkReceived(ctx context.Context, r *repository, to source.Sink) error {
	sw := h.early
	if sw == nil {
		sw = h.newSweeper(r, to)
	}
	sw.repo, sw.conn.r = r, r
	h.cov.Scope = h.received.Since
	stats, err := r.Sweep(ctx, sw.object, h.sweepReceived())
	h.count(stats)
	if err != nil {
		return err
	}
	if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Commit, pack.Tag)); err != nil {
		return err
	}
	if !h.received.Incomplete {
		if err := h.notSent(ctx, sw.conn, to); err != nil {
			return err
		}
	}
	if sw.conn.linked.Load() {
		if err := h.submodulesReceived(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// notSent reports what references and commits lead to and the pack does not hold. What
// a commit leads to that was scanned before is not in the pack either.
func (h *History) notSent(ctx context.Context, c *connectivity, to source.Sink) error {
	r, known := c.r, map[pack.ID]bool{}
	for _, id := range h.received.Known {
		known[id] = true
	}
	var others []pack.ID // of references to blobs and trees, most likely
	for _, ref := range r.refs {
		if id, err := pack.ParseID(ref.ID); err == nil && !r.Packed(id) && !known[id] {
			others = append(others, id)
		}
	}
	if len(others) > 0 {
		others = sortedIDs(others)
		if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Tree, pack.Blob), others...); err != nil {
			return err
		}
	}
	missing := others
	if len(known) == 0 {
		missing = append(missing, c.loose...)
	}
	for _, id := range sortedIDs(missing) {
		if r.Packed(id) {
			continue
		}
		h.cov.Missing = append(h.cov.Missing, id.String())
		err := to.Problem(finding.Problem{Path: h.shown, Object: id.String(),
			Error: "is referred to, and the server did not send it", Hint: "scan again; if it stays so, scan a clone: git clone --mirror"})
		if err != nil {
			return err
		}
	}
	return nil
}

// submodulesReceived notes the submodules that HEAD has; none was fetched.
func (h *History) submodulesReceived(ctx context.Context, r *repository) error {
	if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Tree)); err != nil {
		return err
	}
	if id, err := entryAt(r, r.head, ".gitmodules"); err == nil {
		if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Blob), id); err != nil {
			return err
		}
	}
	links, mods := headModules(r)
	known := map[string]bool{}
	for _, m := range mods {
		known[m.Path] = true
	}
	slices.Sort(links)
	for _, p := range slices.Compact(links) {
		if !known[p] {
			mods = append(mods, refs.Module{Path: p})
		}
	}
	for _, m := range mods {
		h.cov.Submodules = append(h.cov.Submodules, finding.Submodule{Path: m.Path, State: "not initialised"})
	}
	return nil
}

// settled gives hits in a received pack the ids of their objects, where they have none
// yet, and makes all that locates them known.
func (h *History) settled(ctx context.Context, r *repository, hits []source.Hit) ([]source.Hit, error) {
	if !r.received {
		return hits, nil
	}
	if err := r.Identify(ctx, h.opts.Jobs, pack.KindSet(pack.Commit, pack.Tag, pack.Tree)); err != nil {
		return hits, err
	}
	hits = slices.Clone(hits)
	for i := range hits {
		at, ok := strings.CutPrefix(hits[i].At.Blob, "@")
		if !ok {
			continue
		}
		off, err := strconv.ParseUint(at, 10, 64)
		if err == nil {
			hits[i].At.Blob = r.IDAt(off).String()
		}
	}
	return hits, nil
}

// File returns the content of a regular file as it is in a revision of a repository
// that was received, and its id; see FileAt. The id is known also where the error says
// that the content is not here.
func (got *Received) File(ctx context.Context, revision, name string, most int) (data []byte, id pack.ID, err error) {
	r, err := NewReceived("", got, Options{}).open(nil)
	if err != nil {
		return nil, id, err
	}
	if err := r.Identify(ctx, 0, pack.KindSet(pack.Commit, pack.Tag, pack.Tree)); err != nil {
		return nil, id, err
	}
	data, err = r.file(revision, name, most, func(blob pack.ID) error {
		id = blob
		return r.Identify(ctx, 0, pack.KindSet(pack.Blob), blob)
	})
	return data, id, err
}
