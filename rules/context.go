package rules

import (
	"bytes"

	"github.com/b10lint/b10lint/finding"
)

// The legacy form has no mark of its own and other programs use it too, so what
// stands around a match decides. Baseten's names count for it, the names of other
// owners of the form against it, and the nearer one wins: on the same line, then
// on the lines around, then in the file's name and first lines. Baseten named
// anywhere else in the file, or the header scheme "Api-Key", which Baseten shares
// with a Django package, makes it likely but not certain.

const (
	linesBefore, linesAfter = 12, 6
	nearBefore, nearAfter   = 2048, 1024 // bytes, so that one long line costs no more
	headerLen               = 2048
	restLen                 = 8 << 20
	// behind is how much further off a name counts that follows the match: names
	// stand before their values, and only the host of a URL behind them.
	behind = 64
)

// A weight is what the surroundings say.
type weight int

const (
	against weight = iota - 1
	silent
	likely
	certain
)

// A text is the input, or what an encoding in it hid. It keeps what is worked out
// once for all matches in it.
type text struct {
	path          string
	data          []byte
	header, whole *weight
	names         []*mentions // by block, once asked
	clear         finding.Span
	work          *int64
}

// drawn reports whether both halves of a shape can be even draws.
func drawn(data []byte, s shape) bool {
	secret := data[s.dot+1 : s.end]
	if s.of.MinSecret == s.of.MaxSecret {
		return !readsAsMade(data[s.dot-s.of.Prefix:s.dot], secret)
	}
	// A secret of no fixed length: the limits shrink with it. The federated form allows
	// hyphens and underscores, and demands at least one other byte.
	word := bytes.Map(func(r rune) rune {
		if r < 128 && alnum[byte(r)] != 0 {
			return r
		}
		return -1
	}, secret)
	return distinct(secret) >= min(minDistinct, len(secret)/2) && sequence(secret) <= maxSequence &&
		nameScore(word, &classSteps) <= maxNameScore
}

// weigh asks the surroundings, nearest first. quiet reports that the line and the
// lines around it were silent. The path is asked next, which PathSpeaks relies on.
func (t *text) weigh(s shape) (w weight, quiet bool) {
	line := t.around(s, 0, 0)
	if w := t.nearest(s, line); w != silent {
		return w, false
	}
	if w := t.nearest(s, t.around(s, linesBefore, linesAfter)); w != silent {
		return w, false
	}
	if w := once(&t.header, t.weighHeader); w != silent {
		return w, true
	}
	if once(&t.whole, t.weighWhole) == likely || apiKeyScheme(t.data[line.Start:s.start]) {
		return likely, true
	}
	return silent, true
}

// confidence is how sure one is of a key that surroundings of this weight hold:
// certain ones give all that a name can, likely ones a step less.
func confidence(g *grammar, w weight) finding.Confidence {
	switch {
	case w >= certain:
		return finding.Confidence(g.Named)
	case w == likely:
		return finding.Confidence(max(g.Alone, g.Named-1))
	}
	return finding.Confidence(g.Alone)
}

// PathSpeaks returns the confidence that Find(path, data) gives to each Silent match
// of Find("", data) in a format; not ok means that the path names no owner and the
// confidence stays as it is. A match that is not Silent keeps its confidence at any path.
func PathSpeaks(f finding.Format, path string) (c finding.Confidence, ok bool) {
	w := mentioned([]byte(path))
	for i := range grammars {
		if g := &grammars[i]; g.Name == string(f) {
			return confidence(g, w), w != silent
		}
	}
	return 0, false
}

func once(memo **weight, work func() weight) weight {
	if *memo == nil {
		w := work()
		*memo = &w
	}
	return **memo
}

// weighHeader asks the file's name and first lines.
func (t *text) weighHeader() weight {
	if w := mentioned([]byte(t.path)); w != silent {
		return w
	}
	return mentioned(t.data[:min(len(t.data), headerLen)])
}

// mentioned returns what the names in b say, of which Baseten's win.
func mentioned(b []byte) weight {
	lower := bytes.ToLower(b)
	switch {
	case lastMention(lower, isOwn) >= 0:
		return certain
	case lastMention(lower, isOther) >= 0:
		return against
	}
	return silent
}

// weighWhole asks the rest of the file, up to a bound.
func (t *text) weighWhole() weight {
	const chunk, overlap = 64 << 10, 16
	data := t.data[:min(len(t.data), restLen)]
	for at := 0; at < len(data); at += chunk {
		lower := bytes.ToLower(data[at:min(at+chunk+overlap, len(data))])
		if lastMention(lower, isOwn) >= 0 {
			return likely
		}
	}
	return silent
}

// nearest returns what the nearest name in a span says of s.
func (t *text) nearest(s shape, span finding.Span) weight {
	own := t.distance(s, span, true)
	other := t.distance(s, span, false)
	switch {
	case own < 0 && other < 0:
		return silent
	case other < 0, own >= 0 && own <= other:
		return certain
	}
	return against
}

// distance returns how far off the nearest name in a span is, or -1.
func (t *text) distance(s shape, span finding.Span, own bool) int {
	d := -1
	if i := t.lastName(own, span.Start, s.start); i >= 0 {
		d = s.start - i
	}
	if i := t.firstName(own, s.end, span.End); i >= 0 {
		if i -= s.end; !inHost(t.data[s.end:], i) {
			i += behind
		}
		if d < 0 || i < d {
			d = i
		}
	}
	return d
}

// inHost reports whether b[i] stands in the host of a URL, which tells whom the key
// before it is sent to.
func inHost(b []byte, i int) bool {
	for ; i > 0 && (token[b[i-1]] != 0 || b[i-1] == '.'); i-- {
	}
	return bytes.HasSuffix(b[:i], []byte("://"))
}

// around returns the span of the lines about s: its own line and as many before
// and after as asked for, within the bounds in bytes.
func (t *text) around(s shape, before, after int) finding.Span {
	start, floor := s.start, max(0, s.start-nearBefore)
	for n := before; n >= 0; n-- {
		i := bytes.LastIndexByte(t.data[floor:start], '\n')
		if start = floor + max(i, 0); i < 0 {
			break
		}
		if n == 0 {
			start++
		}
	}
	end, roof := s.end, min(len(t.data), s.end+nearAfter)
	for n := after; n >= 0; n-- {
		i := bytes.IndexByte(t.data[end:roof], '\n')
		if i < 0 {
			end = roof
			break
		}
		if end += i; n > 0 {
			end++
		}
	}
	return finding.Span{Start: start, End: end}
}

// names returns the length of the name that counts at b[i:], of lower-case text, or 0.
type names func(b []byte, i int) int

// isOwn knows Baseten's names: the company, its packaging tool, the short mark.
func isOwn(b []byte, i int) int {
	rest := b[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("baseten")):
		return len("baseten")
	case bytes.HasPrefix(rest, []byte("truss")):
		tail := rest[len("truss"):]
		if !letterAt(b, i-1) && (!letterAt(tail, 0) || bytes.HasPrefix(tail, []byte("rc"))) {
			return len("truss")
		}
	case bytes.HasPrefix(rest, []byte("b10")):
		if !alnumAt(b, i-1) && !alnumAt(rest, len("b10")) {
			return len("b10")
		}
	}
	return 0
}

// isOther knows the other owners of the form: Ultravox, and services built with
// the Django package that made it.
func isOther(b []byte, i int) int {
	rest := b[i:]
	for _, name := range []string{"ultravox", "rest_framework", "djangorestframework", "drf_api_key", "drf-api-key"} {
		if bytes.HasPrefix(rest, []byte(name)) {
			return len(name)
		}
	}
	return 0
}

func lastMention(lower []byte, is names) int {
	for i := len(lower) - 1; i >= 0; i-- {
		if initial(lower[i]) && is(lower, i) > 0 {
			return i
		}
	}
	return -1
}

// initial reports whether a name that counts can begin with c.
func initial(c byte) bool { return c == 'b' || c == 't' || c == 'u' || c == 'r' || c == 'd' }

func letterAt(b []byte, i int) bool { return alnumAt(b, i) && class(b[i]) != digitClass }
func alnumAt(b []byte, i int) bool  { return i >= 0 && i < len(b) && alnum[b[i]] != 0 }

// apiKeyScheme reports whether the line up to a match names the scheme "Api-Key",
// alone and not as the end of a longer name such as X-API-Key.
func apiKeyScheme(line []byte) bool {
	lower := bytes.ToLower(line[max(0, len(line)-64):])
	i := bytes.LastIndex(lower, []byte("api-key"))
	if i < 0 {
		return false
	}
	after := i + len("api-key")
	return (i == 0 || token[lower[i-1]] == 0) && (after == len(lower) || token[lower[after]] == 0)
}
