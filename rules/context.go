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
	line := around(t.data, s, 0, 0)
	if w := nearest(t.data, s, line); w != silent {
		return w, false
	}
	if w := nearest(t.data, s, around(t.data, s, linesBefore, linesAfter)); w != silent {
		return w, false
	}
	if t.header == nil { // the file's name and first lines
		w := mentioned([]byte(t.path))
		if w == silent {
			w = mentioned(t.data[:min(len(t.data), headerLen)])
		}
		t.header = &w
	}
	if *t.header != silent {
		return *t.header, true
	}
	if t.whole == nil { // the rest of the file, up to a bound
		const chunk, overlap = 64 << 10, 16
		w, data := silent, t.data[:min(len(t.data), restLen)]
		for at := 0; at < len(data) && w == silent; at += chunk {
			if lastMention(bytes.ToLower(data[at:min(at+chunk+overlap, len(data))]), isOwn) >= 0 {
				w = likely
			}
		}
		t.whole = &w
	}
	if *t.whole == likely || apiKeyScheme(t.data[line.Start:s.start]) {
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

// nearest returns what the nearest name in data[span] says of s.
func nearest(data []byte, s shape, span finding.Span) weight {
	before := bytes.ToLower(data[span.Start:s.start])
	after := bytes.ToLower(data[s.end:span.End])
	own := distance(before, after, isOwn)
	other := distance(before, after, isOther)
	switch {
	case own < 0 && other < 0:
		return silent
	case other < 0, own >= 0 && own <= other:
		return certain
	}
	return against
}

// distance returns how far off the nearest name is, or -1. One that follows the key
// counts as further off, but for the host of a URL, which tells whom the key before it
// is sent to.
func distance(before, after []byte, is names) int {
	d := -1
	if i := lastMention(before, is); i >= 0 {
		d = len(before) - i
	}
	for i := range after {
		if !initial(after[i]) || !is(after, i) {
			continue
		}
		host := i
		for host > 0 && (token[after[host-1]] != 0 || after[host-1] == '.') {
			host--
		}
		if !bytes.HasSuffix(after[:host], []byte("://")) {
			i += behind
		}
		if d < 0 || i < d {
			d = i
		}
		break
	}
	return d
}

// around returns the span of the lines about s: its own line and as many before
// and after as asked for, within the bounds in bytes.
func around(data []byte, s shape, before, after int) finding.Span {
	start, floor := s.start, max(0, s.start-nearBefore)
	for start > floor {
		if data[start-1] == '\n' {
			if before--; before < 0 {
				break
			}
		}
		start--
	}
	end, roof := s.end, min(len(data), s.end+nearAfter)
	for end < roof {
		if data[end] == '\n' {
			if after--; after < 0 {
				break
			}
		}
		end++
	}
	return finding.Span{Start: start, End: end}
}

// names reports whether the lower-case text at b[i:] is a name that counts.
type names func(b []byte, i int) bool

// isOwn knows Baseten's names: the company, its packaging tool, the short mark.
func isOwn(b []byte, i int) bool {
	rest := b[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("baseten")):
		return true
	case bytes.HasPrefix(rest, []byte("truss")):
		tail := rest[len("truss"):]
		return !letterAt(b, i-1) && (!letterAt(tail, 0) || bytes.HasPrefix(tail, []byte("rc")))
	case bytes.HasPrefix(rest, []byte("b10")):
		return !alnumAt(b, i-1) && !alnumAt(rest, len("b10"))
	}
	return false
}

// isOther knows the other owners of the form: Ultravox, and services built with
// the Django package that made it.
func isOther(b []byte, i int) bool {
	rest := b[i:]
	for _, name := range []string{"ultravox", "rest_framework", "djangorestframework", "drf_api_key", "drf-api-key"} {
		if bytes.HasPrefix(rest, []byte(name)) {
			return true
		}
	}
	return false
}

func lastMention(lower []byte, is names) int {
	for i := len(lower) - 1; i >= 0; i-- {
		if initial(lower[i]) && is(lower, i) {
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
