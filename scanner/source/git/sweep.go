package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
	"golang.org/x/sync/errgroup"
)

// A sweeper is the callback of one sweep.
type sweeper struct {
	h    *History
	to   source.Sink
	conn *connectivity
	repo *repository

	cache *packCache

	mu      sync.Mutex
	windows map[pack.ID]*lineTracker
	held    []pack.ID // objects with hits
	blobs   sync.Pool // *source.Blob
}

func (sw *sweeper) object(o *pack.Object) (hits int, err error) {
	if o.Window == nil {
		if err := sw.conn.object(o); err != nil {
			if err := sw.h.problem(sw.to, pack.Problem{ID: o.ID, Path: o.Pack, Err: err}); err != nil {
				return 0, err
			}
		}
	}
	if o.Kind == pack.Tree {
		return 0, nil
	}
	b, _ := sw.blobs.Get().(*source.Blob)
	if b == nil {
		b = &source.Blob{}
	}
	defer sw.blobs.Put(b)
	*b = source.Blob{At: sw.h.at(o.ID, o.Kind), Data: o.Data, Fresh: o.Fresh}
	switch {
	case !o.ID.IsZero():
	case o.Window == nil && packsMore(o): // its members' locations have its name
		b.At.Blob = o.Identify().String()
	default:
		b.At.Blob = "@" + strconv.FormatUint(o.Offset(), 10)
		if o.Window == nil {
			b.Name = func() string { return o.Identify().String() }
		}
	}
	if o.Window != nil {
		b.Window = sw.window(o)
		id := o.ID
		b.Open = func() (source.Content, error) { // for those who need to seek in it
			_, data, err := sw.repo.Reader().Object(id)
			return memory{bytes.NewReader(data)}, err
		}
	}
	hits, err = sw.to.Blob(b)
	if hits > 0 || sw.cache.worthAnother(o) {
		sw.mu.Lock()
		sw.held = append(sw.held, o.ID)
		sw.mu.Unlock()
	}
	return hits, err
}

// memory is a Content that is held whole.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// A lineTracker follows the windows of one large object, which come in order, and
// knows the line and column where each begins.
type lineTracker struct {
	at   source.Window // the place of tail[0]
	tail []byte        // from there to the end of what the last window owned
}

// window turns a window of a pack into one of a source.
func (sw *sweeper) window(o *pack.Object) *source.Window {
	sw.mu.Lock()
	t := sw.windows[o.ID]
	if t == nil {
		t = &lineTracker{}
		sw.windows[o.ID] = t
	}
	if o.Window.Last {
		delete(sw.windows, o.ID)
	}
	sw.mu.Unlock()
	data, in := o.Data, o.Window
	if lead := in.Offset - t.at.Offset; lead > 0 && lead <= int64(len(t.tail)) {
		t.at.Advance(t.tail[:lead])
	}
	out := t.at
	out.Own, out.Last = in.Own, in.Last
	// The next window begins at most as far before what it owns as this one shows
	// behind what it owns itself.
	from := max(0, in.Own.End-(len(data)-in.Own.End))
	t.at.Advance(data[:from])
	t.tail = append(t.tail[:0], data[from:in.Own.End]...)
	return &out
}

// hand hands over the problems met so far, and single objects, whole.
func (h *History) hand(ctx context.Context, r *repository, want map[pack.ID]bool, problems []pack.Problem, to source.Sink) error {
	for _, p := range problems {
		if err := h.problem(to, p); err != nil {
			return err
		}
	}
	ids := slices.SortedFunc(maps.Keys(want), pack.ID.Compare)
	jobs := h.opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	h.cov.Kinds = map[string]finding.ObjectCount{}
	g, ctx := errgroup.WithContext(ctx)
	for part := range slices.Chunk(ids, max(1, (len(ids)+jobs-1)/jobs)) {
		g.Go(func() error {
			reader := r.Reader()
			for _, id := range part {
				kind, data, err := reader.Object(id)
				if err != nil {
					err = h.problem(to, pack.Problem{ID: id, Path: h.shown, Err: err})
				} else if _, err = to.Blob(&source.Blob{At: h.at(id, kind), Data: data}); err == nil {
					h.mu.Lock()
					n := h.cov.Kinds[kind.String()]
					n.Seen, n.Scanned = n.Seen+1, n.Scanned+1
					h.cov.Kinds[kind.String()] = n
					h.mu.Unlock()
				}
				if err = cmp.Or(err, ctx.Err()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// replay hands over what the packs that were not read hold.
func (c *packCache) replay(ctx context.Context, sw *sweeper) error {
	if c == nil {
		return nil
	}
	reader := sw.repo.Reader()
	for _, id := range c.again {
		if slices.Contains(sw.held, id) {
			continue
		}
		kind, data, err := reader.Object(id)
		if err != nil {
			err = c.h.problem(sw.to, pack.Problem{ID: id, Err: err})
		} else {
			_, err = sw.object(&pack.Object{ID: id, Kind: kind, Data: data})
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
