package rules

import "github.com/b10lint/b10lint/finding"

const (
	// wideReach is how much text about a wide run is decoded with it, for context.
	wideReach = 8 << 10
	// wideMore is how much of the text behind it is, so that there is little that is
	// decoded twice.
	wideMore = 8 * wideReach
)

// wide looks at the run of UTF-16 about data[i], a dense byte with a zero byte after
// it: whole files, with or without a mark, and strings inside other data. Characters
// beyond ASCII end what is decoded; keys have none.
func (f *finder) wide(l *layer, i int, bounds finding.Span) {
	if i < l.wideEnd || l.depth >= maxDepth {
		return
	}
	isPair := func(i int) bool { return kinds[l.data[i]]&isDense != 0 && l.data[i+1] == 0 }
	start, end := i, i
	for start-2 >= bounds.Start && isPair(start-2) {
		start -= 2
	}
	for end+1 < bounds.End && isPair(end) {
		end += 2
	}
	// Of big-endian text the last character has no zero byte after it.
	if end < bounds.End && kinds[l.data[end]]&isDense != 0 {
		end++
	}
	l.wideEnd = end
	if end-start < 2*minRun-1 {
		return
	}
	// The run is decoded with what is text about it, as far as it is asked for.
	// Little-endian characters begin where their byte is, big-endian ones before.
	shift := 0
	if start%2 == 1 && l.data[start-1] == 0 {
		shift = 1
	}
	floor := max(1, start-wideReach)
	roof := min(len(l.data)-1, max(end+wideReach, min(bounds.End, end+wideMore)))
	for start-2 >= floor && isText(l.data[start-2]) && l.data[start-1] == 0 {
		start -= 2
	}
	end += (end - start) & 1
	for end < roof && isText(l.data[end]) && (l.data[end+1] == 0 || l.data[end-1] == 0) {
		end += 2
	}
	// Runs in what is decoded now are found there, but for the last, which may go on.
	cut := choose(end >= roof && roof < len(l.data)-1, wideReach/2, 0)
	l.wideEnd = max(l.wideEnd, end-cut)
	if !f.spend(l, end-start, start, min(end, len(l.data))) {
		return
	}
	out := f.scratch[l.depth][:0]
	for i := start; i < min(end, len(l.data)); i += 2 {
		out = append(out, l.data[i])
	}
	f.scratch[l.depth] = out
	f.descend(l, "utf-16", out, func(from, to int) (int, int) {
		return start + 2*from - shift, min(start+2*to-shift, len(l.data))
	})
}

func isText(c byte) bool { return c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }
