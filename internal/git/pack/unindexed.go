package pack

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/b10lint/b10lint/internal/inflate"
)

// walkPack makes an index for a pack without a usable one, by reading it from its
// start: where an object ends, the next one starts. The ids are computed. Objects
// behind a damaged one cannot be found; what comes before it is kept.
func (s *Store) walkPack(p *packFile) {
	w := &packWalk{s: s, p: p, sum: newHasher(s.hash), byRef: map[ID]int32{}, left: s.expandMost()}
	if err := guard(w.findEntries); err != nil {
		s.problem(p.path, fmt.Errorf("%w: %w", errWalk, err))
	}
	w.nameAll()
	p.idx, p.walked = w.index(), true
}

// A packWalk is the making of an index. Entries are named by their place in found.
type packWalk struct {
	s      *Store
	p      *packFile
	inf    inflate.Decoder
	sum    *hasher
	found  []walked
	byRef  map[ID]int32 // the deltas that name a base by its id, as a list
	frames []walkFrame
	held   int64 // bytes in frames
	left   int64 // bytes that may yet be made of deltas
	buf    []byte
}

// A walked entry is one that has been found in the pack. Its deltas are a list:
// first, then the next of each; 0 is no entry.
type walked struct {
	off, end    uint64
	id          ID    // zero until it is known
	err         error // why it will not be
	first, next int32
}

// at finds the entry that starts at off; 0 is none.
func (w *packWalk) at(off uint64) int32 {
	n, ok := slices.BinarySearchFunc(w.found, off, func(e walked, off uint64) int { return cmp.Compare(e.off, off) })
	if !ok {
		return 0
	}
	return int32(n)
}

// findEntries finds where the objects start, which takes inflating all of them.
func (w *packWalk) findEntries() error {
	w.found = append(w.found, walked{}) // 0 is no entry
	off := uint64(packHeaderBytes)
	for range w.p.count {
		e, err := w.p.entry(off)
		if err != nil {
			return err
		}
		used, err := w.skip(e)
		if err != nil {
			return err
		}
		if len(w.found) > math.MaxInt32 {
			return errTooMany
		}
		n := int32(len(w.found))
		w.found = append(w.found, walked{off: off, end: e.body + used})
		switch e.kind {
		case ofsDelta:
			if b := w.at(e.base); b != 0 {
				w.found[n].next, w.found[b].first = w.found[b].first, n
			}
		case refDelta:
			id := IDFromBytes(e.ref)
			w.found[n].next, w.byRef[id] = w.byRef[id], n
		}
		off = e.body + used
	}
	return nil
}

// skip decodes a stream for nothing but its compressed length.
func (w *packWalk) skip(e entry) (used uint64, err error) {
	src := w.p.data[e.body:]
	if !believable(e.size, uint64(len(src))) {
		return 0, errAbsurdSize
	}
	if e.size <= largeBuffer {
		w.buf = slices.Grow(w.buf[:0], int(e.size))[:e.size]
		n, used, err := w.inf.Zlib(w.buf, src)
		if err == nil && n != len(w.buf) {
			err = errWrongSize
		}
		return uint64(used), err
	}
	in := bytes.NewReader(src)
	z, err := zlib.NewReader(in)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, int64(e.size)+1))
	if err == nil && uint64(n) != e.size {
		err = errWrongSize
	}
	return uint64(len(src) - in.Len()), err
}

// nameAll computes the ids of all that can be made, and reports the rest.
func (w *packWalk) nameAll() {
	for n := range w.found {
		w.name(int32(n), found{})
		w.drain()
	}
	// What is left has its base in another pack, or loose, or nowhere.
	r := w.s.Reader()
	for progress := true; progress; {
		progress = false
		ids := slices.SortedFunc(maps.Keys(w.byRef), ID.Compare)
		for _, id := range ids {
			if kind, data, err := r.Object(id); err == nil {
				w.push(w.takeRef(id), found{kind, data})
				w.drain()
				progress = true
			}
		}
	}
	for n := range w.found {
		if e := &w.found[n]; e.off != 0 && e.id.IsZero() {
			w.s.opts.Problem(Problem{Path: w.p.path, Offset: int64(e.off), Err: w.why(e)})
		}
	}
}

// why says why e could not be made.
func (w *packWalk) why(e *walked) (err error) {
	if e.err != nil {
		return e.err
	}
	guard(func() error {
		h, _ := w.p.entry(e.off)
		switch {
		case h.kind == refDelta:
			err = baseMissing(IDFromBytes(h.ref))
		case w.at(h.base) == 0:
			err = errBaseOffset
		default:
			err = errBaseUnread
		}
		return nil
	})
	return cmp.Or(err, errChanged)
}

func (w *packWalk) takeRef(id ID) int32 {
	n := w.byRef[id]
	delete(w.byRef, id)
	return n
}

// A walkFrame is an object and the deltas that are yet to be made from it.
type walkFrame struct {
	next int32
	base found
}

func (w *packWalk) push(deltas int32, base found) {
	if deltas != 0 {
		w.frames = append(w.frames, walkFrame{deltas, base})
		w.held += int64(len(base.data))
	}
}

func (w *packWalk) drain() {
	for len(w.frames) > 0 {
		top := &w.frames[len(w.frames)-1]
		n, base := top.next, top.base
		if top.next = w.found[n].next; top.next == 0 {
			w.frames = w.frames[:len(w.frames)-1]
			w.held -= int64(len(base.data))
		}
		w.name(n, base)
	}
}

// name makes entry n, from base if it is a delta, and computes its id. A delta
// without a base is left for later.
func (w *packWalk) name(n int32, base found) {
	e := &w.found[n]
	if n == 0 {
		return
	}
	err := guard(func() error {
		h, err := w.p.entry(e.off)
		switch {
		case err != nil:
			return err
		case Kind(h.kind).valid():
			return w.nameBase(e, h)
		case base.kind != 0:
			return w.nameDelta(e, h, base)
		}
		return nil
	})
	if err != nil {
		e.err = err
	}
}

func (w *packWalk) inflate(e *walked, h entry) ([]byte, error) {
	if int64(h.size) > w.s.opts.HoldMost-w.held {
		return nil, ErrTooLarge
	}
	data := make([]byte, h.size)
	_, _, err := w.inf.Zlib(data, w.p.data[h.body:e.end]) // skip has seen its size
	return data, err
}

func (w *packWalk) nameBase(e *walked, h entry) error {
	if h.size > uint64(w.s.opts.StreamOver) && e.first == 0 && len(w.byRef) == 0 {
		return w.nameStreamed(e, h)
	}
	data, err := w.inflate(e, h)
	if err != nil {
		return err
	}
	w.named(e, found{Kind(h.kind), data})
	return nil
}

func (w *packWalk) nameDelta(e *walked, h entry, base found) error {
	delta, err := w.inflate(e, h)
	if err != nil {
		return err
	}
	data, err := w.s.patch(base.data, delta, w.held)
	if err != nil {
		return err
	}
	if w.left -= int64(len(data)); w.left < 0 {
		return ErrTooLarge
	}
	w.named(e, found{base.kind, data})
	return nil
}

// named notes the id of what e holds, and pushes what is made from it.
func (w *packWalk) named(e *walked, obj found) {
	e.id = w.sum.object(obj.kind, obj.data)
	w.push(e.first, obj)
	w.push(w.takeRef(e.id), obj)
}

// nameStreamed names an object that is large and the base of nothing.
func (w *packWalk) nameStreamed(e *walked, h entry) error {
	z, err := zlib.NewReader(bytes.NewReader(w.p.data[h.body:e.end]))
	if err != nil {
		return err
	}
	w.sum.begin(Kind(h.kind), int64(h.size))
	if _, err := io.Copy(w.sum, z); err != nil {
		return err
	}
	e.id = w.sum.end()
	return nil
}

// index makes the index of what has got a name.
func (w *packWalk) index() *index {
	named := slices.DeleteFunc(w.found, func(e walked) bool { return e.id.IsZero() })
	slices.SortFunc(named, func(a, b walked) int {
		return cmp.Or(a.id.Compare(b.id), cmp.Compare(a.off, b.off))
	})
	x := &index{ids: idTable{hash: w.s.hash, stride: w.s.hash, n: len(named)}}
	x.made = make([]uint64, len(named))
	for i, e := range named {
		x.ids.b = append(x.ids.b, e.id.sum[:w.s.hash]...)
		x.made[i] = e.off
	}
	_, x.strict = x.ids.sorted()
	return x
}
