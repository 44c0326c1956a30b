package rules

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// An escapeCode writes single bytes or characters as a mark and digits or a word.
// read returns what the escape at the head of b stands for and its length, or a
// length of 0 when there is none.
type escapeCode struct {
	name string
	mark byte
	read func(b []byte) (r rune, n int)
}

// escapeCodes are the codes that are looked through: RFC 3986 and the older %u
// form; the backslash escapes that C, JavaScript, Python and JSON share; the
// numeric and some named references of HTML; RFC 2045.
var escapeCodes = [...]escapeCode{
	{"percent", '%', readPercent},
	{"escape", '\\', readBackslash},
	{"entity", '&', readEntity},
	{"quoted-printable", '=', readQuoted},
	{"quoted-printable", '=', readQuotedDot},
}

// quotedCode is the one of the codes that goes on over lines.
const quotedCode = 3

// softBreak is what readQuoted returns for an escaped line end, which stands for
// nothing.
const softBreak = -1

// A run is a maximal stretch of dense bytes.
type run struct{ start, end int }

// escapes looks for keys in a run with escapes taken off, one code at a time.
func (f *finder) escapes(l *layer, r run) {
	for i := range escapeCodes {
		c := &escapeCodes[i]
		for first := r.start; ; first++ {
			n := bytes.IndexByte(l.data[first:r.end], c.mark)
			if n < 0 {
				break
			}
			first += n
			if _, n := c.read(l.data[first:]); n > 0 {
				if i != quotedCode {
					f.unescape(l, c, r, first)
				} else if r.start >= l.quotedEnd { // else it was a line of a run before
					l.quotedEnd = f.unescape(l, c, r, first)
				}
				break
			}
		}
	}
}

// unescape decodes a run whose first escape is at data[first]. Quoted-printable goes
// on over soft line ends. It returns how far it came.
func (f *finder) unescape(l *layer, c *escapeCode, r run, first int) (end int) {
	if start := r.start; c.mark == '=' {
		if r.start = beforeSoftBreaks(l.data, r.start); r.start < start {
			first = r.start
		}
	}
	if !f.spend(l, r.end-r.start, r.start, r.end) {
		return r.end
	}
	out := append(f.scratch[l.depth][:0], l.data[r.start:first]...)
	u := unescaper{c: c, data: l.data, at: first, run: r}
	for u.at < u.run.end {
		if l.data[u.at] != c.mark {
			n := bytes.IndexByte(l.data[u.at:u.run.end], c.mark)
			plain := choose(n >= 0, u.at+n, u.run.end)
			out = append(out, l.data[u.at:plain]...)
			u.at = plain
		} else if u.next(); u.v >= 0 {
			out = appendValue(out, u.v, u.escaped)
		}
	}
	f.scratch[l.depth] = out
	l.reach = max(l.reach, u.at)
	if promising(out) {
		f.descend(l, c.name, out, placeEscaped(unescaper{c: c, data: l.data, at: first, run: r}))
	}
	return u.at
}

// placeEscaped returns where a span of what a run decodes to is from. It decodes the run
// again, from the last step on that it remembers: keys come in order.
func placeEscaped(first unescaper) placer {
	const apart = 512
	type step struct {
		unescaper
		n int // bytes of the outcome before it
	}
	var steps []step // once asked
	return func(start, end int) (from, to int) {
		if steps == nil {
			steps = []step{{first, first.at - first.run.start}}
		}
		from, to = first.run.start+start, first.run.start+end // right for what comes before the first mark
		k := sort.Search(len(steps), func(k int) bool { return steps[k].n > start })
		var value [8]byte
		for s := steps[max(0, k-1)]; s.n < end && s.next(); {
			if s.v < 0 {
				continue
			}
			before := s.n
			s.n += len(appendValue(value[:0], s.v, s.escaped))
			if before <= start && start < s.n {
				from = s.from
			}
			if to = s.at; s.n >= steps[len(steps)-1].n+apart {
				steps = append(steps, s)
			}
		}
		return from, to
	}
}

// An unescaper steps through a run, one escape or plain byte at a time.
type unescaper struct {
	c    *escapeCode
	data []byte
	at   int // the place after the step
	run  run
	// The step: where it began, what it stands for (softBreak for nothing), and
	// whether it was an escape.
	from    int
	v       rune
	escaped bool
}

func (u *unescaper) next() bool {
	if u.at >= u.run.end {
		return false
	}
	n := 0
	u.from, u.escaped = u.at, false
	if u.data[u.at] == u.c.mark {
		u.v, n = u.c.read(u.data[u.at:])
		u.escaped = n > 0
	}
	if n == 0 {
		u.v, n = rune(u.data[u.at]), 1
	}
	u.at += n
	if u.v == softBreak {
		for u.run.end = max(u.run.end, u.at); u.run.end < len(u.data) && kinds[u.data[u.run.end]]&isDense != 0 && u.run.end-u.run.start < maxDecoded; {
			u.run.end++
		}
	}
	return true
}

// appendValue appends a byte as it is, an escaped character as UTF-8.
func appendValue(out []byte, v rune, escaped bool) []byte {
	if !escaped || v < utf8.RuneSelf {
		return append(out, byte(v))
	}
	return utf8.AppendRune(out, v)
}

// beforeSoftBreaks returns where the run begins that goes on at data[i] over soft
// line ends of quoted-printable.
func beforeSoftBreaks(data []byte, i int) int {
	const lines = 32
	for range lines {
		e := i
		if e > 0 && data[e-1] == '\n' {
			e--
		}
		if e > 0 && e < i && data[e-1] == '\r' {
			e--
		}
		if e == i || e == 0 || data[e-1] != '=' {
			break
		}
		for i = e - 1; i > 0 && kinds[data[i-1]]&isDense != 0; {
			i--
		}
	}
	return i
}

func readPercent(b []byte) (rune, int) {
	if len(b) > 1 && (b[1] == 'u' || b[1] == 'U') {
		return readHex(b, 2, 4)
	}
	return readHex(b, 1, 2)
}

func readQuoted(b []byte) (rune, int) {
	switch {
	case bytes.HasPrefix(b, []byte("=\r\n")):
		return softBreak, 3
	case bytes.HasPrefix(b, []byte("=\n")):
		return softBreak, 2
	}
	// Only ASCII is taken: "KEY=b1" is an assignment.
	if r, n := readHex(b, 1, 2); r < utf8.RuneSelf {
		return r, n
	}
	return 0, 0
}

// readQuotedDot takes the dot and the underscore alone: in "KEY=4C…=2E…" the first
// equals sign is none of the code's.
func readQuotedDot(b []byte) (rune, int) {
	if r, n := readHex(b, 1, 2); r == '.' || r == '_' {
		return r, n
	}
	return 0, 0
}

func readBackslash(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case 'x':
		return readHex(b, 2, 2)
	case 'u':
		return readHex(b, 2, 4)
	case 'U':
		return readHex(b, 2, 8)
	case 'n', 'r', 't', 'b', 'f', 'v', 'a', 'e':
		return ' ', 2
	case '\\', '/', '"', '\'', '`', '.', '_', '-', '=', '&', '%', '#', ';', '+':
		return rune(b[1]), 2
	}
	n := 1
	for n < 4 && n < len(b) && b[n] >= '0' && b[n] <= '7' {
		n++
	}
	v, _ := number(b[1:n], 8)
	if n == 1 || v > 255 {
		return 0, 0
	}
	return rune(v), n
}

func readEntity(b []byte) (r rune, n int) {
	if len(b) < 3 {
		return 0, 0
	}
	if b[1] != '#' {
		for _, e := range entities {
			if b[1] == e.name[1] && bytes.HasPrefix(b, []byte(e.name)) {
				return e.r, len(e.name)
			}
		}
		return 0, 0
	}
	base, start := rune(10), 2
	if b[2]|0x20 == 'x' {
		base, start = 16, 3
	}
	for n = start; n < len(b) && n < start+7; n++ {
		d := rune(hexDigit(b[n]))
		if d < 0 || d >= base {
			break
		}
		r = r*base + d
	}
	if n == start || r > utf8.MaxRune {
		return 0, 0
	}
	if n < len(b) && b[n] == ';' {
		n++
	}
	return r, n
}

// entities are the named references that stand for what may be in a key or near it.
var entities = []struct {
	name string
	r    rune
}{{"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&lt;", '<'}, {"&gt;", '>'}, {"&nbsp;", ' '}, {"&period;", '.'},
	{"&lowbar;", '_'}, {"&UnderBar;", '_'}, {"&equals;", '='}, {"&percnt;", '%'}, {"&sol;", '/'}, {"&bsol;", '\\'}, {"&colon;", ':'}, {"&plus;", '+'}}

// readHex reads exactly count hexadecimal digits after the mark.
func readHex(b []byte, mark, count int) (rune, int) {
	if len(b) < mark+count {
		return 0, 0
	}
	v, ok := number(b[mark:mark+count], 16)
	if !ok || v > utf8.MaxRune {
		return 0, 0
	}
	return rune(v), mark + count
}
