package rules

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// A key that source code puts together from literal parts has quotes, operators
// and line ends in it: "b10_…" + "." + "…", adjacent strings, parts of a template,
// a list that is joined, a line continued with a backslash. Any of them is a joint.
// Reading over joints begins at each b10_, and, where the file's name or first
// lines name Baseten, at each place where a legacy key may begin.

const (
	maxJoint  = 96 // bytes
	maxJoints = 48 // in one key
	// joinedHeader is shorter than the header of other contexts: every file is asked.
	joinedHeader = 1 << 10
	// joinReach is how far about a fresh span the parts of a key, or the lines that
	// its encoding is wrapped over, may stand.
	joinReach = 512
	// legacyReach is the same for where a legacy key may begin, of which there are many.
	legacyReach = 192
)

// joined tries each place of a span, and a little before it, where a legacy key may
// begin.
func (f *finder) joined(l *layer, span finding.Span) {
	if !l.asked {
		l.named, l.asked = len(l.data) >= prefixLen+secretLen && namesOwn(l.path, l.data), true
	}
	if !l.named {
		return
	}
	from, to := max(0, span.Start-legacyReach), min(span.End+prefixLen+1, len(l.data))
	for i, c := range l.data[from:to] {
		if endsPart[c] {
			if start, ok := partBefore(l.data[from:], i); ok {
				f.join(l, from+start, legacy)
			}
		}
	}
}

// endsPart is what may follow the letters and digits that a legacy key begins with: a
// joint, or the dot.
var endsPart = func() (set [256]bool) {
	for _, c := range []byte("\"'`\\=.") {
		set[c] = true
	}
	return set
}()

// partBefore returns where the letters and digits begin that end before data[end], if they
// can be the prefix of a key or a part of one. Few words can.
func partBefore(data []byte, end int) (start int, ok bool) {
	start = end
	for start > 0 && end-start <= prefixLen && alnum[data[start-1]] != 0 {
		start--
	}
	n := end - start
	return start, n > 0 && n <= prefixLen && (data[end] != '.' || n == prefixLen)
}

// namesOwn reports whether a file's name or first lines name Baseten or truss.
func namesOwn(path string, data []byte) bool {
	if nameStands(data[:min(len(data), joinedHeader)]) {
		return true
	}
	var buf [256]byte // on the stack, for most paths
	return nameStands(append(buf[:0], path...))
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

// join reads a key over joints from data[i] on, where the mark of its format
// stands, and looks at it if there were any.
func (f *finder) join(l *layer, i int, g *grammar) {
	if l.depth >= maxDepth || g.Alone < keyformat.High && !startsAt(l.data, i) {
		return
	}
	r := joinReader{data: l.data}
	for k := range len(g.Mark) {
		r.take(i + k)
	}
	r.at = i + len(g.Mark)
	if !r.letters(g.Prefix) || !r.dot() || !r.letters(g.MinSecret) || r.joints == 0 || !g.stands(&l.text, i, r.at) {
		return
	}
	from := slices.Clone(r.from[:r.n])
	f.descend(l, "concatenation", bytes.Clone(r.out[:r.n]), func(start, end int) (int, int) {
		return from[start], from[end-1] + 1
	})
}

// joinedLen is the length of the longest format that is put together of parts.
const joinedLen = markLen + prefixLen + 1 + secretLen

// legacy is the format without a mark.
var legacy = &grammars[slices.IndexFunc(grammars, func(g grammar) bool { return g.Mark == "" })]

// A joinReader collects the bytes of one key and their places. Its memory lives on
// the stack until a key is complete.
type joinReader struct {
	data   []byte
	at     int
	joints int
	n      int
	out    [joinedLen]byte
	from   [joinedLen]int // of each byte
}

func (r *joinReader) take(i int) {
	r.out[r.n], r.from[r.n] = r.data[i], i
	r.n++
}

// letters takes n letters and digits.
func (r *joinReader) letters(n int) bool {
	for n > 0 {
		if r.at < len(r.data) && alnum[r.data[r.at]] != 0 {
			r.take(r.at)
			r.at++
			n--
			continue
		}
		if !r.joint() {
			return false
		}
	}
	return true
}

// dot takes the dot.
func (r *joinReader) dot() bool {
	for r.at < len(r.data) && r.data[r.at] != '.' {
		if alnum[r.data[r.at]] != 0 || !r.joint() {
			return false
		}
	}
	if r.at >= len(r.data) {
		return false
	}
	r.take(r.at)
	r.at++
	return true
}

// joint steps over one joint. It begins with a quote that ends a literal and ends
// with one that begins the next, or it is a continued line.
func (r *joinReader) joint() bool {
	if r.joints++; r.joints > maxJoints {
		return false
	}
	if n := continuedLine(r.data[r.at:]); n > 0 {
		r.at += n
		return true
	}
	quotes, last := 0, 0
	for i := r.at; i < min(r.at+maxJoint, len(r.data)); i++ {
		c := r.data[i]
		switch {
		case c == '"' || c == '\'' || c == '`':
			quotes++
			if last = i + 1; quotes > 1 && !isJoint(r.data, last) {
				r.at = last
				return true
			}
		case i == r.at && c != '\\' && c != '}', !isJoint(r.data, i):
			return false
		case c == '\\' && i+1 < len(r.data) && (r.data[i+1] == 'n' || r.data[i+1] == 't' || r.data[i+1] == 'r'):
			i++
		}
	}
	return false
}

// isJoint reports whether data[i] may stand between the quotes of a joint: white
// space, an operator, a bracket, or the letter that goes before a Python string.
func isJoint(data []byte, i int) bool {
	if i >= len(data) {
		return false
	}
	c := data[i]
	if bytes.IndexByte([]byte(" \t\r\n+&,\\(){}[]$\"'`|~"), c) >= 0 {
		return true
	}
	quoted := i+1 < len(data) && (data[i+1] == '"' || data[i+1] == '\'')
	switch c {
	case '.': // PHP and Perl put strings together with a dot between blanks
		return i > 0 && i+1 < len(data) && data[i-1] == ' ' && data[i+1] == ' '
	case 'f', 'r', 'b', 'u', 'F', 'R', 'B', 'U':
		return quoted && i > 0 && alnum[data[i-1]] == 0
	}
	return false
}

// continuedLine returns the length of a line end that a backslash, or the "=" of
// quoted-printable, takes away, with the blanks that begin the next line.
func continuedLine(b []byte) int {
	if len(b) < 2 || b[0] != '\\' && b[0] != '=' {
		return 0
	}
	n := 1
	if b[n] == '\r' {
		n++
	}
	if n >= len(b) || b[n] != '\n' {
		return 0
	}
	for n++; b[0] == '\\' && n < len(b) && n < maxJoint && (b[n] == ' ' || b[n] == '\t'); {
		n++
	}
	return n
}
