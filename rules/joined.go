package rules

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// Something may stand between two parts of a key: the quotes and operators of source
// code that puts it together, the end of a line that a terminal or a mail program
// wrapped, the colours of a terminal, tags, characters without width. Each is a joint,
// and joints.go has the table of them. Reading over joints begins at each mark, at a mark
// that a joint parts, and, where the file's name or first lines name Baseten, at each
// place where a key without a mark may begin.

const (
	concatenation = "concatenation" // the name of the encoding

	maxJoints = 96 // in one key
	// maxJoined is how many bytes a key may be spread over, and maxToDot how many of them
	// come before its dot.
	maxJoined = 8 << 10
	maxToDot  = 4 << 10
	// joinFactor is how many bytes may be read over joints for each byte of a layer up to
	// where its search has come.
	joinFactor = 32
	// joinedHeader is shorter than the header of other contexts: every file is asked.
	joinedHeader = 1 << 10
	// joinReach is how far about a fresh span the parts of a key, or the lines that
	// its encoding is wrapped over, may stand.
	joinReach = 512
	// legacyReach is the same for where a legacy key may begin, of which there are many.
	legacyReach = 192
	// markReach is how far before the prefix of a key the first byte of its mark may be.
	markReach = 256
)

// joined reads the keys over joints whose dot is in a span or near it. Behind the dot
// must follow the letters of a secret half, over joints at most, which is so of one in some
// thousand dots; only then is it asked where the key begins, of which there are many.
func (f *finder) joined(l *layer, span finding.Span) {
	if !l.namesOwn() {
		return
	}
	// The search for marks is over, and has spent up to the end of the span: this one
	// begins at the front again, with a budget of its own.
	marks := l.joined
	l.joined = l.dotted
	defer func() { l.joined, l.dotted = marks, l.joined }()
	to, tried := min(span.End+joinReach, len(l.data)), 0
	for dot := max(0, span.Start-legacyReach); dot < to && !f.stopped(); dot++ {
		i := bytes.IndexByte(l.data[dot:to], '.')
		if i < 0 {
			return
		}
		dot += i
		if !mayPart(l.data, dot) {
			continue
		}
		r := f.readJoints(l, dot+1, true)
		if r == nil {
			return
		}
		secret := r.letters(legacy.MinSecret)
		l.joined += r.at - dot
		if f.work += int64(r.at - dot); !secret {
			continue
		}
		floor := max(0, dot-joinReach)
		for tried = max(tried, floor); tried <= dot; tried++ {
			if endsPart[l.data[tried]] {
				f.joinBefore(l, floor, tried)
			}
		}
	}
}

// mayPart reports whether at data[dot] can be the dot of a key in parts: whether what stands
// before it is a whole prefix, or a part of one that a joint may end before, and what
// stands behind it goes on over a joint. Most dots are in the names and sentences of others.
func mayPart(data []byte, dot int) bool {
	i := dot + 1
	for i < len(data) && i <= dot+secretLen && alnum[data[i]] != 0 {
		i++
	}
	if i <= dot+secretLen && (i == len(data) || len(jointsAt[data[i]]) == 0 && data[i] != '\b') {
		return false
	}
	const most = 32 // with the letters of a control sequence or an escape
	i = dot
	for i > 0 && dot-i < most && alnum[data[i-1]] != 0 {
		i--
	}
	if i == 0 || dot-i == prefixLen {
		return dot-i == prefixLen
	}
	before := i - 1
	if dot-i > prefixLen {
		return isControlMark[data[before]]
	}
	for before > 0 && (data[before] == ' ' || data[before] == '\t') {
		before--
	}
	if before < i-1 && alnum[data[before]] != 0 {
		return bytes.HasPrefix(data, rtf)
	}
	return endsJoint[data[before]]
}

// endsJoint is what the joints may end with, but for letters and digits, before which
// stands an isControlMark, and blanks.
var endsJoint, isControlMark = func() (ends, marks [256]bool) {
	for _, c := range []byte("[;:<=>?(\\\x9b-") { // of control sequences, escapes and the words of RTF
		ends[c], marks[c] = true, true
	}
	for _, c := range []byte("\"'`\a\b\r\n>|#+/*;%}{~=]") {
		ends[c] = true
	}
	for c := 0x80; c < 0x100; c++ { // characters without width, and those that draw a table
		ends[c] = true
	}
	return ends, marks
}()

// endsPart is what may follow the letters and digits that a legacy key begins with: what
// begins a joint, the dot, or a backspace.
var endsPart = func() (set [256]bool) {
	for c := range set {
		set[c] = c == '.' || c == '\b' || len(jointsAt[c]) > 0 && alnum[c] == 0 && c != ' '
	}
	return set
}()

// joinBefore reads a key from the letters and digits that end before data[end], if they
// can be its prefix or a part of one. Few words can. Behind an escape or a control
// sequence, whose letters touch them, they begin anywhere.
func (f *finder) joinBefore(l *layer, floor, end int) {
	const erased = 8
	start, most := end, prefixLen
	if l.data[end] == '\b' {
		most += erased
	}
	for start > floor && end-start <= most+erased && alnum[l.data[start-1]] != 0 {
		start--
	}
	n := end - start
	if n == 0 || l.data[end] == '.' && n < prefixLen {
		return
	}
	if n <= most && (l.data[end] != '.' || n == prefixLen) {
		f.join(l, start, legacy)
		f.joinMark(l, start)
	}
	if start > 0 && bytes.IndexByte([]byte(`[;\%=?`), l.data[start-1]) >= 0 {
		for start = max(start+1, end-most); start < end; start++ {
			f.join(l, start, legacy)
		}
	}
}

// joinMark looks for a mark that a joint parts and whose end stands before the prefix at
// data[start], and reads a key from where it begins.
func (f *finder) joinMark(l *layer, start int) {
	if start <= 0 || l.data[start-1] != markEnd {
		return
	}
	for i := range grammars {
		g := &grammars[i]
		if g.Mark == "" || g.MinSecret != g.MaxSecret {
			continue
		}
		// Where the end of the mark begins, and what is left of it: one byte at least, as a
		// whole mark is looked at elsewhere, and the last letter of an escape may look like one.
		at, left := start-1, markLen-1
		for left > 1 && at > 0 && l.data[at-1] == g.Mark[left-1] {
			at, left = at-1, left-1
		}
		if !afterJoint(l.data[:at]) {
			continue
		}
		for at--; at >= max(0, start-markReach); at-- {
			next := l.data[at+1]
			if l.data[at] == g.Mark[0] && (next == g.Mark[1] || alnum[next] == 0 || erased(l.data[at+1:]) > 0) && f.join(l, at, g) {
				return
			}
		}
	}
}

// afterJoint reports whether a joint may end where data does: behind the letters of a
// word that no escape, reference or control sequence begins, none does. Most marks' ends
// are the underscores of such words.
func afterJoint(data []byte) bool {
	i := len(data)
	for i > 0 && len(data)-i < markReach && alnum[data[i-1]] != 0 {
		i--
	}
	return i == len(data) || i > 0 && bytes.IndexByte([]byte("[;:\\%=?&({<\x9b\b"), data[i-1]) >= 0
}

// namesOwn reports whether a file's name or a layer's first lines name Baseten or truss.
func (l *layer) namesOwn() bool {
	if !l.asked {
		var buf [256]byte // on the stack, for most paths
		l.asked = true
		l.named = len(l.data) >= prefixLen+secretLen &&
			(nameStands(l.data[:min(len(l.data), joinedHeader)]) || nameStands(append(buf[:0], l.path...)))
	}
	return l.named
}

// nameStands looks for the first five letters of the names in any case: every file
// is asked.
func nameStands(b []byte) bool {
	for i := 0; i+len("truss") <= len(b); i++ {
		if i += nextName(b[i:]); i+len("truss") > len(b) {
			break
		}
		if w := b[i : i+len("truss")]; bytes.EqualFold(w, []byte("baset")) || bytes.EqualFold(w, []byte("truss")) {
			return true
		}
	}
	return false
}

// nextNameGeneric returns where "bas" or "tru" may begin in b, in any case, or its length. It
// looks at eight places at a time.
func nextNameGeneric(b []byte) int {
	const lower, step = 0x2020202020202020, 8
	i := 0
	for ; i+step+2 <= len(b); i += step {
		first := binary.LittleEndian.Uint64(b[i:]) | lower
		second := binary.LittleEndian.Uint64(b[i+1:]) | lower
		third := binary.LittleEndian.Uint64(b[i+2:]) | lower
		if hasZero((first^eight('b'))|(second^eight('a'))|(third^eight('s'))) ||
			hasZero((first^eight('t'))|(second^eight('r'))|(third^eight('u'))) {
			break
		}
	}
	for ; i < len(b); i++ {
		if c := b[i] | 0x20; c == 'b' || c == 't' {
			return i
		}
	}
	return i
}

// eight is a word of eight times the byte c.
func eight(c byte) uint64 { return uint64(c) * 0x0101010101010101 }

// hasZero reports whether a word has a zero byte (Mycroft 1987).
func hasZero(w uint64) bool { return (w-eight(1))&^w&eight(0x80) != 0 }

// join reads a key over joints from data[i] on, and looks at it if there were any. It
// reports whether there was one.
func (f *finder) join(l *layer, i int, g *grammar) bool {
	if l.depth >= maxDepth || g.Mark == "" && !startsAt(l.data, i) {
		return false
	}
	if l.dotless.End == 0 || i < l.dotless.Start || i > l.dotless.End { // most often, there is no dot near
		to := min(len(l.data), i+maxToDot)
		n := bytes.IndexByte(l.data[i:to], '.')
		l.dotless = finding.Span{Start: i, End: choose(n >= 0, i+n, to)}
	}
	if l.dotless.End == len(l.data) || l.data[l.dotless.End] != '.' {
		return false
	}
	r := f.readJoints(l, i, g.Mark != "")
	if r == nil {
		return false
	}
	whole := r.word(g.Mark) && r.letters(g.Prefix) && r.word(".") && r.letters(g.MinSecret)
	l.joined += r.at - i
	if f.work += int64(r.at - i); !whole || r.joints == 0 || !g.stands(&l.text, i, r.at) {
		return false
	}
	from := slices.Clone(r.from[:r.n])
	f.descend(l, concatenation, bytes.Clone(r.out[:r.n]), func(start, end int) (int, int) {
		return from[start], from[end-1] + 1
	})
	return true
}

// readJoints returns the finder's reader, set to a place of a layer; nil when as much was
// read over joints as may be.
func (f *finder) readJoints(l *layer, at int, free bool) *joinReader {
	if l.joined > joinFactor*at+budgetFloor {
		f.giveUp(l, at)
		return nil
	}
	end, erases := min(at+maxJoined, len(l.data)), false
	if at < l.unerased.Start || end > l.unerased.End {
		l.unerased = finding.Span{Start: at, End: min(at+4*maxJoined, len(l.data))}
		if n := bytes.IndexByte(l.data[at:l.unerased.End], '\b'); n >= 0 {
			l.unerased.End = at + n
			erases = at+n < end
		}
	}
	r := &f.joins
	if len(r.data) != len(l.data) || &r.data[0] != &l.data[0] || r.erases != erases || at < r.hopsAt || at >= r.hopsAt+joinReach {
		r.hops, r.hopsAt = [len(r.hops)]uint16{}, at
	}
	r.data, r.at, r.limit, r.free, r.erases, r.joints, r.n = l.data, at, at+maxJoined, free, erases, 0, 0
	return r
}

// joinedLen is the length of the longest format that is put together of parts.
const joinedLen = markLen + prefixLen + 1 + secretLen

// legacy is the format without a mark.
var legacy = &grammars[slices.IndexFunc(grammars, func(g grammar) bool { return g.Mark == "" })]

// A joinReader collects the bytes of one key and their places. A finder has one, as
// clearing its memory for each word costs as much as reading.
type joinReader struct {
	data   []byte
	at     int
	limit  int  // no joint begins behind it
	free   bool // a mark shows where the key begins: any joint may stand in it
	erases bool // there are backspaces that may take letters away
	joints int
	// hops remembers, for a key without a mark, how long a joint before a letter is at the
	// places behind hopsAt, and one more; 0 is not known. Keys are read from each of them on.
	hops   [2 * joinReach]uint16
	hopsAt int
	n      int
	out    [joinedLen]byte
	from   [joinedLen]int // of each byte
}

// letters takes n letters and digits.
func (r *joinReader) letters(n int) bool {
	for n > 0 {
		if r.at < len(r.data) && alnum[r.data[r.at]] != 0 && !(r.erases && erased(r.data[r.at:]) > 0) {
			r.take()
			n--
		} else if !r.joint(0) {
			return false
		}
	}
	return true
}

// word takes the bytes of w.
func (r *joinReader) word(w string) bool {
	for w != "" {
		if r.at < len(r.data) && r.data[r.at] == w[0] && !(r.erases && erased(r.data[r.at:]) > 0) {
			r.take()
			w = w[1:]
		} else if !r.joint(w[0]) {
			return false
		}
	}
	return true
}

func (r *joinReader) take() {
	r.out[r.n], r.from[r.n] = r.data[r.at], r.at
	r.n++
	r.at++
}

// joint steps over one joint; next is the byte that has to follow in the end, or 0.
func (r *joinReader) joint(next byte) bool {
	if r.joints++; r.joints > maxJoints || r.at >= min(r.limit, len(r.data)) {
		return false
	}
	var hop *uint16
	if k := r.at - r.hopsAt; !r.free && next == 0 && k >= 0 && k < len(r.hops) {
		if hop = &r.hops[k]; *hop > 0 {
			r.at += int(*hop - 1)
			return *hop > 1
		}
		*hop = 1 // none
	}
	for _, j := range jointsAt[r.data[r.at]] {
		if n := j(r, next); n > 0 {
			if hop != nil {
				*hop = uint16(n + 1) // maxTags at most
			}
			r.at += n
			return true
		}
	}
	return false
}
