package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// annotations is how many places of one finding are annotated. GitHub shows ten
// errors, ten warnings and ten notices a step.
const annotations = 10

// github writes workflow commands, which GitHub Actions turns into annotations
// on the lines of a pull request. Places in history have no line there, so a finding that is only
// in history becomes one annotation without a file. An accepted finding is a notice.
type github struct {
	finding.Report
	opts Options
}

func renderGitHub(r finding.Report, opts Options) ([]byte, error) {
	g := &github{r, opts}
	var b bytes.Buffer
	for _, f := range r.Findings {
		g.finding(&b, f)
	}
	for _, p := range r.Problems {
		kind, name := "warning", "b10lint: incomplete"
		if p.Warning {
			kind, name = "notice", "b10lint"
		}
		text := problemText(p)
		if p.Hint != "" {
			text += "\n" + visible(p.Hint)
		}
		b.WriteString(command(kind, text, property{"title", name}))
	}
	line := "nothing found; looked at "
	if t, n := standing(r.Findings); n > 0 {
		line = fmt.Sprintf("%s (%s); looked at ", count(int64(n), "finding"), t)
	}
	line += lookedAt(r.Summary) + "."
	if left := leftOut(r.Summary); left != "" {
		line += " Not listed: " + left + "."
	}
	if !r.Summary.Complete || r.Summary.Interrupted {
		line += " INCOMPLETE: not everything could be looked at."
	}
	b.WriteString("b10lint: " + line + "\n")
	return b.Bytes(), nil
}

func (g *github) finding(b *bytes.Buffer, f finding.Finding) {
	kind := annotationKind(f.Severity)
	if f.Suppression != nil {
		kind = "notice"
	}
	places := arrange(f.Locations)
	n := 0
	for _, l := range places {
		if n < annotations && inCheckout(l) {
			n++
			b.WriteString(command(kind, g.message(f, l, len(places)), g.at(l, f.Rule)...))
		}
	}
	switch {
	case n > 0:
	case len(places) > 0:
		b.WriteString(command(kind, g.message(f, places[0], len(places)), property{"title", title(f.Rule)}))
	default:
		b.WriteString(command(kind, subject(f)+": "+g.text(f), property{"title", title(f.Rule)}))
	}
}

func annotationKind(s finding.Severity) string {
	if level := sarifLevel(s); level != "note" {
		return level
	}
	return "notice"
}

func title(rule string) string { return "b10lint: " + visible(rule) }

func (g *github) message(f finding.Finding, l finding.Location, places int) string {
	text := place(l)
	if p := particulars(l, false); len(p) > 0 {
		text += " (" + strings.Join(p, ", ") + ")"
	}
	text += ": " + g.text(f)
	if places > 1 {
		text += "\nThe same key is in " + count(int64(places-1), "more place") + "."
	}
	return text
}

func (g *github) text(f finding.Finding) string {
	text := sentence(visible(f.Message))
	if l := liveness(f.Liveness); l != "" {
		text += "\nState of the key: " + l
	}
	if f.Suppression != nil {
		text += "\nAccepted: " + suppression(f.Suppression)
	}
	if f.Advice != "" {
		text += "\n" + visible(f.Advice)
	}
	return text
}

func (g *github) at(l finding.Location, rule string) []property {
	out := []property{{"file", visible(g.opts.repoPath("", l.Path))}}
	if l.Line > 0 && l.Member == "" {
		out = append(out, property{"line", strconv.Itoa(l.Line)})
		if l.EndLine > l.Line {
			out = append(out, property{"endLine", strconv.Itoa(l.EndLine)})
		} else if l.Column > 0 {
			out = append(out, property{"col", strconv.Itoa(l.Column)})
			if l.EndColumn > l.Column {
				out = append(out, property{"endColumn", strconv.Itoa(l.EndColumn)})
			}
		}
	}
	return append(out, property{"title", title(rule)})
}

type property struct{ name, value string }

// command is one workflow command. The escapes are those of actions/toolkit,
// packages/core/src/command.ts; without them a file name could end the command
// and begin another.
func command(kind, text string, properties ...property) string {
	var b strings.Builder
	b.WriteString("::" + kind)
	for i, p := range properties {
		sep := ","
		if i == 0 {
			sep = " "
		}
		b.WriteString(sep + p.name + "=" + escapeProperty(p.value))
	}
	return b.String() + "::" + escapeData(text) + "\n"
}

func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
