package pack

import (
	"bytes"
	"io"
)

// streamPacked hands over a large object of a pack in windows.
func (w *worker) streamPacked(it *item, src []byte, size int64) error {
	if err := w.stream.reset(bytes.NewReader(src)); err != nil {
		return err
	}
	return w.windows(it, &w.stream, size)
}

// windows hands over an object of size bytes, read from r, in windows. What comes
// before an error has then been handed over.
func (w *worker) windows(it *item, r io.Reader, size int64) error {
	if it.group.skip || !w.sw.opts.Kinds.Has(it.kind) {
		return nil
	}
	sum := w.check
	if w.sw.opts.Verify || it.group.pack == nil {
		sum.begin(it.kind, size)
		r = io.TeeReader(r, sum)
	}
	overlap := w.sw.opts.Overlap
	buf := make([]byte, w.sw.opts.Window+2*overlap)
	win := Window{Size: size}
	have, own := 0, 0 // bytes in buf, and where those begin that no window owned
	for !win.Last && !w.sw.queue.stopped.Load() {
		want := int(min(int64(len(buf)-have), size-win.Offset-int64(have)))
		n, err := io.ReadFull(r, buf[have:have+want])
		have += n
		if err != nil {
			return streamError(err)
		}
		end := have - overlap
		if win.Last = win.Offset+int64(have) == size; win.Last {
			end = have
			if err := atEnd(r); err != nil {
				return err
			}
		}
		win.Own = Span{own, end}
		view := win
		w.call(it, buf[:have], &view)
		// The next window starts one overlap before what it owns.
		drop := max(0, end-overlap)
		win.Offset += int64(drop)
		have = copy(buf, buf[drop:have])
		own = end - drop
	}
	if !win.Last {
		return nil // told to stop
	}
	w.stats.Handed[it.kind]++
	w.stats.Bytes += size
	w.stats.Fresh += size
	if (w.sw.opts.Verify || it.group.pack == nil) && sum.end() != it.id {
		w.report(it, ErrWrongContent)
	}
	return nil
}

// atEnd makes sure that r ends here, and so that its checksum is looked at.
func atEnd(r io.Reader) error {
	var b [1]byte
	if n, err := r.Read(b[:]); n != 0 || err != io.EOF {
		if n != 0 {
			err = errWrongSize
		}
		return streamError(err)
	}
	return nil
}

func streamError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errWrongSize
	}
	return err
}
