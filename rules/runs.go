package rules

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
)

// Every key, and every key that was encoded in one piece, is a long run of few
// kinds of bytes: letters, digits, and what the encodings add. Calling those
// bytes dense, the search looks at windows of 16 bytes, with vector instructions
// where the processor has them: a run of 41, the shortest key of 41 bytes, fills one
// of them wherever it begins, and goes on for eight bytes after the first. The rest
// of the package looks at such runs alone, and at the places where b10_ and sky_
// stand, from where a key may be put together of shorter parts, or may be short.

const (
	window = 16
	minRun = prefixLen + 1 + secretLen
	// beyond is how far after the beginning of its first window a run goes on: it
	// begins less than a window before.
	beyond = minRun - window
)

// The kinds of bytes.
const (
	isDense = 1 << iota
	isBase64
	isHex
	isUpper
	isLower
	isDot
	isEscape     // marks an escape
	isUnderscore // as in b10_
)

var kinds = func() (k [256]byte) {
	for c := range 256 {
		b := byte(c)
		set := func(bit byte, yes bool) {
			if yes {
				k[c] |= bit
			}
		}
		set(isDense, token[b] != 0 || bytes.IndexByte([]byte(`.+/%\&#;=`), b) >= 0)
		set(isBase64, token[b] != 0 || b == '+' || b == '/')
		set(isHex, hexDigit(b) >= 0)
		set(isUpper, b >= 'A' && b <= 'Z')
		set(isLower, b >= 'a' && b <= 'z')
		set(isDot, b == '.')
		set(isEscape, bytes.IndexByte([]byte(`%\&=`), b) >= 0)
		set(isUnderscore, b == '_')
	}
	return k
}()

// A run is a maximal stretch of dense bytes, or, when wide, of dense bytes with a
// zero byte after each (little-endian UTF-16) or before each (big-endian).
type run struct {
	start, end int
	wide       bool
}

// eachRun calls yield for the runs of at least minRun bytes (minRun characters for
// wide ones) in data[span] and within joinReach of it, in order, each at its full
// length also where it reaches beyond, and mark for each b10_ and sky_ outside of them.
func eachRun(data []byte, span finding.Span, yield func(run), mark func(int)) {
	part := data[:min(len(data), span.End+joinReach)]
	done := 0 // the end of the last run
	first := max(0, span.Start-joinReach)
	for i := first; ; {
		at, marks := nextWindow(part, i)
		if at < 0 {
			return
		}
		if marks != 0 {
			eachMark(data, at, marks, mark)
			if !isDenseWindow(data, at) {
				i = at + window
				continue
			}
		}
		if marks == 0 && at > first && tooShort(data, at) {
			marksIn(data, at, min(at+window+len(b10Mark)-1, len(data)), mark)
			i = at + window
			continue
		}
		r := runAt(data, at, done)
		if length := r.end - r.start; length >= minRun && (!r.wide || length >= 2*minRun) {
			yield(r)
		} else {
			marksIn(data, r.start, r.end, mark)
		}
		done = r.end
		i = max(r.end, at+1)
	}
}

// tooShort reports whether the run whose first dense window is at data[i] ends too
// soon, by one look.
func tooShort(data []byte, i int) bool {
	return i+beyond < len(data) && kinds[data[i+beyond]]&isDense == 0 && kinds[data[i]]&kinds[data[i+1]]&isDense != 0
}

// isDenseWindow reports whether a window that was returned for its marks is dense
// besides.
func isDenseWindow(data []byte, at int) bool {
	if at+window > len(data) {
		return false
	}
	for _, c := range data[at : at+window] {
		if kinds[c]&isDense == 0 {
			return false
		}
	}
	return true
}

func eachMark(data []byte, at int, marks uint64, mark func(int)) {
	for k := range window {
		if i := at + k; marks>>k&1 != 0 && isMark(data, i) {
			mark(i)
		}
	}
}

// isMark reports whether b10_ or sky_ stands at data[i].
func isMark(data []byte, i int) bool {
	if i+len(b10Mark) > len(data) {
		return false
	}
	word := string(data[i : i+len(b10Mark)])
	return word == b10Mark || word == federatedMark
}

// marksIn calls mark for each mark in data[start:end].
func marksIn(data []byte, start, end int, mark func(int)) {
	for i := start + 3; i < end; i++ {
		if data[i] == b10Mark[3] && isMark(data, i-3) {
			mark(i - 3)
		}
	}
}

// runAt returns the run about the window at i. done is where the last one ended.
func runAt(data []byte, i, done int) run {
	if kinds[data[i]]&kinds[data[i+1]]&isDense == 0 {
		return wideRun(data, i, done)
	}
	r := run{start: i, end: i + window}
	for r.start > done && kinds[data[r.start-1]]&isDense != 0 {
		r.start--
	}
	for r.end < len(data) && kinds[data[r.end]]&isDense != 0 {
		r.end++
	}
	return r
}

// wideRun returns the run of two-byte characters about the window at i.
func wideRun(data []byte, i, done int) run {
	if data[i] == 0 {
		i++
	}
	r := run{start: i, end: i, wide: true}
	for r.start-2 >= done && kinds[data[r.start-2]]&isDense != 0 && data[r.start-1] == 0 {
		r.start -= 2
	}
	for r.end < len(data) && kinds[data[r.end]]&isDense != 0 && (r.end == r.start || data[r.end-1] == 0) {
		r.end += 2
	}
	r.end = min(r.end, len(data))
	return r
}

// nextWindowGeneric is nextWindow without vector instructions.
func nextWindowGeneric(data []byte, i int) (at int, marks uint64) {
	for ; i+len(b10Mark) <= len(data); i += window {
		w := data[i:min(i+window, len(data))]
		if isDenseWindow(data, i) {
			return i, 0
		}
		for k, c := range w {
			if (c == b10Mark[0] || c == federatedMark[0]) && i+k+3 < len(data) && data[i+k+3] == b10Mark[3] {
				marks |= 1 << k
			}
		}
		if marks != 0 || len(w) == window && (byTurns(w, 0) || byTurns(w, 1)) {
			return i, marks
		}
	}
	return -1, 0
}

// byTurns reports whether w has dense bytes at the places of one parity and zero
// bytes at the others.
func byTurns(w []byte, parity int) bool {
	for k := range w {
		if k&1 == parity && kinds[w[k]]&isDense == 0 || k&1 != parity && w[k] != 0 {
			return false
		}
	}
	return true
}
