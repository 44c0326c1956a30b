package pack

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"io"

	"github.com/b10lint/b10lint/internal/inflate"
)

// A maker makes objects, one at a time, and hands them over.
type maker struct {
	sw    *sweep
	stats SweepStats

	inf    inflate.Decoder
	loose  looseReader
	pool   bufferPool
	fresh  []Span
	obj    Object
	item   item    // on its way
	reader *Reader // made when needed
	check  *hasher
	made   int64 // bytes made of deltas and not yet taken off sweep.expand
}

// An item is an object on its way from the store to the sweep's callback.
type item struct {
	id    ID
	group *group
	rank  int
	off   uint64 // in the pack; 0 if it is loose
	kind  Kind
	buf   *buffer
	fresh []Span // nil: all
	whole bool   // what is made from it is to be handed over whole
}

// visit makes the object of s and hands it over. It takes over the hold of s on its
// base. deltas is the step to each delta of the object; ok is false when it has none.
func (m *maker) visit(s step) (deltas step, ok bool) {
	f := m.sw.forest
	it := &m.item
	*it = item{kind: s.kind}
	it.group, it.rank = f.at(s.n)
	single := !s.delta && f.first[s.n] == none
	streamed := false
	err := guard(func() (err error) {
		it.id = IDFromBytes(it.group.id(it.rank))
		if it.group.pack != nil {
			it.off = it.group.offs[it.rank]
		}
		streamed, err = m.make(it, s, single)
		return err
	})
	if err != nil {
		m.rescue(it, err)
	}
	m.pool.put(s.base)
	switch {
	case it.buf != nil:
		m.hand(it)
	case err == nil && !streamed:
		m.stats.Others[it.kind]++ // a loose object of another kind
	}
	if f.first[s.n] == none {
		m.pool.put(it.buf)
		return step{}, false
	}
	return step{base: it.buf, delta: true, kind: it.kind, whole: it.whole}, true
}

// make reads the object of s into it.buf, or, if it is single and large, hands it
// over in windows. It does neither with a loose object that is single and of no
// wanted kind.
func (m *maker) make(it *item, s step, single bool) (streamed bool, err error) {
	if it.group.pack == nil {
		return m.makeLoose(it, single)
	}
	p := it.group.pack
	e, err := p.entry(it.group.offs[it.rank])
	if err != nil {
		return false, err
	}
	end := it.group.offs[it.rank+1]
	if e.body > end {
		return false, errTruncated // the next object starts inside the header
	}
	src := p.data[e.body:end]
	if !believable(e.size, uint64(len(src))) {
		return false, errAbsurdSize
	}
	if s.delta || e.kind == ofsDelta || e.kind == refDelta {
		return false, m.makeDelta(it, s, e, src)
	}
	it.kind = Kind(e.kind)
	if single && e.size > uint64(m.sw.store.opts.streamOver) {
		m.identifyStream(it, src, int64(e.size))
		r, err := zlib.NewReader(bytes.NewReader(src))
		if err != nil {
			return false, err
		}
		return true, m.windows(it, r, int64(e.size))
	}
	if it.buf, err = m.pool.get(int(e.size), !single); err != nil {
		return false, err
	}
	_, err = fill(it.buf.data, &m.inf, src)
	return false, err
}

func (m *maker) makeDelta(it *item, s step, e entry, src []byte) error {
	switch {
	case s.base == nil && !s.delta && e.kind == refDelta:
		return baseMissing(IDFromBytes(e.ref))
	case s.base == nil && !s.delta:
		return errBaseOffset
	case s.base == nil:
		return errBaseUnread
	}
	delta, err := m.pool.get(int(e.size), true)
	if err != nil {
		return err
	}
	defer m.pool.put(delta)
	if _, err := fill(delta.data, &m.inf, src); err != nil {
		return err
	}
	baseSize, size, cmds, err := deltaSizes(delta.data)
	if err == nil && baseSize != uint64(len(s.base.data)) {
		err = errDeltaBase
	}
	if err == nil {
		err = checkDelta(cmds, baseSize, size)
	}
	if err == nil {
		err = m.spend(size)
	}
	if err == nil {
		it.buf, err = m.pool.get(int(size), true)
	}
	if err != nil {
		return err
	}
	m.fresh = applyDelta(it.buf.data, s.base.data, cmds, m.fresh[:0])
	if it.whole = s.whole; !s.whole {
		it.fresh = m.fresh
	}
	return nil
}

// spend takes size off what the sweep may yet make of deltas.
func (m *maker) spend(size uint64) error {
	m.made += int64(size)
	if m.made < 64<<20 {
		return nil
	}
	left := m.sw.expand.Add(-m.made)
	m.made = 0
	if left < 0 {
		return errTooLarge
	}
	return nil
}

func (m *maker) makeLoose(it *item, single bool) (streamed bool, err error) {
	l := &m.loose
	if err = l.open(loosePath(it.group.loose.dir, it.id)); err != nil {
		return false, err
	}
	defer l.close()
	it.kind = l.kind
	switch {
	case single && !m.sw.opts.Kinds.Has(l.kind):
		return false, nil
	case single && l.size > m.sw.store.opts.streamOver:
		r, err := zlib.NewReader(bufio.NewReader(io.NewSectionReader(l.f, 0, l.disk)))
		if err == nil {
			_, err = io.CopyN(io.Discard, r, int64(l.header))
		}
		if err != nil {
			return false, err
		}
		return true, m.windows(it, r, l.size)
	}
	if it.buf, err = m.pool.get(int(l.size)+l.header, !single); err != nil {
		return false, err
	}
	err = l.content(it.buf.data)
	it.buf.data = it.buf.data[l.header:]
	return false, err
}

// rescue looks for another copy of an object that could not be made, and without one
// reports why it could not.
func (m *maker) rescue(it *item, why error) {
	m.pool.put(it.buf)
	it.buf = nil
	if m.sw.forest.copies > 0 && !it.id.IsZero() {
		if m.reader == nil {
			m.reader = m.sw.store.Reader()
		}
		if kind, data, err := m.reader.Object(it.id); err == nil {
			it.kind, it.fresh, it.whole = kind, nil, true
			it.buf = &buffer{data: data}
			it.buf.refs.Store(1)
			return
		}
	}
	m.stats.Failed++
	m.report(it, why)
}

func (m *maker) report(it *item, err error) {
	p := Problem{ID: it.id, Err: err}
	if g := it.group; g.pack != nil {
		p.Path, p.Offset = g.pack.path, int64(g.offs[it.rank])
	} else {
		p.Path = loosePath(g.loose.dir, it.id)
	}
	m.sw.store.opts.Problem(p)
}

// hand calls the callback for what is to be handed over, and notes what that
// means for the deltas made from it.
func (m *maker) hand(it *item) {
	if it.group.skip {
		it.whole = true
		return
	}
	if done := it.group.done; done != nil && done[it.rank] != leftOver {
		it.whole = done[it.rank] == handedWithHits
		return
	}
	if !m.sw.opts.Kinds.Has(it.kind) {
		m.stats.Others[it.kind]++
		return
	}
	data := it.buf.data
	if m.sw.opts.Identify.Has(it.kind) {
		m.identify(it, data)
	}
	if m.sw.opts.verify && !it.id.IsZero() || it.group.pack == nil {
		if m.check.object(it.kind, data) != it.id {
			m.report(it, ErrWrongContent)
		}
	}
	m.stats.Handed[it.kind]++
	m.stats.bytes += int64(len(data))
	if it.fresh == nil {
		m.stats.fresh += int64(len(data))
	}
	for _, s := range it.fresh {
		m.stats.fresh += int64(s.End - s.Start)
	}
	if it.whole = m.call(it, data, nil) > 0; it.whole {
		m.identify(it, data)
	}
}

// identify works out the id of an object of a received pack, where it is not known.
func (m *maker) identify(it *item, data []byte) {
	if it.id.IsZero() {
		it.id = m.check.object(it.kind, data)
		m.identified(it)
	}
}

// identifyStream is identify for an object that is too large to hold. One that is
// damaged stays without an id.
func (m *maker) identifyStream(it *item, src []byte, size int64) {
	if !it.id.IsZero() || !m.sw.opts.Kinds.Has(it.kind) {
		return
	}
	z, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return
	}
	m.check.begin(it.kind, size)
	if n, err := io.Copy(m.check, z); err == nil && n == size {
		it.id = m.check.end()
		m.identified(it)
	}
}

func (m *maker) identified(it *item) {
	if p := it.group.pack; p != nil && p.ids != nil {
		copy(p.ids[it.rank*p.hash:], it.id.sum[:p.hash])
	}
}

// windows hands over an object of size bytes, read from r, in windows. What comes
// before an error has then been handed over.
func (m *maker) windows(it *item, r io.Reader, size int64) error {
	if it.group.skip || !m.sw.opts.Kinds.Has(it.kind) {
		return nil
	}
	sum := m.check
	if m.sw.opts.verify || it.group.pack == nil {
		sum.begin(it.kind, size)
		r = io.TeeReader(r, sum)
	}
	overlap := m.sw.opts.overlap
	buf := make([]byte, m.sw.opts.window+2*overlap)
	win := Window{Size: size}
	have, own := 0, 0 // bytes in buf, and where those begin that no window owned
	for !win.Last && !m.sw.queue.stopped.Load() {
		want := int(min(int64(len(buf)-have), size-win.Offset-int64(have)))
		n, err := io.ReadFull(r, buf[have:have+want])
		have += n
		end := have - overlap
		if win.Last = err == nil && win.Offset+int64(have) == size; win.Last {
			end = have
			var more [1]byte // there is none; asking for it has the checksum compared
			if n, err = r.Read(more[:]); n != 0 {
				err = errWrongSize
			} else if err == io.EOF {
				err = nil
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errWrongSize
		}
		if err != nil {
			return err
		}
		win.Own = Span{Start: own, End: end}
		view := win
		m.call(it, buf[:have], &view)
		// The next window starts one overlap before what it owns.
		drop := max(0, end-overlap)
		win.Offset += int64(drop)
		have = copy(buf, buf[drop:have])
		own = end - drop
	}
	if !win.Last {
		return nil // stopped
	}
	m.stats.Handed[it.kind]++
	m.stats.bytes += size
	m.stats.fresh += size
	if (m.sw.opts.verify || it.group.pack == nil) && sum.end() != it.id {
		m.report(it, ErrWrongContent)
	}
	return nil
}

func (m *maker) call(it *item, data []byte, window *Window) (hits int) {
	m.obj = Object{ID: it.id, Kind: it.kind, Data: data, Fresh: it.fresh, Window: window, by: m, at: it}
	if it.group.pack != nil {
		m.obj.Pack = it.group.pack.path
	}
	hits, err := m.sw.fn(&m.obj)
	if err != nil {
		m.sw.queue.stop(err)
	}
	return hits
}

// cyclic reads an object of a delta chain without an end, if there is another
// copy of it.
func (m *maker) cyclic(n node) {
	it := &m.item
	*it = item{}
	it.group, it.rank = m.sw.forest.at(n)
	guard(func() error { it.id = IDFromBytes(it.group.id(it.rank)); return nil })
	if m.rescue(it, errCycle); it.buf != nil {
		m.hand(it)
	}
}
