package rules

import (
	"bytes"
	"sort"

	"github.com/b10lint/b10lint/finding"
)

// What is asked of the surroundings of a key is worked out once for all keys near by, so
// that the time is linear in a text however densely shapes stand in it.

// mentions are where the names that count stand in one block of a text, Baseten's and
// others', in order.
type mentions struct{ own, other []finding.Span }

// nameBlock is the size of a block. It is a little more than what a shape asks for.
const nameBlock = 2 << 10

// longestName is more than the longest name that counts takes, with what must follow it.
const longestName = 24

// block returns the names that begin in a block.
func (t *text) block(n int) *mentions {
	if t.names == nil {
		t.names = make([]*mentions, len(t.data)/nameBlock+1)
	}
	if t.names[n] != nil {
		return t.names[n]
	}
	m := new(mentions)
	t.names[n] = m
	from := n * nameBlock
	to := min(from+nameBlock, len(t.data))
	var buf [1 + nameBlock + longestName]byte
	before := min(from, 1)
	lower := buf[:copy(buf[:], t.data[from-before:min(to+longestName, len(t.data))])]
	t.worked(len(lower))
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	for i := before; i < before+to-from; i++ {
		if !initial(lower[i]) {
			continue
		}
		at := from + i - before
		if size := isOwn(lower, i); size > 0 {
			m.own = append(m.own, finding.Span{Start: at, End: at + size})
		} else if size := isOther(lower, i); size > 0 {
			m.other = append(m.other, finding.Span{Start: at, End: at + size})
		}
	}
	return m
}

func (m *mentions) of(own bool) []finding.Span {
	if own {
		return m.own
	}
	return m.other
}

// lastName returns where the last name in data[from:to] begins, or -1.
func (t *text) lastName(own bool, from, to int) int {
	for n := (to - 1) / nameBlock; to > from && n >= from/nameBlock; n-- {
		all := t.block(n).of(own)
		if k := sort.Search(len(all), func(k int) bool { return all[k].End > to }); k > 0 {
			if all[k-1].Start < from {
				return -1
			}
			return all[k-1].Start
		}
	}
	return -1
}

// firstName returns where the first name in data[from:to] begins, or -1.
func (t *text) firstName(own bool, from, to int) int {
	for n := from / nameBlock; n*nameBlock < to; n++ {
		all := t.block(n).of(own)
		if k := sort.Search(len(all), func(k int) bool { return all[k].Start >= from }); k < len(all) {
			if all[k].End > to {
				return -1
			}
			return all[k].Start
		}
	}
	return -1
}

// hasZero reports whether a zero byte stands up to reach bytes before data[start] or
// after data[end]. Shapes come in order, mostly, and the stretch without a zero that is
// known grows with them.
func (t *text) hasZero(start, end, reach int) bool {
	c := &t.clear
	isNew := end < c.Start || start > c.End+reach
	if !isNew && start > c.End {
		isNew = bytes.IndexByte(t.data[c.End:start], 0) >= 0
		t.worked(start - c.End)
	}
	if isNew {
		*c = finding.Span{Start: start, End: start}
	}
	c.Start, c.End = min(c.Start, start), max(c.End, end)
	if from := max(0, start-reach); c.Start > from {
		i := from + bytes.LastIndexByte(t.data[from:c.Start], 0)
		t.worked(c.Start - i - 1)
		if c.Start = i + 1; c.Start > from {
			return true
		}
	}
	to := min(len(t.data), end+reach)
	if c.End < to {
		i := bytes.IndexByte(t.data[c.End:to], 0)
		if i < 0 {
			i = to - c.End
		}
		t.worked(i)
		c.End += i
	}
	return c.End < to
}

// worked counts bytes that were looked at, for a test.
func (t *text) worked(n int) {
	if t.work != nil {
		*t.work += int64(n)
	}
}
