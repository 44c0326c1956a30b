package scanner

import (
	"cmp"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

const (
	// searchSide is how much on each side of a line is searched for other keys to mask,
	// and how much of a long line counts: a key that reaches into what is shown lies
	// well within it.
	searchSide = 4096
	// wideSide is how much of UTF-16 text on each side of a key is written as UTF-8
	// for its snippet, in bytes.
	wideSide = 4 * searchSide
	// maxStretch bounds what is prepared for keys that follow.
	maxStretch = 1 << 20
)

// A view is the text of a blob as snippets show it: written as UTF-8, and with every key
// in it known, so that it can be masked. It is prepared in stretches, each twice as long as the one before, so that
// the work is linear in the blob however many keys stand in it. Keys come in order.
type view struct {
	data []byte
	wide source.Wide
	// text is data[from:to] written as UTF-8, where at gives the place in text of each
	// pair of bytes; or, with a nil at, all of data as it is.
	text     []byte
	from, to int
	at       []int32
	// masks are the keys in text[lo:hi], in order and without overlaps.
	lo, hi   int
	masks    []masked
	searched int // bytes, in all
	// sealed is where in the text begins what could not be searched before it was written
	// as UTF-8 and is not shown; 0 for nowhere.
	sealed int
}

// place returns where in the text data[start:end] is.
func (v *view) place(start, end int) (from, to int) {
	if v.at == nil {
		return start, end
	}
	pairs := len(v.at) - 1
	return int(v.at[min((start-v.from)/2, pairs)]), int(v.at[min((end-v.from+1)/2, pairs)])
}

// show sets the text, in which nothing has been searched.
func (v *view) show(text []byte, at []int32, from, to int) {
	*v = view{data: v.data, wide: v.wide, text: text, at: at, from: from, to: to, searched: v.searched}
}

// more is how far behind from to prepare when end is needed.
func (v *view) more(from, end, before int) int {
	return max(end, from+min(2*before, maxStretch))
}

// narrow writes the UTF-16 text around data[start:end] as UTF-8, unless it was.
func (v *view) narrow(start, end int) {
	from, to := max(0, start-wideSide)&^1, min(len(v.data), end+wideSide)
	if v.at != nil && from >= v.from && to <= v.to {
		return
	}
	to = min(len(v.data), v.more(from, to, v.to-v.from))
	part, gaveUp := v.veil(v.data[from:to])
	at := make([]int32, 1, len(part)/2+1)
	var text []byte
	for i := 0; i+1 < len(part); i += 2 {
		r := rune(v.wide.Unit(part[i], part[i+1]))
		if utf16.IsSurrogate(r) {
			second := rune(-1)
			if i+3 < len(part) {
				second = rune(v.wide.Unit(part[i+2], part[i+3]))
			}
			if r = utf16.DecodeRune(r, second); r != utf8.RuneError {
				at = append(at, int32(len(text)))
				i += 2
			}
		}
		if r != '\ufeff' {
			text = utf8.AppendRune(text, r)
		}
		at = append(at, int32(len(text)))
	}
	v.show(text, at, from, to)
	if gaveUp >= 0 {
		v.sealed = max(1, int(at[min(gaveUp/2, len(at)-1)]))
	}
}

// veil blots out keys that are not UTF-16 of the same order themselves: read in
// pairs they would no longer look like keys, and could be turned back. From gaveUp on,
// unless it is -1, there may be others.
func (v *view) veil(part []byte) (clean []byte, gaveUp int) {
	v.searched += len(part)
	clean = part
	gaveUp = rules.FindUnweighed(part, func(m rules.Match) bool {
		if len(m.Decoded) > 0 && m.Decoded[0] == "utf-16" && m.Start%2 == 0 && v.wide.Unit(part[m.Start], part[m.Start+1]) < 0x80 {
			return true
		}
		if &clean[0] == &part[0] {
			clean = slices.Clone(part)
		}
		clear(clean[m.Start:m.End])
		return true
	})
	return clean, gaveUp
}

// narrowString is narrow for a string of UTF-16 inside other data: only ASCII
// characters beside it belong to it.
func (v *view) narrowString(start, end int) {
	zero := 1 // where a pair has its zero byte
	if v.data[start] == 0 {
		zero = 0
	}
	ours := func(i int) bool {
		return i >= 0 && i+1 < len(v.data) && v.data[i+zero] == 0 && v.data[i+1-zero] >= 0x20 && v.data[i+1-zero] < 0x7f
	}
	from, to := start, end
	for start-from < wideSide && ours(from-2) {
		from -= 2
	}
	for to-end < wideSide && ours(to) {
		to += 2
	}
	if v.at != nil && from >= v.from && to <= v.to && (from-v.from)%2 == 0 {
		return
	}
	for stop := v.more(from, to, v.to-v.from); to < stop && ours(to); {
		to += 2
	}
	at := make([]int32, 1, (to-from)/2+1)
	var text []byte
	for i := from; i+1 < to; i += 2 {
		text = append(text, v.data[i+1-zero])
		at = append(at, int32(len(text)))
	}
	v.show(text, at, from, to)
}

// keys lists what belongs to keys in the part of text[from:to] that is shown, from left to
// right of it, in order and without overlaps: the one at start and end, and any other, also
// one that reaches in from the lines around.
func (v *view) keys(from, to, start, end, left, right int) []masked {
	lo, hi := max(0, from-searchSide), min(len(v.text), to+searchSide)
	if v.masks == nil || lo < v.lo || hi > v.hi {
		v.search(lo, min(len(v.text), v.more(lo, hi, v.hi-v.lo)))
	}
	shown := from + left
	i, _ := slices.BinarySearchFunc(v.masks, shown, func(k masked, shown int) int { return cmp.Or(cmp.Compare(k.end, shown), -1) })
	keys := []masked{{start, end, stars}}
	if v.sealed > 0 {
		keys = append(keys, masked{v.sealed, len(v.text), withheld})
	}
	for ; i < len(v.masks) && v.masks[i].start < min(to, from+right); i++ {
		keys = append(keys, v.masks[i])
	}
	keys = united(keys)
	for i := range keys {
		keys[i].start, keys[i].end = max(keys[i].start, from)-from, min(keys[i].end, to)-from
	}
	return keys
}

func (v *view) search(lo, hi int) {
	v.lo, v.hi, v.masks = lo, hi, []masked{}
	v.searched += hi - lo
	gaveUp := rules.FindUnweighed(v.text[lo:hi], func(m rules.Match) bool {
		k := masked{lo + m.Start, lo + m.End, stars}
		if len(m.Decoded) == 0 {
			k.label = m.Secret.Prefix() + "." + stars
		}
		v.masks = append(v.masks, k)
		return true
	})
	if gaveUp >= 0 {
		v.masks = append(v.masks, masked{lo + gaveUp, hi, withheld})
	}
	v.masks = united(v.masks)
}

// united puts stretches in order and makes one of those that overlap.
func united(keys []masked) []masked {
	slices.SortStableFunc(keys, func(a, b masked) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), cmp.Compare(len(b.label), len(a.label)))
	})
	out := keys[:0]
	for _, k := range keys {
		if n := len(out); n > 0 && k.start < out[n-1].end {
			out[n-1].end = max(out[n-1].end, k.end)
			continue
		}
		out = append(out, k)
	}
	return out
}

// A masked is a stretch of a line that is not shown, and what is shown for it.
type masked struct {
	start, end int
	label      string
}

const (
	stars = "****"
	// withheld stands for the rest of a line that could not be searched whole.
	withheld = stars + " [withheld: encoded too deeply to be searched]"
)
