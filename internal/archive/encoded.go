package archive

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/b10lint/b10lint/internal/inflate"
	"github.com/b10lint/b10lint/internal/span"
)

// Text may hold containers that are written as digits, in base64 (RFC 4648, both alphabets,
// also twice, as in the Secrets of a Helm release) or in hexadecimal: cloud-init, attachments
// of mail, dumps of databases. They are known by the first digits of a long run, so that
// text without one is passed over in steps:
//
//	release: H4sIAAAAAAAC/+y9e3PbRrI4+ldmN1+…
//	         ▲ a run of minDigits begins here, and its first bytes are a container's
//
// What a run stands for is held in memory, within Limits.Memory, and walked like a member.

const (
	// minDigits is the shortest first line of a run: base64 in lines has 64 or more in each.
	minDigits = 2*digitBlockSize - 1
	// maxWrap is how many bytes may stand between two lines of one run.
	maxWrap = 64
	// proof is how many bytes come out of what really is packed, before it is a problem
	// that the rest is damaged.
	proof = 64
)

// A digitCode is a way to write bytes as digits.
type digitCode struct {
	name  string
	value [256]int8 // of a digit; -1 for any other byte
	bits  uint      // of a digit
}

var base64Code, hexCode = func() (b, h digitCode) {
	b, h = digitCode{name: "base64", bits: 6}, digitCode{name: "hex", bits: 4}
	for i := range b.value {
		b.value[i], h.value[i] = -1, -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		b.value[c] = int8(i)
	}
	b.value['-'], b.value['_'] = 62, 63
	for i, c := range []byte("0123456789abcdef") {
		h.value[c] = int8(i)
		h.value[bytes.ToUpper([]byte{c})[0]] = int8(i)
	}
	return b, h
}()

// nextRun returns where the next run of minDigits or more digits of base64 begins at data[i]
// or behind it, and where it ends; -1 if there is none. Digits of hexadecimal are digits of
// base64 as well. Wherever blocks begin, such a run has a whole one in it.
func nextRun(data []byte, i int) (start, end int) {
	for at := i; ; at = end + 1 {
		at += digitBlock(data[min(at, len(data)):])
		if at+digitBlockSize > len(data) {
			return -1, 0
		}
		for start, end = at, runEnd(data, at+digitBlockSize); start > i && base64Code.value[data[start-1]] >= 0; {
			start--
		}
		if end-start >= minDigits {
			return start, end
		}
	}
}

const digitBlockSize = 32

// digitBlockGeneric is digitBlock without vector instructions.
func digitBlockGeneric(data []byte) (at int) {
	for at+digitBlockSize <= len(data) {
		k := at + digitBlockSize - 1
		for k >= at && base64Code.value[data[k]] >= 0 {
			k--
		}
		if k < at {
			return at
		}
		at += digitBlockSize
	}
	return at
}

// runEnd returns where the digits end that data[i:] begins with.
func runEnd(data []byte, i int) int {
	for i < len(data) && base64Code.value[data[i]] >= 0 {
		i++
	}
	return i
}

// headOf returns the code of a run that stands for a container, and how many bytes before
// its first digit there are; nil for other runs.
func headOf(run []byte) (c *digitCode, skip int) {
	run = run[:min(len(run), minDigits)]
	may := func(i int) bool { return heads[run[i]][(run[i+1]-'+')/64]>>((run[i+1]-'+')%64)&1 != 0 }
	if may(0) && isHead(&base64Code, run) {
		return &base64Code, 0
	}
	switch { // 0x504b0304, \x504b0304, as in a dump of a database, and \nUEsDB, as in JSON
	case run[0] == 'x' || run[0] == 'n' || run[0] == 'r' || run[0] == 't':
		skip = 1
	case run[0] == '0' && run[1]|0x20 == 'x':
		skip = 2
	}
	switch {
	case !may(skip):
	case skip == 1 && isHead(&base64Code, run[1:]):
		return &base64Code, 1
	case isHead(&hexCode, run[skip:]):
		return &hexCode, skip
	}
	return nil, 0
}

// heads are the first two digits of the runs that stand for a container, by the first, with
// a bit for the second from '+' on. Most other runs go by them.
var heads = func() (may [128][2]uint64) {
	set := func(digits string) { may[digits[0]][(digits[1]-'+')/64] |= 1 << ((digits[1] - '+') % 64) }
	for _, k := range kinds {
		for _, start := range k.starts {
			second := []byte{0x01, 0x5e, 0x9c, 0xda} // zlib's
			if len(start) > 1 {
				second = []byte{start[1]}
			}
			for _, c := range second {
				b := base64.StdEncoding.EncodeToString([]byte{start[0], c, 0})
				set(b)
				set(base64.StdEncoding.EncodeToString([]byte(b)))
			}
			set(fmt.Sprintf("%02x", start[0]))
			set(fmt.Sprintf("%02X", start[0]))
		}
	}
	set("_T") // xz in the other alphabet
	return may
}()

// isHead reports whether digits stand for what begins as a container does, or as one that
// is written in base64.
func isHead(c *digitCode, digits []byte) bool {
	const few = 3 // bytes that tell most others
	var buf [minDigits]byte
	b := c.decode(buf[:0], digits[:2*few])
	if len(b) < few || !mayStart([few]byte(b)) && base64Code.value[b[0]]|base64Code.value[b[1]]|base64Code.value[b[2]] < 0 {
		return false
	}
	b = c.decode(buf[:0], digits)
	if k := sniff(b, nil); k != none && k != kindZlib && k != kindCompress { // whose magic is short
		return true
	}
	if len(b) > few && b[0] == 'x' && zlibHeader(b) && b[2]&6 != 6 {
		return true // the run as a whole shows whether it is
	}
	return len(b) >= minDigits/2 && isHead(&base64Code, b)
}

// mayStart reports whether a format begins with these bytes.
func mayStart(b [3]byte) bool {
	for _, k := range byFirst[b[0]] {
		for _, start := range kinds[k].starts {
			if n := min(len(start), len(b)); string(b[:n]) == start[:n] {
				return true
			}
		}
	}
	return false
}

// decode appends what digits stand for, up to the first byte that is no digit.
func (c *digitCode) decode(out, digits []byte) []byte {
	acc, bits := uint32(0), uint(0)
	for _, d := range digits {
		v := c.value[d]
		if v < 0 {
			break
		}
		acc = acc<<c.bits | uint32(v)
		if bits += c.bits; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out
}

// zlibHeader reports whether two bytes are the header of a zlib stream (RFC 1950, 2.2)
// as programs write it, with a window of 32 KiB and no dictionary.
func zlibHeader(b []byte) bool {
	return b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x5e || b[1] == 0x9c || b[1] == 0xda)
}

// isZlib reports whether a content is a zlib stream, by unpacking its beginning.
func isZlib(head []byte) bool {
	if len(head) < 8 || !zlibHeader(head) {
		return false
	}
	var out [headSize]byte
	n, _, err := new(inflate.Decoder).Zlib(out[:], head[:min(len(head), headSize)])
	return err == nil && n > 0 || err == inflate.ErrLong || err == inflate.ErrShort && (len(head) >= headSize || n >= proof)
}

// Carries reports whether a text holds an encoded container, or what looks like the head of
// one. fresh limits the answer to runs of digits that one of its ranges touches, given in
// order; nil means all.
func Carries(data []byte, fresh []span.Span) bool {
	if fresh == nil {
		return nextHead(data, 0) >= 0
	}
	seen := 0 // up to here no run has a head
	for _, s := range fresh {
		// Of each run that the range touches, this shows enough to be one.
		part := data[:min(len(data), s.End+minDigits-1)]
		for i, end := nextRun(part, max(seen, s.Start-minDigits+1)); i >= 0; i, end = nextRun(part, end) {
			for i > seen && base64Code.value[data[i-1]] >= 0 {
				i--
			}
			i = firstLine(data, seen, i) // its head may be in a line before
			if c, _ := headOf(data[i:]); c != nil && end > s.Start {
				return true
			}
			seen = end
		}
	}
	return false
}

// firstLine returns where the first line begins of the run whose line begins at data[i], as
// far as that is behind floor.
func firstLine(data []byte, floor, i int) int {
	for {
		e := i
		for e > floor && i-e < maxWrap && between[data[e-1]] {
			e--
		}
		start := e
		for start > floor && base64Code.value[data[start-1]] >= 0 {
			start--
		}
		if e-start < minDigits {
			return i
		}
		i = start
	}
}

// nextHead returns where the next run with the head of a container begins at data[i] or
// behind it, or -1.
func nextHead(data []byte, i int) int {
	for i, end := nextRun(data, i); i >= 0; i, end = nextRun(data, end) {
		if c, _ := headOf(data[i:]); c != nil {
			return i
		}
	}
	return -1
}

// between are the bytes that may stand between two lines of one run, as in block scalars of
// YAML, quoted mail and literals of source code.
var between = func() (set [256]bool) {
	for _, c := range []byte(" \t\r\n\"'`,|>#*\\") {
		set[c] = true
	}
	return set
}()

// A spotter looks for encoded containers in a content that passes by in pieces, and walks
// each once its last digit was seen.
type spotter struct {
	w     *walk
	n     node // of the content
	line  int  // lines before what is looked at
	rest  []byte
	inRun bool // what was looked at ends in a run that has no head
	run   *encodedRun
	stop  error // a *stopped
}

// see looks at the next piece. A few bytes at its end may wait for the next one.
func (s *spotter) see(p []byte) {
	const overlap = 4 * minDigits
	if n := len(s.rest); n > 0 {
		joined := append(s.rest, p[:min(len(p), overlap)]...)
		k := s.look(joined, false)
		if k < n { // a short piece
			s.rest = append(s.rest[:0], joined[k:]...)
			return
		}
		p = p[k-n:]
	}
	s.rest = append(s.rest[:0], p[s.look(p, false):]...)
}

// look returns how much of p it has looked at: all when p is the last, else all but less
// than minDigits bytes.
func (s *spotter) look(p []byte, last bool) (at int) {
	for s.stop == nil {
		if s.run != nil {
			k, over := s.run.take(s, p[at:], last)
			s.line += bytes.Count(p[at:at+k], []byte{'\n'})
			if at += k; !over {
				return at
			}
			s.finish()
			continue
		}
		if s.inRun {
			at = runEnd(p, at)
			s.inRun = at == len(p)
		}
		i, _ := nextRun(p, at)
		if i < 0 {
			break
		}
		s.line += bytes.Count(p[at:i], []byte{'\n'})
		at = i
		if c, skip := headOf(p[i:]); c != nil {
			s.run = &encodedRun{code: c, line: s.line + 1, lines: 1, out: &held{}}
			at += skip
		} else {
			s.inRun = true
		}
	}
	end := len(p)
	for !last && s.stop == nil && end > at && base64Code.value[p[end-1]] >= 0 {
		end--
	}
	s.line += bytes.Count(p[at:end], []byte{'\n'})
	return end
}

// An encodedRun is a run that is being decoded.
type encodedRun struct {
	code       *digitCode
	line       int // where it begins, from 1
	acc        uint32
	bits       uint
	out        *held
	full       bool // more digits came than may be held
	lines      int
	width, max int // of the line, and of the longest but for the first
	wrap       int // bytes since the last digit
	newline    bool
	escape     bool // the last byte was a backslash
}

// take decodes what p begins with. It returns how many bytes of it that were, and whether
// the run is over.
func (r *encodedRun) take(s *spotter, p []byte, last bool) (n int, over bool) {
	for i, b := range p {
		v := r.code.value[b]
		switch {
		case r.wrap > 0 && (r.escape && (b == 'n' || b == 'r') || !r.newline && b == '+'):
			r.newline, r.escape = r.newline || r.escape, false
			r.wrap++
			continue
		case v < 0:
			if r.wrap++; !between[b] || r.wrap > maxWrap {
				return i, true
			}
			r.newline = r.newline || b == '\n' || b == '\r'
			r.escape = b == '\\'
			continue
		case r.wrap > 0: // a line begins
			next := p[i:]
			switch {
			case !r.newline, r.lines > 1 && r.width < r.max:
				return i, true
			case len(next) < minDigits && !last:
				return i, false
			case runEnd(next[:min(len(next), minDigits)], 0) == minDigits:
				if c, _ := headOf(next); c != nil { // another one
					return i, true
				}
			}
			if r.lines++; r.lines > 2 {
				r.max = max(r.max, r.width)
			}
			r.width, r.wrap, r.newline, r.escape = 0, 0, false, false
		}
		r.width++
		r.acc = r.acc<<r.code.bits | uint32(v)
		if r.bits += r.code.bits; r.bits >= 8 {
			r.bits -= 8
			if !r.full && !s.w.hold1(r.out, byte(r.acc>>r.bits), &s.stop) {
				r.full = true
			}
		}
	}
	return len(p), false
}

// finish walks the run that has ended.
func (s *spotter) finish() {
	r := s.run
	s.run = nil
	defer s.w.drop(r.out)
	name := fmt.Sprintf("%s in line %d", r.code.name, r.line)
	n := s.n.child(name)
	if s.n.leaf != "" {
		n.path = s.n.leaf + "!" + name
	}
	n.leaf, n.base, n.encoded = n.path, "", true
	n.at, n.size = r.out, r.out.size
	switch {
	case s.stop != nil:
	case r.full:
		s.stop = s.w.problem(n.leaf, &LimitError{limitMemory, s.w.limits.Memory})
	default:
		s.stop = s.w.decoded(n)
	}
}

// end looks at what the content ends with.
func (s *spotter) end() error {
	s.look(s.rest, true)
	s.rest = nil
	if s.run != nil && s.stop == nil {
		s.finish()
	}
	return s.stop
}

// decoded walks what a run stands for. It is not visited itself: what is not packed in it
// was searched as digits.
func (w *walk) decoded(n node) error {
	head, tail := ends(n.at, n.size)
	kind := sniff(head, tail)
	switch {
	case kind != none:
		return w.container(kind, n)
	case n.depth >= w.limits.Depth, len(head) < minDigits, runEnd(head[:minDigits], 0) < minDigits:
		return nil
	}
	if c, _ := headOf(head); c == nil {
		return nil
	}
	// Digits in digits. The line is the one of the outer ones.
	s, r := &spotter{w: w, n: n}, &encodedRun{code: &base64Code, lines: 1, out: &held{}}
	defer w.drop(r.out)
	br := w.buffer(n.reader())
	defer w.release(br)
	for over := false; !over && !r.full && s.stop == nil; {
		if _, err := br.Peek(1); err != nil {
			break
		}
		p, _ := br.Peek(br.Buffered())
		var k int
		k, over = r.take(s, p, true)
		_, _ = br.Discard(k)
	}
	if s.stop != nil {
		return s.stop
	}
	n.depth++
	if r.full {
		return w.problem(n.leaf, &LimitError{limitMemory, w.limits.Memory})
	}
	n.at, n.size = r.out, r.out.size
	return w.decoded(n)
}

// hold1 appends a byte to what is held. It reports false when there is no room.
func (w *walk) hold1(h *held, b byte, stop *error) bool {
	at := int(h.size % chunkSize)
	if at == 0 {
		if w.held+chunkSize > w.limits.Memory {
			return false
		}
		if err := w.reserve(chunkSize); err != nil {
			*stop = err
			return false
		}
		h.chunks = append(h.chunks, w.chunks.Get().(*[chunkSize]byte))
	}
	h.chunks[len(h.chunks)-1][at] = b
	h.size++
	return true
}

// spotting is a reader that shows a spotter what passes.
type spotting struct {
	r io.Reader
	s *spotter
}

func (t *spotting) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.s.see(p[:n])
	if t.s.stop != nil {
		return n, t.s.stop
	}
	return n, err
}
