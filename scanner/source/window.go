package source

import (
	"errors"
	"io"

	"github.com/b10lint/b10lint/finding"
)

const (
	// WholeLimit is the size up to which an input may be held in memory whole.
	WholeLimit = 64 << 20
	// SmallFile is the largest file, in bytes, that is read to be understood, beside the
	// scan.
	SmallFile = 4 << 20
	// WindowSize keeps a window in the processor's second-level cache, where it is
	// scanned at once after it was read.
	WindowSize = 512 << 10
	// Overlap is what two windows share on each side of the seam between them: far
	// more than the longest key, however encoded, and the lines about it.
	Overlap = 16 << 10
)

// Windows reads r to its end into buf, again and again, and emits windows over it.
// Each byte is owned by one window, and every window but the first and the last
// shows overlap bytes on both sides of what it owns; buf must be longer than four
// times that. What came before an error of r is emitted as the last window. It
// returns the number of hits that emit reported, the error of r, and the one of emit.
func Windows(
	r io.Reader, at finding.Location, buf []byte, overlap int, emit func(*Blob) (int, error),
) (hits int, broken, err error) {
	w := Window{}
	filled := 0
	for {
		n, broken := io.ReadFull(r, buf[filled:])
		filled += n
		w.Last = broken != nil
		if errors.Is(broken, io.EOF) || errors.Is(broken, io.ErrUnexpectedEOF) {
			broken = nil
		}
		data := buf[:filled]
		if w.Offset == 0 {
			w.Wide = WideOf(data)
		}
		w.Own.End = filled
		if !w.Last {
			w.Own.End = w.Wide.cut(data, filled-overlap)
		}
		window := w
		h, err := emit(&Blob{At: at, Data: data, Window: &window})
		hits += h
		if err != nil || w.Last {
			return hits, broken, err
		}
		next := w.Wide.cut(data, w.Own.End-overlap)
		w.Advance(data[:next])
		w.Own.Start = w.Own.End - next
		filled = copy(buf, data[next:])
	}
}

// Advance moves the window's place over the bytes that it leaves behind.
func (w *Window) Advance(data []byte) {
	w.Offset += int64(len(data))
	m := w.Mark()
	m.Advance(data, w.Wide)
	w.Line, w.Column, w.Column16 = m.Line, m.Column, m.Column16
}

// Mark is the place of the window's first byte in the whole.
func (w *Window) Mark() Mark { return Mark{w.Line, w.Column, w.Column16} }
