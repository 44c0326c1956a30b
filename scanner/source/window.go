package source

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

const (
	// WholeLimit is the size up to which an input may be held in memory whole.
	WholeLimit = 64 << 20
	// windowSize keeps a window in the processor's second-level cache, where it is
	// scanned at once after it was read.
	windowSize = 512 << 10
	// overlap is what two windows share on each side of the seam between them: far
	// more than the longest key, however encoded, and the lines about it.
	overlap = 16 << 10
)

// stream reads r to its end into buf, again and again, and emits windows over it.
// Each byte is owned by one window, and every window but the first and the last
// shows overlap bytes on both sides of what it owns; buf must be longer than four
// times that. What came before an error of r is emitted as the last window. It
// returns the number of hits that emit reported, and the first error of r or emit.
func stream(r io.Reader, at finding.Location, buf []byte, overlap int, emit func(*Blob) (int, error)) (hits int, err error) {
	w := Window{}
	filled := 0
	for {
		n, readErr := io.ReadFull(r, buf[filled:])
		filled += n
		w.Last = readErr != nil
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			readErr = nil
		}
		data := buf[:filled]
		w.Own.End = filled
		if !w.Last {
			w.Own.End = runeStart(data, filled-overlap)
		}
		window := w
		h, err := emit(&Blob{At: at, Data: data, Window: &window})
		hits += h
		if err != nil || w.Last {
			return hits, cmp.Or(err, readErr)
		}
		next := runeStart(data, w.Own.End-overlap)
		w.advance(data[:next])
		w.Own.Start = w.Own.End - next
		filled = copy(buf, data[next:])
	}
}

// advance moves the window's place over the bytes that it leaves behind.
func (w *Window) advance(data []byte) {
	w.Offset += int64(len(data))
	if last := bytes.LastIndexByte(data, '\n'); last >= 0 {
		w.Line += bytes.Count(data, []byte{'\n'})
		w.Column, w.Column16 = 0, 0
		data = data[last+1:]
	}
	chars, units := Count(data)
	w.Column += chars
	w.Column16 += units
}

// Count returns the length of b in characters and in UTF-16 units. A byte that is
// no part of valid UTF-8 counts as one of each; a byte-order mark counts as none.
func Count(b []byte) (chars, units int) {
	const notASCII = 0x8080808080808080
	for i := 0; i < len(b); {
		if i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&notASCII == 0 {
			chars, i = chars+8, i+8
			continue
		}
		if b[i] < utf8.RuneSelf {
			chars, i = chars+1, i+1
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		i += n
		if r == '\ufeff' {
			continue
		}
		chars++
		if r > 0xffff {
			units++
		}
	}
	return chars, units + chars
}

// runeStart returns the last place at or before i where a character may begin.
func runeStart(data []byte, i int) int {
	for back := 0; back < utf8.UTFMax && i-back > 0; back++ {
		if utf8.RuneStart(data[i-back]) {
			return i - back
		}
	}
	return i
}
