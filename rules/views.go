package rules

import (
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/secret"
)

const (
	// maxDepth is how many encodings are taken off one another.
	maxDepth = 4
	// The bytes that may be decoded, for each byte of input and at least: far more
	// than honest input needs, and what bounds the time for input that is made to
	// look encoded in every way at once.
	budgetFactor = 16
	budgetFloor  = 1 << 20
)

// A finder is one search.
type finder struct {
	input  layer
	fresh  []finding.Span
	budget int64
	found  []Match
	// scratch is memory for what one layer decodes, by its depth.
	scratch [maxDepth][]byte
}

// A layer is the input, or what one encoding in the layer above hid.
type layer struct {
	text
	up    *layer
	view  string // the name of the encoding
	depth int
	// place gives the span of the layer above that a span of the text was decoded
	// from. It is asked for keys alone, so it may be slow.
	place placer
	// gathered is how far wrapped digits were looked at.
	gathered int
	// named is whether the file's name or first lines name Baseten, once asked.
	named, asked bool
}

type placer func(start, end int) (from, to int)

// search looks at one layer: the input where it is fresh, a decoded one whole.
func (f *finder) search(l *layer) {
	if l.up != nil || f.fresh == nil {
		f.searchIn(l, finding.Span{End: len(l.data)})
		return
	}
	for rest := f.fresh; len(rest) > 0; {
		// Spans so close that their searches would overlap are searched as one.
		n := 1
		for n < len(rest) && rest[n].Start-rest[n-1].End <= 2*joinReach {
			n++
		}
		span := finding.Span{Start: rest[0].Start, End: rest[n-1].End}
		rest = rest[n:]
		f.searchIn(l, span)
	}
}

// clip bounds how far beyond a fresh span a run is looked at: a key, encoded four
// times over, and its neighbourhood.
const clip = 8 << 10

func (f *finder) searchIn(l *layer, span finding.Span) {
	eachRun(l.data, span, func(r run) {
		if l.up == nil && f.fresh != nil {
			r.start, r.end = max(r.start, clipStart(l.data, r, span)), min(r.end, span.End+clip)
		}
		if r.wide {
			f.wide(l, r)
			return
		}
		f.inspect(l, r)
	}, func(i int) { f.marked(l, i) })
	f.joined(l, span)
}

// marked looks at the place of a mark: for a key that is put together of parts, or
// for one of the format that may be shorter than a run.
func (f *finder) marked(l *layer, i int) {
	if l.data[i] == b10Mark[0] {
		f.join(l, i, len(b10Mark))
		return
	}
	dot := i + len(federatedMark) + federatedPrefix
	if dot+minFederated < len(l.data) && l.data[dot] == '.' {
		if s, ok := at(l.data, dot); ok {
			f.add(l, s)
		}
	}
}

// inspect looks at one run, for what its bytes allow.
func (f *finder) inspect(l *layer, r run) {
	var seen, piece byte
	deeper := l.depth < maxDepth
	start := r.start
	for i := r.start; i <= r.end; i++ {
		var k byte
		if i < r.end {
			k = kinds[l.data[i]]
		}
		if k&isBase64 == 0 {
			// Of a key in base64, also of half of one, some letters are large and some small.
			if piece&(isUpper|isLower) == isUpper|isLower && i-start >= base64Code.shortest && deeper {
				f.piece(l, &base64Code, start, i)
			}
			start, piece = i+1, 0
		}
		seen |= k
		piece |= k
	}
	if deeper {
		f.hex(l, r)
	}
	if seen&isDot != 0 {
		eachIn(l.data, r.start, r.end, func(s shape) bool { f.add(l, s); return true })
	}
	if seen&isUnderscore != 0 {
		marksIn(l.data, r.start, r.end, func(i int) { f.marked(l, i) })
	}
	if seen&isEscape != 0 && deeper {
		f.escapes(l, r)
	}
}

// clipStart is where to begin with a run that a span touches. Wide runs keep the
// parity of their places.
func clipStart(data []byte, r run, span finding.Span) int {
	at := max(0, span.Start-clip)
	if r.wide {
		at += (r.start - at) & 1
	}
	return at
}

// descend searches what an encoding hid, within the budget.
func (f *finder) descend(l *layer, view string, data []byte, place placer) {
	if f.budget -= int64(len(data)); f.budget < 0 {
		return
	}
	f.search(&layer{
		text: text{path: l.path, data: data},
		up:   l, view: view, depth: l.depth + 1, place: place,
	})
}

// add judges a shape of a layer, and keeps it if it is a key in a fresh place.
func (f *finder) add(l *layer, s shape) {
	confidence, ok := l.judge(s)
	if !ok {
		return
	}
	m := Match{
		Start: s.start, End: s.end,
		Secret: secret.New(string(l.data[s.start:s.end])),
		Format: s.format, Confidence: confidence,
	}
	var views []string
	for ; l.up != nil; l = l.up {
		m.Start, m.End = l.place(m.Start, m.End)
		views = append(views, l.view)
	}
	for i := range views {
		m.Decoded = append(m.Decoded, views[len(views)-1-i])
	}
	if f.fresh == nil || touches(f.fresh, m.Start, m.End) {
		f.found = append(f.found, m)
	}
}

// judge says how sure we are that a shape of a layer is a key; not ok means that
// it is none. The decoded text about it counts, and the text about the run that
// hid it, outwards.
func (l *layer) judge(s shape) (c finding.Confidence, ok bool) {
	if !drawn(l.data, s) {
		return 0, false
	}
	if s.format == finding.B10 {
		return finding.HighConfidence, true
	}
	w := l.weigh(s)
	for ; w != against && w != certain && l.up != nil; l = l.up {
		s.start, s.end = l.place(s.start, s.end)
		w = max(w, l.up.weigh(s))
	}
	if s.format == finding.Federated {
		w-- // the grammar is second-hand: certain surroundings make it likely
	}
	switch {
	case w >= certain:
		return finding.HighConfidence, true
	case w == likely:
		return finding.MediumConfidence, true
	}
	return finding.LowConfidence, true
}
