package git

import (
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
)

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
	return t.next(o.Data, o.Window)
}

func (t *lineTracker) next(data []byte, in *pack.Window) *source.Window {
	if lead := in.Offset - t.at.Offset; lead > 0 && lead <= int64(len(t.tail)) {
		t.at.Advance(t.tail[:lead])
	}
	out := t.at
	out.Own, out.Last = finding.Span(in.Own), in.Last
	// The next window begins at most as far before what it owns as this one shows
	// behind what it owns itself.
	from := max(0, in.Own.End-(len(data)-in.Own.End))
	t.at.Advance(data[:from])
	t.tail = append(t.tail[:0], data[from:in.Own.End]...)
	return &out
}

func sortStrings(s []string) { slices.SortFunc(s, strings.Compare) }

// sortedIDs sorts ids and leaves each in once.
func sortedIDs(ids []pack.ID) []pack.ID {
	slices.SortFunc(ids, pack.ID.Compare)
	return slices.Compact(ids)
}
