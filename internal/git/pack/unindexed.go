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
	for n := 1; n < len(w.found); n++ {
		w.name(int32(n), found{})
		w.drain()
	}
	// What is left has its base in another pack, or loose, or nowhere.
	r := s.Reader()
	for progress := true; progress; {
		progress = false
		for _, id := range slices.SortedFunc(maps.Keys(w.byRef), ID.Compare) {
			if kind, data, err := r.Object(id); err == nil {
				w.push(w.takeRef(id), found{kind, data})
				w.drain()
				progress = true
			}
		}
	}
	for n := 1; n < len(w.found); n++ {
		if e := &w.found[n]; e.id.IsZero() {
			s.opts.Problem(Problem{Path: p.path, Offset: int64(e.off), Err: w.why(e)})
		}
	}
	named := slices.DeleteFunc(w.found, func(e walked) bool { return e.id.IsZero() })
	slices.SortFunc(named, func(a, b walked) int { return cmp.Or(a.id.Compare(b.id), cmp.Compare(a.off, b.off)) })
	x := &index{ids: idTable{hash: s.hash, stride: s.hash, n: len(named)}, made: make([]uint64, len(named))}
	for i, e := range named {
		x.ids.b = append(x.ids.b, e.id.sum[:s.hash]...)
		x.made[i] = e.off
	}
	_, x.strict = x.ids.sorted()
	p.idx, p.walked = x, true
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
// first, then the next of each; 0 means none.
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
	w.found = append(w.found, walked{}) // 0 means none
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
		used, err := fill(w.buf, &w.inf, src)
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

// name makes entry n, from base if it is a delta, computes its id, and pushes what is
// made from it. A delta without a base is left for later.
func (w *packWalk) name(n int32, base found) {
	e := &w.found[n]
	err := guard(func() error {
		h, err := w.p.entry(e.off)
		delta := !Kind(h.kind).valid()
		if err != nil || delta && base.kind == 0 {
			return err
		}
		src := w.p.data[h.body:e.end]
		if !delta && h.size > uint64(w.s.opts.streamOver) && e.first == 0 && len(w.byRef) == 0 {
			z, err := zlib.NewReader(bytes.NewReader(src)) // large, and the base of nothing
			if err != nil {
				return err
			}
			w.sum.begin(Kind(h.kind), int64(h.size))
			_, err = io.Copy(w.sum, z)
			if err == nil {
				e.id = w.sum.end()
			}
			return err
		}
		if int64(h.size) > w.s.opts.holdMost-w.held {
			return errTooLarge
		}
		obj := found{Kind(h.kind), make([]byte, h.size)}
		if _, _, err := w.inf.Zlib(obj.data, src); err != nil { // skip has seen its size
			return err
		}
		if delta {
			obj.kind = base.kind
			if obj.data, err = w.s.patch(base.data, obj.data, w.held); err != nil {
				return err
			}
			if w.left -= int64(len(obj.data)); w.left < 0 {
				return errTooLarge
			}
		}
		e.id = w.sum.object(obj.kind, obj.data)
		w.push(e.first, obj)
		w.push(w.takeRef(e.id), obj)
		return nil
	})
	if err != nil {
		e.err = err
	}
}
