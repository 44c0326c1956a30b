package rules

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/keyformat"
)

// An Explanation says why a text is a match, or what it lacks to be one.
type Explanation struct {
	Start, End int  // in the data that was asked about
	Key        bool // Find reports it
	// Subject is the public part of the text; empty where it is not sure which that is.
	Subject    string
	Confidence finding.Confidence // of a key
	Decoded    []string           // as of a Match
	Reasons    []string
}

// Explain says of every text in data[from:to] that is a key, or has a part of the form of
// one, why Find reports it or does not, in order of Start. It is for one place that a
// person asks about: it searches the span and judges what it finds, so its time is that of
// Find, and the explanations are at most maxExplained.
func Explain(path string, data []byte, from, to int) (all []Explanation, gaveUp int) {
	var work int64
	t := &text{path: path, data: data, work: &work}
	gaveUp = Find(path, data, []finding.Span{{Start: from, End: to}}, func(m Match) bool {
		if m.Start < to && m.End > from {
			all = append(all, t.explainMatch(m))
		}
		return len(all) < maxExplained
	})
	keys := slices.Clone(all)
	within := func(i int) bool {
		return slices.ContainsFunc(keys, func(e Explanation) bool { return i >= e.Start && i < e.End })
	}
	for i := from; i < to && len(all) < maxExplained; i++ {
		switch {
		case within(i):
		case data[i] == '.':
			if e, ok := t.explainDot(i); ok {
				all = append(all, e)
			}
		default:
			for k := range grammars {
				if g := &grammars[k]; g.Mark != "" && hasMark(data, i, g.Mark) && !g.dotFollows(data, i) {
					all = append(all, Explanation{Start: i, End: i + len(g.Mark), Subject: g.Mark + "…",
						Reasons: []string{fmt.Sprintf("the mark %s without %d letters and digits, a dot and a secret half behind it", g.Mark, g.Prefix)}})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Explanation) int { return x.Start - y.Start })
	return all, gaveUp
}

// maxExplained bounds the explanations of one place.
const maxExplained = 20

// explainMatch says what spoke for a key and against it.
func (t *text) explainMatch(m Match) Explanation {
	e := Explanation{Start: m.Start, End: m.End, Key: true, Subject: m.Secret.Prefix(), Confidence: m.Confidence, Decoded: m.Decoded}
	i := slices.IndexFunc(grammars, func(g grammar) bool { return g.Name == string(m.Format) })
	g := &grammars[i]
	e.Reasons = append(e.Reasons, "the form is that of a "+g.Title+": "+g.form())
	switch {
	case g.Alone == keyformat.High:
		e.Reasons = append(e.Reasons, "this form is evidence enough, whatever is around it")
		return e
	case len(m.Decoded) == 0:
		if s, ok := g.at(t, m.Start); ok {
			_, why := t.why(s)
			e.Reasons = append(e.Reasons, why)
			return e
		}
	}
	switch why := "what is around it, decoded or as it is, "; {
	case m.Confidence == finding.Confidence(g.Named):
		e.Reasons = append(e.Reasons, why+"names Baseten")
	case m.Confidence > finding.Confidence(g.Alone):
		e.Reasons = append(e.Reasons, why+"makes it likely that it is Baseten's")
	default:
		e.Reasons = append(e.Reasons, why+"does not name Baseten, or names another owner of the form")
	}
	return e
}

// form describes a grammar.
func (g *grammar) form() string {
	mark := ""
	if g.Mark != "" {
		mark = "the mark " + g.Mark + ", "
	}
	secret := fmt.Sprint(g.MinSecret)
	if g.MaxSecret > g.MinSecret {
		secret = fmt.Sprintf("%d to %d", g.MinSecret, g.MaxSecret)
	}
	return fmt.Sprintf("%s%d letters and digits, a dot and %s more", mark, g.Prefix, secret)
}

// why is weigh with words: what the surroundings say of a shape, nearest first.
func (t *text) why(s shape) (weight, string) {
	says := func(w weight, where string) (weight, string) {
		if w == against {
			return w, "another owner of this form is named " + where + ", and nearer than Baseten"
		}
		return w, "Baseten is named " + where
	}
	line := t.around(s, 0, 0)
	if w := t.nearest(s, line); w != silent {
		return says(w, "on its line")
	}
	if w := t.nearest(s, t.around(s, linesBefore, linesAfter)); w != silent {
		return says(w, "in the lines around it")
	}
	if w := once(&t.header, t.weighHeader); w != silent {
		return says(w, "in the file's name or first lines")
	}
	if once(&t.whole, t.weighWhole) == likely {
		return says(likely, "elsewhere in the file")
	}
	if apiKeyScheme(t.data[line.Start:s.start]) {
		return likely, "the header scheme Api-Key is before it"
	}
	return silent, "nothing in the file names Baseten, and other programs use this form too"
}

// dotFollows reports whether a dot is where it belongs behind the mark at data[i], or near:
// explainDot then says the rest.
func (g *grammar) dotFollows(data []byte, i int) bool {
	rest := data[i+len(g.Mark) : min(len(data), i+len(g.Mark)+4*g.Prefix)]
	n := 0
	for n < len(rest) && token[rest[n]] != 0 {
		n++
	}
	return n < len(rest) && rest[n] == '.'
}

// explainDot says what the text about a dot lacks to be a key, if it has the look of one.
func (t *text) explainDot(dot int) (Explanation, bool) {
	const most = 300
	start, end := dot, dot+1
	for start > 0 && dot-start < most && token[t.data[start-1]] != 0 {
		start--
	}
	for end < len(t.data) && end-dot < most && alnum[t.data[end]] != 0 {
		end++
	}
	left, secret := t.data[start:dot], end-dot-1
	g := &grammars[slices.IndexFunc(grammars, func(g grammar) bool { return g.Mark == "" })]
	for k := range grammars {
		if m := grammars[k].Mark; m != "" {
			if i := bytes.LastIndex(left, []byte(m)); i >= 0 {
				g, start, left = &grammars[k], start+i, left[i:]
			}
		}
	}
	if g.Mark == "" && (len(left) < g.Prefix/2 || secret < g.MinSecret/2) {
		return Explanation{}, false // a file name, a sentence
	}
	e := Explanation{Start: start, End: end, Subject: subjectOf(g, left)}
	prefix := len(left) - len(g.Mark)
	say := func(format string, args ...any) { e.Reasons = append(e.Reasons, fmt.Sprintf(format, args...)) }
	if g.Mark == "" && prefix > g.Prefix && allAlnum(left[len(left)-g.Prefix:]) && token[left[len(left)-g.Prefix-1]] != 0 {
		say("it is a part of a longer word: %d characters are before the dot, and a key has %d", prefix, g.Prefix)
	} else if prefix != g.Prefix {
		say("%d characters are before the dot where a key has %d", prefix, g.Prefix)
	}
	if secret < g.MinSecret {
		say("%d letters and digits follow the dot where a key has %d: a half that is cut off is not a key", secret, g.MinSecret)
	} else if secret > g.MaxSecret {
		say("more than %d letters and digits follow the dot", g.MaxSecret)
	}
	if s, ok := g.at(t, dot-len(g.Mark)-g.Prefix); ok && !drawn(t.data, s) {
		say("%s", made(t.data[dot-g.Prefix:dot], t.data[dot+1:s.end]))
	} else if len(e.Reasons) == 0 {
		say("it touches other text, so that it is a part of something longer or of a password hash")
	}
	return e, true
}

// subjectOf is the public part of what looks like a key, as far as it is one beyond doubt:
// what has no mark may be a piece of anything.
func subjectOf(g *grammar, left []byte) string {
	switch {
	case g.Mark == "":
		return ""
	case len(left) <= len(g.Mark)+g.Prefix:
		return string(left)
	}
	return g.Mark + "…"
}

// made says by which of its tests readsAsMade takes the halves of a match for something
// made by a person or another program, or nothing.
func made(prefix, secret []byte) string {
	if len(secret) != legacy.MaxSecret {
		return "it reads as a placeholder or a name, not as a random draw"
	}
	names := nameScore(prefix, &classSteps)+nameScore(secret, &classSteps) > maxNameScore ||
		nameScore(prefix, &termSteps)+nameScore(secret, &termSteps) > maxTermScore
	for _, x := range []struct {
		is   bool
		text string
	}{
		{distinct(secret) < minDistinct, fmt.Sprintf("the secret half has %d different characters, which a random draw has not", distinct(secret))},
		{hasSmallAlphabet(prefix, secret), "it is of a small alphabet, such as a digest's or a seed's"},
		{sequence(prefix) > maxSequence || sequence(secret) > maxSequence, "a run of its characters is in order, as in a placeholder"},
		{names, "it reads as names that someone wrote"},
		{orderScore(prefix, secret) > maxOrder, "its letters and digits follow their order, as in a placeholder"},
	} {
		if x.is {
			return x.text
		}
	}
	return ""
}
