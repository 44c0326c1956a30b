package scanner

import (
	"bytes"
	"unicode/utf8"
)

const (
	// snippetSide is how much of a line is shown before and after a key.
	snippetSide = 100
	// maxRun is the longest run of letters and digits that is shown. A longer one
	// may be another secret, or part of one.
	maxRun = 24
)

// A line is one line that is about to be shown from left to right.
type line struct {
	data        []byte
	keys        []masked
	left, right int
	out         []byte
}

// render shows the line, and says where the mask of the key at start is.
func (l *line) render(start int) (string, *[2]int) {
	var mark [2]int
	at := 0
	for _, k := range l.keys {
		l.show(at, k.start)
		at = k.end
		if k.end <= l.left || k.start >= l.right {
			continue
		}
		before := utf8.RuneCount(l.out)
		if bytes.HasSuffix(l.out, []byte(stars)) && k.label == stars {
			before -= len(stars) // one mask says it all
		} else {
			l.out = append(l.out, k.label...)
		}
		if k.start <= start && start < k.end {
			mark = [2]int{before, utf8.RuneCount(l.out)}
		}
	}
	l.show(at, len(l.data))
	return string(bytes.TrimRight(l.out, "\r")), &mark
}

// show adds the part of the line from a to b that is to be shown.
func (l *line) show(a, b int) {
	a, b = max(a, l.left), min(b, l.right)
	if a >= b {
		return
	}
	text := maskRuns(l.data, a, b)
	if bytes.HasSuffix(l.out, []byte(stars)) {
		text = bytes.TrimPrefix(text, []byte(stars))
	}
	l.out = append(l.out, text...)
}

// maskRuns returns line[a:b] with every run that is too long to show replaced. A
// run is judged whole, also where it sticks out of what is shown.
func maskRuns(line []byte, a, b int) []byte {
	var out []byte
	for i := a; i < b; {
		if !runByte(line[i]) {
			out = append(out, line[i])
			i++
			continue
		}
		s, e := i, i
		for s > 0 && runByte(line[s-1]) {
			s--
		}
		for e < len(line) && runByte(line[e]) {
			e++
		}
		if e-s > maxRun {
			out = append(out, "****"...)
		} else {
			out = append(out, line[i:min(e, b)]...)
		}
		i = e
	}
	return out
}

func runByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '+'
}

func lineStart(data []byte, i, limit int) int {
	floor := max(0, i-limit)
	return floor + bytes.LastIndexByte(data[floor:i], '\n') + 1
}

func lineEnd(data []byte, i, limit int) int {
	roof := min(len(data), i+limit)
	if n := bytes.IndexByte(data[i:roof], '\n'); n >= 0 {
		return i + n
	}
	return roof
}
