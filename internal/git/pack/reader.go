package pack

import (
	"os"

	"github.com/b10lint/b10lint/internal/inflate"
)

// A Reader reads single objects. It keeps what it read last, because objects
// that are asked for together are often made from the same ones. It must not be
// used by several goroutines at once.
type Reader struct {
	s     *Store
	inf   inflate.Decoder
	loose looseReader
	cache cache
}

// Reader makes a Reader of the store.
func (s *Store) Reader() *Reader { return &Reader{s: s} }

// A place is where an object starts.
type place struct {
	p   *packFile
	off uint64
}

// chainMost bounds a delta chain; git makes none of more than 4,095.
const chainMost = 1 << 16

// Object reads the object id, from whatever copy of it is sound. The data must not
// be written to. The error is ErrNotFound if the store has no copy, and a Problem
// if it has none that can be read.
func (r *Reader) Object(id ID) (kind Kind, data []byte, err error) {
	if int(id.size) != r.s.hash {
		return 0, nil, Problem{ID: id, Err: ErrNotFound}
	}
	first := Problem{ID: id, Err: ErrNotFound}
	failed := func(path string, off uint64, err error) {
		if first.Path == "" {
			first = Problem{ID: id, Path: path, Offset: int64(off), Err: err}
		}
	}
	for _, p := range r.s.packs {
		at, found := place{p: p}, false
		err := guard(func() (err error) {
			if at.off, found, err = p.find(id); err != nil || !found {
				return err
			}
			kind, data, err = r.packed(at)
			return err
		})
		switch {
		case err != nil:
			failed(p.path, at.off, err)
		case found:
			return kind, data, nil
		}
	}
	for _, dir := range r.s.dirs {
		path := loosePath(dir, id)
		err := guard(func() (err error) {
			kind, data, err = r.looseObject(path)
			return err
		})
		switch {
		case err == nil:
			return kind, data, nil
		case !os.IsNotExist(err):
			failed(path, 0, err)
		}
	}
	return 0, nil, first
}

// A link is an entry of a delta chain.
type link struct {
	entry
	place
}

// A found object is one that a chain of deltas can start from.
type found struct {
	kind Kind
	data []byte
}

// chain follows the deltas from at to their base. Unless the last entry is not a
// delta, base is what it is made from: out of the cache, or a loose object.
func (r *Reader) chain(at place) (chain []link, base found, err error) {
	for len(chain) < chainMost {
		if base, ok := r.cache.get(at); ok {
			return chain, base, nil
		}
		e, err := at.p.entry(at.off)
		if err != nil {
			return nil, found{}, err
		}
		chain = append(chain, link{e, at})
		switch e.kind {
		case ofsDelta:
			at.off = e.base
			continue
		case refDelta:
		default:
			return chain, found{}, nil
		}
		id := IDFromBytes(e.ref)
		next, ok := r.s.place(at.p, id)
		if ok {
			at = next
			continue
		}
		for _, path := range r.s.looseCopies(id) {
			if kind, data, err := r.looseObject(path); err == nil {
				return chain, found{kind, data}, nil
			}
		}
		return nil, found{}, baseMissing(id)
	}
	return nil, found{}, errCycle
}

// place finds a packed object, first in the pack that asks.
func (s *Store) place(own *packFile, id ID) (place, bool) {
	for i := -1; i < len(s.packs); i++ {
		p := own
		if i >= 0 {
			p = s.packs[i]
		}
		if off, ok, err := p.find(id); ok && err == nil {
			return place{p, off}, true
		}
	}
	return place{}, false
}

func (r *Reader) packed(at place) (Kind, []byte, error) {
	chain, base, err := r.chain(at)
	if err != nil {
		return 0, nil, err
	}
	left := r.s.expandMost()
	for i := len(chain) - 1; i >= 0; i-- {
		l := &chain[i]
		if left -= int64(len(base.data)); left < 0 {
			return 0, nil, errTooLarge
		}
		// How many compressed bytes there are is not known, but the stream says where
		// it ends.
		src := l.p.data[l.body:]
		switch {
		case !believable(l.size, uint64(len(src))):
			return 0, nil, errAbsurdSize
		case l.size > uint64(r.s.opts.holdMost):
			return 0, nil, errTooLarge
		}
		data := make([]byte, l.size)
		if _, err := fill(data, &r.inf, src); err != nil {
			return 0, nil, err
		}
		if l.kind == ofsDelta || l.kind == refDelta {
			data, err = r.s.patch(base.data, data, 0)
			if err != nil {
				return 0, nil, err
			}
		} else {
			base.kind = Kind(l.kind)
		}
		base.data = data
		r.cache.put(l.place, base)
	}
	return base.kind, base.data, nil
}

// patch applies a delta. held is what else is in memory of the chain.
func (s *Store) patch(base, delta []byte, held int64) ([]byte, error) {
	baseSize, size, cmds, err := deltaSizes(delta)
	switch {
	case err != nil:
		return nil, err
	case baseSize != uint64(len(base)):
		return nil, errDeltaBase
	case size > uint64(max(0, s.opts.holdMost-held)):
		return nil, errTooLarge
	}
	if err := checkDelta(cmds, baseSize, size); err != nil {
		return nil, err
	}
	dst := make([]byte, size)
	applyDelta(dst, base, cmds, nil)
	return dst, nil
}

// looseObject reads a loose object. The error is fs.ErrNotExist if there is none.
func (r *Reader) looseObject(path string) (Kind, []byte, error) {
	l := &r.loose
	if err := l.open(path); err != nil {
		return 0, nil, err
	}
	defer l.close()
	if l.size > r.s.opts.holdMost {
		return 0, nil, errTooLarge
	}
	b := make([]byte, int(l.size)+l.header)
	if err := l.content(b); err != nil {
		return 0, nil, err
	}
	return l.kind, b[l.header:], nil
}

const (
	cacheBytes = 16 << 20 // of one generation; there are two
	cacheEntry = 2 << 20  // larger objects are not kept
)

// A cache keeps what was made lately. What was asked for in one generation lives
// on into the next.
type cache struct {
	young, old map[place]found
	bytes      int
}

func (c *cache) get(at place) (found, bool) {
	if f, ok := c.young[at]; ok {
		return f, true
	}
	f, ok := c.old[at]
	if ok {
		c.put(at, f)
	}
	return f, ok
}

func (c *cache) put(at place, f found) {
	if len(f.data) > cacheEntry {
		return
	}
	if c.young == nil || c.bytes > cacheBytes {
		c.old, c.young, c.bytes = c.young, make(map[place]found), 0
	}
	c.young[at] = f
	c.bytes += len(f.data) + 128 // what an entry itself takes, about
}
