package rules

import (
	"bytes"
	"encoding/binary"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
	"github.com/b10lint/b10lint/secret"
)

// DecodeFactor is how many bytes may be decoded for each byte of a layer up to where its
// search has come: far more than honest input needs, and what bounds the time for input
// that is made to look encoded in every way at once. What is behind has what it takes,
// whatever stands in front.
const DecodeFactor = 8

// DecodeDepth is how many encodings are taken off one another.
const DecodeDepth = 4

const (
	maxDepth = DecodeDepth
	// What may be decoded beyond that, in the input and in a decoded layer.
	budgetFloor = 64 << 10
	layerFloor  = 4 << 10
)

// A finder is one search.
type finder struct {
	input layer
	fresh []finding.Span
	// work counts the bytes that were looked at, in all layers, for a test.
	work int64
	// unweighed is set when nothing but the shape is asked for.
	unweighed bool
	quota     *Quota // nil: none
	found     []Match
	// scratch and wrapped are memory for what one layer decodes, by its depth.
	scratch [maxDepth][]byte
	wrapped [maxDepth]wrapped
	joins   joinReader
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
	// gathered is how far whole lines of the digits of a code, by its bits, were looked at, seen how
	// far digits, wideEnd how far UTF-16 and UTF-32, by where their characters begin, quotedEnd how
	// far quoted-printable, and numbersEnd how far numbers, by how they are written.
	gathered, seen, wideEnd [8]int
	quotedEnd               int
	numbersEnd              [len(numberCodes)]int
	// spent is how much was decoded below the layer, for its bytes up to reach.
	spent, reach int
	// lost is the place behind the first byte at which a budget did not suffice, or 0.
	lost int
	// joined is how much was read over joints from marks, dotted how much from dots, and
	// dotless the last stretch that is known to have no dot.
	joined, dotted int
	dotless        finding.Span
	// named is whether the file's name or first lines name Baseten, once asked.
	named, asked bool
	// unerased is where there are no backspaces, which may take letters away.
	unerased finding.Span
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
	bounds := finding.Span{End: len(l.data)}
	if l.up == nil && f.fresh != nil {
		bounds = finding.Span{Start: max(0, span.Start-clip), End: min(len(l.data), span.End+clip)}
	}
	f.work += int64(span.End - span.Start)
	middle := l.up == nil && f.quota != nil && f.quota.Own.Start > 0
	sweep(l.data, max(0, span.Start-joinReach), min(len(l.data), span.End+joinReach), l.hasNumbers(middle), func(h hit, i int) {
		if f.stopped() {
			return
		}
		switch h {
		case hitShape:
			f.plain(l, i)
		case hitMark:
			f.marked(l, i)
		case hitRow:
			for _, c := range []*digitCode{&base64Code, &hexCode} {
				if c.strict[l.data[i]] && i >= l.gathered[c.bits] {
					f.row(l, c, i, bounds)
				}
			}
		case hitEscape:
			f.escaped(l, i, bounds)
		case hitWide:
			f.wide(l, i, bounds)
		case hitNumbers:
			f.numbers(l, i, bounds)
		}
	})
	f.pickled(l, span)
	f.joined(l, span)
}

// pickled looks at the strings of 41 bytes in a pickle of protocol 2 or 3, such as
// torch.save writes: the opcode behind one is a letter, so the sweep sees a longer word.
func (f *finder) pickled(l *layer, span finding.Span) {
	if len(l.data) < 2 || l.data[0] != 0x80 || l.data[1] != 2 && l.data[1] != 3 {
		return
	}
	head := []byte{'X', minRun, 0, 0, 0}
	for i := max(0, span.Start-joinReach); ; {
		n := bytes.Index(l.data[i:min(len(l.data), span.End+joinReach)], head)
		if n < 0 {
			return
		}
		i += n + len(head)
		if s, ok := legacy.at(&l.text, i); ok {
			f.add(l, s)
		}
	}
}

// plain looks at the dot of what may be a key without a mark, or the end of one whose
// mark is in parts.
func (f *finder) plain(l *layer, dot int) {
	start := dot - prefixLen
	if start < 0 || !allAlnum(l.data[start:dot]) { // the usual case
		return
	}
	if s, ok := legacy.at(&l.text, start); ok {
		f.add(l, s)
	}
	f.joinMark(l, start)
}

// marked looks at the place of a mark, for a key as it is or put together of parts.
// Most places have something else.
func (f *finder) marked(l *layer, i int) {
	if i+markLen > len(l.data) {
		return
	}
	word := binary.LittleEndian.Uint32(l.data[i:])
	for k := range grammars {
		g := &grammars[k]
		if g.word != word {
			continue
		}
		if s, ok := g.at(&l.text, i); ok {
			f.add(l, s)
		} else if g.MinSecret == g.MaxSecret {
			f.join(l, i, g)
		}
	}
}

// row looks at the digits about a row of groups that ends with the one at i.
func (f *finder) row(l *layer, c *digitCode, i int, bounds finding.Span) {
	if i < l.seen[c.bits] {
		return
	}
	s := i
	for s > bounds.Start && c.value[l.data[s-1]] >= 0 {
		s--
	}
	if i-s < (rowGroups-1)*rowStep {
		return
	}
	e := c.end(l.data[:bounds.End], i)
	l.seen[c.bits] = e
	if e-s < c.shortest || c.mixed && !mixedCase(l.data[s:e]) {
		return
	}
	if l.depth < maxDepth {
		f.piece(l, c, s, e)
	} else if inside, _ := c.hasRow(l.data[s:e]); inside && !l.isQuoted() {
		f.giveUp(l, s) // a text in one more encoding
	}
}

// isQuoted reports whether a layer was quoted-printable, or is in one that was: the padding of
// base64 reads as that, too, and is not an encoding more.
func (l *layer) isQuoted() bool {
	for ; l != nil; l = l.up {
		if l.view == escapeCodes[quotedCode].name {
			return true
		}
	}
	return false
}

// mixedCase reports whether some letters are large and some small: so it is in each
// key in base64, also in half of one.
func mixedCase(digits []byte) bool {
	var all byte
	for _, d := range digits {
		if all |= kinds[d]; all&(isUpper|isLower) == isUpper|isLower {
			return true
		}
	}
	return false
}

// escaped looks at the run with escapes in it that ends at data[end].
func (f *finder) escaped(l *layer, end int, bounds finding.Span) {
	if l.depth >= maxDepth {
		return
	}
	r := run{start: end, end: end}
	for r.start > bounds.Start && kinds[l.data[r.start-1]]&isDense != 0 {
		r.start--
	}
	for r.end < bounds.End && kinds[l.data[r.end]]&isDense != 0 {
		r.end++
	}
	if r.end-r.start >= minRun {
		f.escapes(l, r)
	}
}

// spend takes n bytes from the budgets of a layer and of those above it, to decode what
// stands in the layer from a place to another. It reports whether all of them had as much.
func (f *finder) spend(l *layer, n, from, to int) bool {
	f.work += int64(n)
	l.reach = max(l.reach, to)
	enough := true
	for a := l; a != nil; a = a.up {
		floor := layerFloor
		if a.up == nil {
			floor = budgetFloor
		}
		enough = enough && a.spent+n <= DecodeFactor*a.reach+floor
	}
	if !enough {
		f.giveUp(l, from)
	}
	if !enough || f.stopped() {
		return false
	}
	for a := l; a != nil; a = a.up {
		a.spent += n
	}
	return true
}

// giveUp keeps the first place of a layer at which a budget did not suffice, and where in
// the layers above it comes from.
func (f *finder) giveUp(l *layer, at int) {
	for at = max(0, min(at, len(l.data)-1)); l.lost == 0 || at < l.lost-1; {
		l.lost = at + 1
		if l.up == nil {
			return
		}
		at, _ = l.place(at, at+1)
		l = l.up
	}
}

// descend searches what an encoding hid, within the budget.
func (f *finder) descend(l *layer, view string, data []byte, place placer) {
	if from, _ := place(0, 1); !f.spend(l, len(data), from, l.reach) {
		return
	}
	f.search(&layer{
		text: text{path: l.path, data: data, work: &f.work},
		up:   l, view: view, depth: l.depth + 1, place: place,
	})
}

// add judges a shape of a layer, and keeps it if it is a key in a fresh place.
func (f *finder) add(l *layer, s shape) {
	if f.counts(l, s) || !drawn(l.data, s) {
		return
	}
	var confidence finding.Confidence
	var quiet bool
	if !f.unweighed {
		confidence, quiet = l.judge(s)
	}
	m := Match{
		Start: s.start, End: s.end,
		Secret: secret.New(string(l.data[s.start:s.end])),
		Format: finding.Format(s.of.Name), Confidence: confidence, Silent: quiet,
	}
	var views []string
	for ; l.up != nil; l = l.up {
		m.Start, m.End = l.place(m.Start, m.End)
		if s.of == legacy && inHash(l.up.data, m.Start) {
			return // of which the last letters are beside an escape
		}
		views = append(views, l.view)
	}
	for i := range views {
		m.Decoded = append(m.Decoded, views[len(views)-1-i])
	}
	if f.fresh == nil || touches(f.fresh, m.Start, m.End) {
		f.found = append(f.found, m)
		if q := f.quota; q != nil && m.Start >= q.Own.Start && m.Start < q.Own.End {
			q.Used += 1 + len(views)
		}
	}
}

// stopped reports whether the search is to end.
func (f *finder) stopped() bool { return f.quota != nil && f.quota.Stop != nil && f.quota.Stop.Load() }

// counts reports whether the quota is used up, and counts the shape then.
func (f *finder) counts(l *layer, s shape) bool {
	q := f.quota
	if q == nil || q.Used < q.Most {
		return false
	}
	if f.fresh == nil && q.Further > 0 && q.Own.Start == 0 && q.Own.End == len(f.input.data) { // the usual case
		q.Further++
		return true
	}
	start, end := s.start, s.end
	for ; l.up != nil; l = l.up {
		start, end = l.place(start, end)
	}
	if start < q.Own.Start || start >= q.Own.End || f.fresh != nil && !touches(f.fresh, start, end) {
		return false
	}
	if q.Further++; q.Further == 1 {
		q.First = start
	}
	return true
}

// judge returns how sure it is that a shape of a layer is a key, and whether its
// neighbourhood was silent. The decoded text around it counts, and the text around the
// run that hid it, outwards.
func (l *layer) judge(s shape) (c finding.Confidence, quiet bool) {
	if s.of.Alone == keyformat.High {
		return finding.HighConfidence, false
	}
	w, quiet := l.weigh(s)
	for ; w != against && w != certain && l.up != nil; l = l.up {
		s.start, s.end = l.place(s.start, s.end)
		outer, _ := l.up.weigh(s)
		w = max(w, outer)
	}
	return confidence(s.of, w), quiet
}
