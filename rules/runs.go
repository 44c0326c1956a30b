package rules

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
)

// Every key, and every key that was encoded in one piece, is a long run of few
// kinds of bytes: letters, digits, and what the encodings add. Calling those
// bytes dense, the search looks at 16 of every 17 for a run of at least 32, with
// vector instructions where the processor has them, and leaves the rest of the
// package to look at such runs alone.

const (
	window = 16
	step   = 17 // a run of minRun bytes covers one whole window wherever it begins
	minRun = window + step - 1
)

// dense is 1 for the bytes that a run is made of.
var dense = func() (t [256]byte) {
	t = token
	for _, c := range []byte(`.+/%\&#;=`) {
		t[c] = 1
	}
	return t
}()

// A run is a maximal stretch of dense bytes, or, when wide, of dense bytes with a
// zero byte after each (little-endian UTF-16) or before each (big-endian).
type run struct {
	start, end int
	wide       bool
}

// eachRun calls yield for the runs of at least minRun bytes (minRun characters for
// wide ones) in data[from:to], in order, each at its full length also where it
// reaches beyond. It reports whether yield never returned false.
func eachRun(data []byte, span finding.Span, yield func(run) bool) bool {
	done := 0 // the end of the last run
	for i := max(0, span.Start-minRun); ; {
		i = nextDense(data[:min(len(data), span.End+minRun)], i)
		if i < 0 {
			return true
		}
		var r run
		if dense[data[i]]&dense[data[i+1]] != 0 {
			r = run{start: i, end: i + window}
			for r.start > done && dense[data[r.start-1]] != 0 {
				r.start--
			}
			for r.end < len(data) && dense[data[r.end]] != 0 {
				r.end++
			}
		} else {
			r = wideRun(data, i, done)
		}
		if length := r.end - r.start; length >= minRun && (!r.wide || length >= 2*minRun) && !yield(r) {
			return false
		}
		done = r.end
		i = max(r.end, i+1)
	}
}

// wideRun returns the run of two-byte characters about the window at i.
func wideRun(data []byte, i, done int) run {
	if data[i] == 0 {
		i++
	}
	r := run{start: i, end: i, wide: true}
	for r.start-2 >= done && dense[data[r.start-2]] != 0 && data[r.start-1] == 0 {
		r.start -= 2
	}
	for r.end < len(data) && dense[data[r.end]] != 0 && (r.end == r.start || data[r.end-1] == 0) {
		r.end += 2
	}
	r.end = min(r.end, len(data))
	return r
}

// nextDenseGeneric is nextDense without vector instructions. It looks at the last
// byte of a window first, from where a miss skips furthest.
func nextDenseGeneric(data []byte, i int) int {
	for ; i+window <= len(data); i += step {
		w := data[i : i+window]
		if dense[w[window-1]]|dense[w[window-2]] == 0 {
			continue
		}
		if allDense(w) || byTurns(w, 0) || byTurns(w, 1) {
			return i
		}
	}
	return -1
}

func allDense(w []byte) bool {
	for k := window - 1; k >= 0; k-- {
		if dense[w[k]] == 0 {
			return false
		}
	}
	return true
}

// byTurns reports whether w has dense bytes at the places of one parity and zero
// bytes at the others.
func byTurns(w []byte, parity int) bool {
	for k := range w {
		if k&1 == parity && dense[w[k]] == 0 || k&1 != parity && w[k] != 0 {
			return false
		}
	}
	return true
}

// indexMark returns the first place at or after i where "b10_" stands, or -1.
func indexMark(data []byte, i int) int {
	for {
		i = indexPair(data, i, b10Mark[0], b10Mark[3])
		if i < 0 || data[i+1] == b10Mark[1] && data[i+2] == b10Mark[2] {
			return i
		}
		i++
	}
}

// indexPairGeneric is indexPair without vector instructions.
func indexPairGeneric(data []byte, i int, first, fourth byte) int {
	for i+3 < len(data) {
		n := bytes.IndexByte(data[i:len(data)-3], first)
		if n < 0 {
			return -1
		}
		if i += n; data[i+3] == fourth {
			return i
		}
		i++
	}
	return -1
}
