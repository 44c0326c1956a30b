package source

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Wide says whether an input is UTF-16 text, and in which order its bytes stand.
type Wide uint8

// The ways to write a text. Narrow is everything that is not UTF-16.
const (
	Narrow Wide = iota
	WideLittle
	WideBig
)

// wideHead is how much of an input decides how it is written.
const wideHead = 512

// WideOf says from its first bytes how an input is written. It is UTF-16 when
// every second byte is zero in at least half of the beginning, or somewhere in it
// behind a byte-order mark: the two bytes alone may be anything.
func WideOf(head []byte) Wide {
	var little, big, all int
	for rest := head[:min(len(head), wideHead)]; len(rest) >= 2; rest = rest[2:] {
		all++
		switch {
		case rest[1] == 0 && isWideText(rest[0]):
			little++
		case rest[0] == 0 && isWideText(rest[1]):
			big++
		}
	}
	switch {
	case little > 0 && bytes.HasPrefix(head, []byte("\xff\xfe")):
		return WideLittle
	case big > 0 && bytes.HasPrefix(head, []byte("\xfe\xff")):
		return WideBig
	case all < 4:
		return Narrow
	case 2*little >= all:
		return WideLittle
	case 2*big >= all:
		return WideBig
	}
	return Narrow
}

func isWideText(c byte) bool { return c >= 0x20 && c < 0x7f || c >= '\t' && c <= '\r' }

// Unit returns the UTF-16 unit that a pair of bytes stands for.
func (w Wide) Unit(a, b byte) uint16 {
	if w == WideBig {
		a, b = b, a
	}
	return uint16(a) | uint16(b)<<8
}

// A Mark is a place in a text: the line and the column there, from 0, the latter
// in characters and in UTF-16 units.
type Mark struct{ Line, Column, Column16 int }

// Advance moves m over data and returns how many of its bytes were counted: in
// wide text only whole pairs are. A line ends with a line feed; a carriage return
// before it is a character of the line like any other.
func (m *Mark) Advance(data []byte, w Wide) int {
	if w != Narrow {
		return m.advanceWide(data, w)
	}
	n := len(data)
	if lines := bytes.Count(data, []byte{'\n'}); lines > 0 {
		m.Line += lines
		m.Column, m.Column16 = 0, 0
		data = data[bytes.LastIndexByte(data, '\n')+1:]
	}
	chars, units := Count(data)
	m.Column += chars
	m.Column16 += units
	return n
}

func (m *Mark) advanceWide(data []byte, w Wide) int {
	n := len(data) &^ 1
	for i := 0; i < n; i += 2 {
		switch u := w.Unit(data[i], data[i+1]); {
		case u == '\n':
			m.Line, m.Column, m.Column16 = m.Line+1, 0, 0
		case u == 0xfeff: // a byte-order mark
		case u >= 0xdc00 && u <= 0xdfff: // the second half of a character
			m.Column16++
		default:
			m.Column++
			m.Column16++
		}
	}
	return n
}

// Count returns the length of b in characters and in UTF-16 units. A byte that is
// no part of valid UTF-8 counts as one of each; a byte-order mark counts as none.
func Count(b []byte) (chars, units int) {
	const notASCII = 0x8080808080808080
	word := binary.LittleEndian.Uint64
	for i := 0; i < len(b); {
		if p := b[i:]; len(p) >= 32 && (word(p)|word(p[8:])|word(p[16:])|word(p[24:]))&notASCII == 0 {
			chars, i = chars+32, i+32
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

// cut returns the last place at or before i where a character may begin.
func (w Wide) cut(data []byte, i int) int {
	if w != Narrow {
		return i &^ 1
	}
	for back := 0; back < utf8.UTFMax && i-back > 0; back++ {
		if utf8.RuneStart(data[i-back]) {
			return i - back
		}
	}
	return i
}
