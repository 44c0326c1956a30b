package rules

// wideReach is how much text about a wide run is decoded with it, for context.
const wideReach = 8 << 10

// wide looks at a run of UTF-16: whole files, with or without a mark, and strings
// inside other data. Characters beyond ASCII end what is decoded; keys have none.
func (f *finder) wide(l *layer, r run) {
	if l.depth >= maxDepth || f.budget < int64(r.end-r.start) {
		return
	}
	// Little-endian characters begin where their byte is, big-endian ones before.
	shift := 0
	if r.start%2 == 1 && r.start > 0 && l.data[r.start-1] == 0 {
		shift = 1
	}
	start, floor := r.start, max(1, r.start-wideReach)
	for start-2 >= floor && isText(l.data[start-2]) && l.data[start-1] == 0 {
		start -= 2
	}
	end, roof := r.end, min(len(l.data)-1, r.end+wideReach)
	for end < roof && isText(l.data[end]) && (l.data[end+1] == 0 || l.data[end-1] == 0) {
		end += 2
	}
	f.budget -= int64(end - start)
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
