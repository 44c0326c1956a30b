package pack

// An item is an object on its way from the store to the sweep's callback.
type item struct {
	id    ID
	group *group
	rank  int
	kind  Kind
	buf   *buffer
	fresh []Span // nil: all
	whole bool   // what is made from it is to be handed over whole
}

// visit makes the object of s, hands it over, and pushes what is made from it. It
// takes over the hold of s on its base.
func (w *worker) visit(s step) {
	f := w.sw.forest
	it := item{kind: s.kind}
	it.group, it.rank = f.at(s.n)
	single := !s.delta && f.first[s.n] == none
	streamed := false
	err := guard(func() (err error) {
		it.id = IDFromBytes(it.group.id(it.rank))
		streamed, err = w.make(&it, s, single)
		return err
	})
	if err != nil && !w.rescue(&it) {
		w.fail(&it, err)
	}
	w.pool.put(s.base)
	switch {
	case it.buf != nil:
		w.hand(&it)
	case err == nil && !streamed:
		w.stats.Others[it.kind]++ // a loose object of another kind
	}
	if single || f.first[s.n] == none || it.buf == nil && err == nil {
		w.pool.put(it.buf)
		return
	}
	w.push(s.n, step{base: it.buf, delta: true, kind: it.kind, whole: it.whole})
}

// make reads the object of s into it.buf, or, if it is single and large, hands it
// over in windows. It does neither with a loose object that is single and of no
// wanted kind.
func (w *worker) make(it *item, s step, single bool) (streamed bool, err error) {
	if it.group.pack == nil {
		return w.makeLoose(it, single)
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
		return false, w.makeDelta(it, s, e, src)
	}
	it.kind = Kind(e.kind)
	if single && e.size > uint64(w.sw.store.opts.StreamOver) {
		return true, w.streamPacked(it, src, int64(e.size))
	}
	if it.buf, err = w.pool.get(int(e.size), !single); err != nil {
		return false, err
	}
	return false, w.inflate(it.buf.data, src)
}

// inflate decodes src, which must fill dst.
func (w *worker) inflate(dst, src []byte) error {
	n, _, err := w.inf.Zlib(dst, src)
	if err == nil && n != len(dst) {
		err = errWrongSize
	}
	return err
}

func (w *worker) makeDelta(it *item, s step, e entry, src []byte) error {
	switch {
	case s.base == nil && !s.delta && e.kind == refDelta:
		return baseMissing(IDFromBytes(e.ref))
	case s.base == nil && !s.delta:
		return errBaseOffset
	case s.base == nil:
		return errBaseUnread
	}
	delta, err := w.pool.get(int(e.size), true)
	if err != nil {
		return err
	}
	defer w.pool.put(delta)
	if err := w.inflate(delta.data, src); err != nil {
		return err
	}
	if err := w.apply(it, s.base.data, delta.data); err != nil {
		return err
	}
	if it.whole = s.whole; !s.whole {
		it.fresh = w.fresh
	}
	return nil
}

// apply makes it.buf and w.fresh of a delta.
func (w *worker) apply(it *item, base, delta []byte) error {
	baseSize, size, cmds, err := deltaSizes(delta)
	if err == nil && baseSize != uint64(len(base)) {
		err = errDeltaBase
	}
	if err == nil {
		err = checkDelta(cmds, baseSize, size)
	}
	if err == nil {
		err = w.spend(size)
	}
	if err != nil {
		return err
	}
	if it.buf, err = w.pool.get(int(size), true); err != nil {
		return err
	}
	w.fresh = applyDelta(it.buf.data, base, cmds, w.fresh[:0])
	return nil
}

// spend takes size off what the sweep may yet make of deltas.
func (w *worker) spend(size uint64) error {
	w.made += int64(size)
	if w.made < 64<<20 {
		return nil
	}
	left := w.sw.expand.Add(-w.made)
	w.made = 0
	if left < 0 {
		return ErrTooLarge
	}
	return nil
}

func (w *worker) makeLoose(it *item, single bool) (streamed bool, err error) {
	l := &w.loose
	if err = l.open(loosePath(it.group.loose.dir, it.id)); err != nil {
		return false, err
	}
	defer l.close()
	it.kind = l.kind
	switch {
	case single && !w.sw.opts.Kinds.Has(l.kind):
		return false, nil
	case single && l.size > w.sw.store.opts.StreamOver:
		r, err := l.stream()
		if err != nil {
			return false, err
		}
		return true, w.windows(it, r, l.size)
	}
	if it.buf, err = w.pool.get(int(l.size)+l.header, !single); err != nil {
		return false, err
	}
	err = l.content(it.buf.data)
	it.buf.data = it.buf.data[l.header:]
	return false, err
}

// rescue looks for another copy of an object that could not be made.
func (w *worker) rescue(it *item) bool {
	w.pool.put(it.buf)
	it.buf = nil
	if w.sw.forest.copies == 0 || it.id.IsZero() {
		return false
	}
	if w.reader == nil {
		w.reader = w.sw.store.Reader()
	}
	kind, data, err := w.reader.Object(it.id)
	if err != nil {
		return false
	}
	it.kind, it.fresh, it.whole = kind, nil, true
	it.buf = &buffer{data: data}
	it.buf.refs.Store(1)
	return true
}

// fail reports an object that nothing can be made of.
func (w *worker) fail(it *item, err error) {
	w.stats.Failed++
	w.report(it, err)
}

func (w *worker) report(it *item, err error) {
	p := Problem{ID: it.id, Err: err}
	if g := it.group; g.pack != nil {
		p.Path, p.Offset = g.pack.path, int64(g.offs[it.rank])
	} else {
		p.Path = loosePath(g.loose.dir, it.id)
	}
	w.sw.store.opts.Problem(p)
}

// hand calls the callback for what is to be handed over, and notes what that
// means for the deltas made from it.
func (w *worker) hand(it *item) {
	if it.group.skip {
		it.whole = true
		return
	}
	if !w.sw.opts.Kinds.Has(it.kind) {
		w.stats.Others[it.kind]++
		return
	}
	data := it.buf.data
	if w.sw.opts.Verify || it.group.pack == nil {
		if w.check.object(it.kind, data) != it.id {
			w.report(it, ErrWrongContent)
		}
	}
	w.stats.Handed[it.kind]++
	w.stats.Bytes += int64(len(data))
	if it.fresh == nil {
		w.stats.Fresh += int64(len(data))
	}
	for _, s := range it.fresh {
		w.stats.Fresh += int64(s.End - s.Start)
	}
	it.whole = w.call(it, data, nil) > 0
}

func (w *worker) call(it *item, data []byte, window *Window) (hits int) {
	w.obj = Object{ID: it.id, Kind: it.kind, Data: data, Fresh: it.fresh, Window: window}
	if it.group.pack != nil {
		w.obj.Pack = it.group.pack.path
	}
	hits, err := w.sw.fn(&w.obj)
	if err != nil {
		w.sw.queue.stop(err)
	}
	return hits
}

// cyclic reads an object of a delta chain without an end, if there is another
// copy of it.
func (w *worker) cyclic(n node) {
	it := item{}
	it.group, it.rank = w.sw.forest.at(n)
	guard(func() error { it.id = IDFromBytes(it.group.id(it.rank)); return nil })
	if !w.rescue(&it) {
		w.fail(&it, errCycle)
		return
	}
	w.hand(&it)
}
