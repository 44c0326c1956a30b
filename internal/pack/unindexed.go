package pack

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

var errWalk = errors.New("pack cannot be read to its end, and no index says where objects start")

// walkPack makes an index for a pack without a usable one, by reading it from its
// start: where an object ends, the next one starts. The ids are computed. Objects
// behind a damaged one cannot be found; what comes before it is kept.
func (s *Store) walkPack(p *packFile) {
	w := &packWalk{s: s, p: p, sum: newHasher(s.hash), byOffset: map[uint64]int32{}, byRef: map[ID]int32{}}
	if err := guard(w.findEntries); err != nil {
		s.problem(p.path, fmt.Errorf("%w: %w", errWalk, err))
	}
	w.nameAll()
	p.idx, p.walked = w.index(), true
}

// A packWalk is the making of an index. Entries are named by their place in found.
type packWalk struct {
	s        *Store
	p        *packFile
	inf      inflater
	sum      *hasher
	found    []walked
	byOffset map[uint64]int32
	byRef    map[ID]int32 // the deltas that name a base by its id, as a list
	frames   []walkFrame
	held     int64 // bytes in frames
	buf      []byte
}

// A walked entry is one that has been found in the pack. Its deltas are a list:
// first, then the next of each; 0 is no entry.
type walked struct {
	entry
	end         uint64
	off         uint64
	id          ID
	err         error
	first, next int32
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
		n := int32(len(w.found))
		w.found = append(w.found, walked{entry: e, off: off, end: e.body + used})
		w.byOffset[off] = n
		switch e.kind {
		case ofsDelta:
			b := w.byOffset[e.base]
			if b == 0 {
				w.found[n].err = errBaseOffset
				break
			}
			w.found[n].next, w.found[b].first = w.found[b].first, n
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
	var z streamInflater
	if err := z.reset(in); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(&z, int64(e.size)+1))
	if err == nil && uint64(n) != e.size {
		err = errWrongSize
	}
	return uint64(len(src) - in.Len()), err
}

// nameAll computes the ids of all that can be made, and reports the rest.
func (w *packWalk) nameAll() {
	for n := 1; n < len(w.found); n++ {
		if Kind(w.found[n].kind).valid() {
			w.nameFamily(int32(n), found{})
		}
	}
	// What is left has its base in another pack, or loose, or nowhere.
	r := w.s.Reader()
	for progress := true; progress; {
		progress = false
		ids := make([]ID, 0, len(w.byRef))
		for id := range w.byRef {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, ID.Compare)
		for _, id := range ids {
			if kind, data, err := r.Object(id); err == nil {
				w.push(w.takeRef(id), found{kind, data})
				w.drain()
				progress = true
			}
		}
	}
	for _, e := range w.found {
		if e.off == 0 || !e.id.IsZero() {
			continue
		}
		if e.err == nil && e.kind == refDelta {
			e.err = baseMissing(IDFromBytes(e.ref))
		}
		w.s.opts.Problem(Problem{Path: w.p.path, Offset: int64(e.off), Err: cmp.Or(e.err, errBaseUnread)})
	}
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

func (w *packWalk) nameFamily(n int32, base found) {
	w.name(n, base)
	w.drain()
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

// name makes entry n, from base if it is a delta, and computes its id.
func (w *packWalk) name(n int32, base found) {
	e := &w.found[n]
	err := guard(func() error { return w.make(e, base) })
	if err != nil {
		e.err = err
	}
}

func (w *packWalk) make(e *walked, base found) error {
	src := w.p.data[e.body:e.end]
	delta := e.kind == ofsDelta || e.kind == refDelta
	if !delta && e.size > uint64(w.s.opts.StreamOver) && e.first == 0 {
		return w.nameStreamed(e, src)
	}
	if int64(e.size) > w.s.opts.HoldMost-w.held {
		return ErrTooLarge
	}
	data := make([]byte, e.size)
	if _, _, err := w.inf.Zlib(data, src); err != nil {
		return err
	}
	obj := found{Kind(e.kind), data}
	if delta {
		var err error
		if data, err = w.s.patch(base.data, data, w.held); err != nil {
			return err
		}
		obj = found{base.kind, data}
	}
	e.id = w.sum.object(obj.kind, obj.data)
	w.push(e.first, obj)
	w.push(w.takeRef(e.id), obj)
	return nil
}

// nameStreamed names an object that is too large to hold, unless it turns out to
// be the base of a delta.
func (w *packWalk) nameStreamed(e *walked, src []byte) error {
	var z streamInflater
	if err := z.reset(bytes.NewReader(src)); err != nil {
		return err
	}
	w.sum.begin(Kind(e.kind), int64(e.size))
	if _, err := io.Copy(w.sum, &z); err != nil {
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
