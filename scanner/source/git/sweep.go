package git

import (
	"bytes"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
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

// sortedIDs sorts ids and leaves each in once.
func sortedIDs(ids []pack.ID) []pack.ID {
	slices.SortFunc(ids, pack.ID.Compare)
	return slices.Compact(ids)
}
