package rules

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
)

const (
	// wideReach is how much text about a wide run is decoded with it, for context.
	wideReach = 8 << 10
	// wideMore is how much of the text behind it is, so that there is little that is
	// decoded twice.
	wideMore = 8 * wideReach
	// maxOthers characters that are not ASCII and follow each other are not a text.
	maxOthers = 256
)

// A wideCode writes a character as so many bytes, all but one of them zero for ASCII.
type wideCode struct {
	name string
	step int
}

var utf16Code, utf32Code = &wideCode{"utf-16", 2}, &wideCode{"utf-32", 4}

// wide looks at the run of UTF-16 or UTF-32 about data[i], a dense byte with zero bytes
// after it: whole files, with or without a mark, and strings inside other data. Other
// characters of a text are decoded as bytes that are not ASCII; keys have none.
func (f *finder) wide(l *layer, i int, bounds finding.Span) {
	c := utf16Code
	if i+3 < len(l.data) && l.data[i+2] == 0 && l.data[i+3] == 0 {
		c = utf32Code
	}
	done := &l.wideEnd[c.step+i%c.step] // characters that begin elsewhere are another text
	if i < *done || l.depth >= maxDepth {
		return
	}
	zeros := func(from, to int) bool {
		for ; from < to; from++ {
			if l.data[from] != 0 {
				return false
			}
		}
		return true
	}
	isUnit := func(i int) bool { return kinds[l.data[i]]&isDense != 0 && zeros(i+1, i+c.step) }
	start, end := i, i
	for start-c.step >= bounds.Start && isUnit(start-c.step) {
		start -= c.step
	}
	for end+c.step-1 < bounds.End && isUnit(end) {
		end += c.step
	}
	// Little-endian characters begin where their byte is, big-endian ones before, and the last
	// of those has no zero byte after it. What stands beside a run may make it look like either,
	// with one character more or less.
	before := c.step - 1
	isBig, goesOn := start >= before && l.isBigEndian(c, start, end), end < bounds.End && kinds[l.data[end]]&isDense != 0
	hasZeros := start >= before && zeros(start-before, start)
	*done = end
	if !isBig || !hasZeros || goesOn {
		f.wideText(l, c, finding.Span{Start: start, End: end}, 0, bounds)
	}
	if isBig || hasZeros && goesOn {
		f.wideText(l, c, finding.Span{Start: choose(hasZeros, start, start+c.step), End: choose(goesOn, end+1, end)}, before, bounds)
	}
}

// wideText decodes a run with what is text about it, as far as it is asked for. The bytes of
// its characters that are not zero are shift behind where they begin.
func (f *finder) wideText(l *layer, c *wideCode, run finding.Span, shift int, bounds finding.Span) {
	start, end, n := run.Start, run.End, len(l.data)
	if end-start < c.step*minRun-c.step+1 {
		return
	}
	others := 0 // characters that are not ASCII, in a row: other data may look like those
	isText := func(i int) bool {
		text, ascii := isWideText(l.data[i-shift:i-shift+c.step], shift)
		others = choose(ascii, 0, others+1)
		return text && others < maxOthers
	}
	for floor := max(shift, start-wideReach); start-c.step >= floor && isText(start-c.step); {
		start -= c.step
	}
	end += (c.step - (end-start)%c.step) % c.step
	roof := min(n-c.step+1, max(end+wideReach, min(bounds.End, end+wideMore)))
	for others = 0; end < roof && isText(end); {
		end += c.step
	}
	// Runs in what is decoded now are found there, but for the last, which may go on.
	done := &l.wideEnd[c.step+start%c.step]
	*done = max(*done, end-choose(end >= roof && roof < n-c.step+1, wideReach/2, 0))
	if !f.spend(l, (end-start)/c.step, start, min(end, n)) {
		return
	}
	out := f.scratch[l.depth][:0]
	for i := start; i < min(end, n); i += c.step {
		b := l.data[i]
		if i < run.Start || i >= run.End {
			for k := i - shift; k < min(n, i-shift+c.step); k++ {
				if k != i && l.data[k] != 0 {
					b = 0xff
				}
			}
		}
		out = append(out, b)
	}
	f.scratch[l.depth] = out
	f.scratch[l.depth] = out

	f.descend(l, c.name, out, func(from, to int) (int, int) {
		return start + c.step*from - shift, min(start+c.step*to-shift, n)
	})
}

// isBigEndian reports whether the characters of a run, before which there are zero bytes,
// begin with those: as the text's mark says, else when the data ends with the last one, else
// by where in the data they are.
func (l *layer) isBigEndian(c *wideCode, start, end int) bool {
	for _, mark := range []struct {
		bytes string
		big   bool
	}{{"\xff\xfe", false}, {"\xfe\xff", true}, {"\x00\x00\xfe\xff", true}} {
		if bytes.HasPrefix(l.data, []byte(mark.bytes)) {
			return mark.big
		}
	}
	return end == len(l.data)-1 || start%c.step == c.step-1
}

func isText(c byte) bool { return c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }

// isWideText reports whether a unit of UTF-16 or UTF-32, whose lowest byte is unit[low], is
// text: ASCII, or a character of another script. The units of ASCII text that are read from
// the wrong byte on have a lowest byte of zero, and are not.
func isWideText(unit []byte, low int) (text, ascii bool) {
	b, next := unit[low], unit[1]
	if low > 0 {
		next = unit[low-1]
	}
	if len(unit) == utf32Code.step {
		if plane := unit[(low+2)%4]; unit[3-low] != 0 || plane > 0 {
			return unit[3-low] == 0 && plane <= 3, false
		}
	}
	switch {
	case next == 0:
		return isText(b) || b >= 0xa0, b < 0xa0
	case b == 0 && next < 0x80:
		return next == 0x30, false // a space as wide as a character
	}
	return next <= 0x05 || next >= 0x20 && next <= 0x26 || next >= 0x30 && next <= 0xdf || next >= 0xfe, false
}
