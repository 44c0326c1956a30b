package scanner

import (
	"bytes"
	"unicode/utf8"

	"github.com/b10lint/b10lint/rules"
)

const (
	// snippetSide is how much of a line is shown before and after a key.
	snippetSide = 100
	// searchSide is how much of it is searched for other keys to mask: a key that
	// reaches into what is shown lies well within it.
	searchSide = 4096
	// maxRun is the longest run of letters and digits that is shown. A longer one
	// may be another secret, or part of one.
	maxRun = 24
)

// snippet returns the line of a key with every key in it masked, cut to a readable
// length, and the character span of this key's mask in it. A key that was encoded
// over several lines shows its first one.
func snippet(data []byte, start, end int) (string, *[2]int) {
	from := lineStart(data, start, searchSide)
	to := lineEnd(data, start, searchSide)
	end = min(end, to)
	var out []byte
	var mark [2]int
	left, right := max(from, start-snippetSide), min(to, end+snippetSide)
	at := from
	emit := func(until int) { // the bytes up to a place, if they are shown
		if a, b := max(at, left), min(until, right); a < b {
			out = append(out, maskRuns(data[from:to], a-from, b-from)...)
		}
		at = max(at, until)
	}
	masked := false
	mask := func(s, e int, text string) {
		if e <= at {
			return
		}
		emit(s)
		if s == start {
			mark[0] = utf8.RuneCount(out)
			mark[1], masked = mark[0]+utf8.RuneCountInString(text), true
		}
		if e > left && s < right {
			out = append(out, text...)
		}
		at = e
	}
	rules.Find("", data[from:to], nil, func(m rules.Match) bool {
		s, e := from+m.Start, from+m.End
		if s > start && !masked {
			mask(start, end, "****")
		}
		text := "****"
		if len(m.Decoded) == 0 {
			text = m.Secret.Prefix() + ".****"
		}
		mask(s, e, text)
		return true
	})
	if !masked {
		mask(start, end, "****")
	}
	emit(to)
	return string(bytes.TrimRight(out, "\r")), &mark
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
