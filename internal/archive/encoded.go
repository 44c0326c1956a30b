package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

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
	// maxCostly is how many containers of the kinds that take much to begin with are walked
	// in a short text, and costlyBytes how many bytes there must be for each further one.
	maxCostly, costlyBytes = 64, 16 << 10
)

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
	buf        []byte // what goes there next
	full       bool   // more digits came than may be held
	lines      int
	width, max int // of the line, and of the longest but for the first
	before     int // the width of the line before
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
			case r.width == r.before: // as lines of one run have it, whatever this one begins with
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
			r.before, r.width, r.wrap, r.newline, r.escape = r.width, 0, 0, false, false
		}
		r.width++
		r.acc = r.acc<<r.code.bits | uint32(v)
		if r.bits += r.code.bits; r.bits >= 8 {
			r.bits -= 8
			if r.buf = append(r.buf, byte(r.acc>>r.bits)); len(r.buf) == bufferSize {
				r.flush(s)
			}
		}
	}
	return len(p), false
}

// flush moves what was decoded to where it is held.
func (r *encodedRun) flush(s *spotter) {
	for rest := r.buf; len(rest) > 0 && !r.full; {
		at := int(r.out.size % chunkSize)
		if at == 0 {
			if r.full = s.w.held+chunkSize > s.w.limits.Memory; r.full {
				break
			}
			if s.stop = s.w.reserve(chunkSize); s.stop != nil {
				break
			}
			r.out.chunks = append(r.out.chunks, s.w.chunks.Get().(*[chunkSize]byte))
		}
		n := copy(r.out.chunks[len(r.out.chunks)-1][at:], rest)
		r.out.size += int64(n)
		rest = rest[n:]
	}
	r.buf = r.buf[:0]
}

// finish walks the run that has ended.
func (s *spotter) finish() {
	r := s.run
	s.run = nil
	r.flush(s)
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
	switch kind {
	case none, kindGzip, kindZlib, kindZstd, kindZip:
	default: // a decoder of bzip2 takes longer to make than 10 KB of it to unpack
		if w.costly++; w.costly == maxCostly+w.input()/costlyBytes {
			return w.problem(n.leaf, errors.New("this and further archives in digits are not unpacked: they are too many in too little text"))
		} else if w.costly > maxCostly+w.input()/costlyBytes {
			return nil
		}
	}
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
	r.flush(s)
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
