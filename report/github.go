package report

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// annotations is how many findings are annotated: GitHub shows ten errors, ten warnings
// and ten notices a step.
const annotations = 10

// renderGitHub writes workflow commands, which GitHub Actions turns into annotations on
// the lines of a pull request. Places in history have no line there, so a finding that is
// only in history becomes one annotation without a file. The most severe come first, one
// annotation each. An accepted finding is a notice.
func renderGitHub(r finding.Report, opts Options) ([]byte, error) {
	var b bytes.Buffer
	order := bySeverity(r.Findings)
	for _, i := range order[:min(len(order), annotations)] {
		f := r.Findings[i]
		kind, title := sarifLevel(f.Severity), property{"title", "b10lint: " + visible(f.Rule)}
		if kind == "note" || f.Suppression != nil || f.Baseline == unchanged {
			kind = "notice"
		}
		text := visible(f.Message)
		if f.Baseline != "" && f.Suppression == nil {
			text += " (" + visible(f.Baseline) + ")"
		}
		text = sentence(text)
		if l := liveness(f.Liveness); l != "" {
			text += "\nState of the key: " + l
		}
		if f.Suppression != nil {
			text += "\nAccepted: " + suppression(f.Suppression)
		}
		if f.Advice != "" {
			text += "\n" + visible(f.Advice)
		}
		places := arrange(f.Locations)
		if len(places) == 0 {
			b.WriteString(command(kind, subject(f)+": "+text, title))
			continue
		}
		if len(places) > 1 {
			text += "\nThe same key is in " + count(int64(len(places)-1), "more place") + "."
		}
		where := []property{title}
		if inCheckout(places[0]) {
			where = append(at(places[0], opts), title)
		}
		b.WriteString(command(kind, described(places[0], " (", ")")+": "+text, where...))
	}
	if more := len(order) - annotations; more > 0 {
		b.WriteString(command("notice", count(int64(more), "more finding")+" in the summary and the other reports of this step", property{"title", "b10lint"}))
	}
	for _, p := range r.Problems {
		kind, name := "warning", "b10lint: incomplete"
		if p.Warning {
			kind, name = "notice", "b10lint"
		}
		text := ProblemText(p)
		if p.Hint != "" {
			text += "\n" + visible(p.Hint)
		}
		b.WriteString(command(kind, text, property{"title", name}))
	}
	line := "nothing found; scanned "
	if t, n := standing(r.Findings); n > 0 {
		line = fmt.Sprintf("%s (%s); scanned ", count(int64(n), "finding"), t)
	}
	line += scanned(r.Summary) + "."
	if left := leftOut(r.Summary); left != "" {
		line += " Not listed: " + left + "."
	}
	if !r.Summary.Complete || r.Summary.Interrupted {
		line += " INCOMPLETE: not everything could be read."
	}
	if len(acceptable(r)) > 0 {
		line += " To accept a finding: " + acceptURL
	}
	b.WriteString("b10lint: " + line + "\n")
	return b.Bytes(), nil
}

// at is the location of an annotation.
func at(l finding.Location, opts Options) []property {
	out := []property{{"file", visible(opts.repoPath("", l.Path))}}
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
	return out
}

type property struct{ name, value string }

// command is one workflow command. The escapes are those of actions/toolkit,
// packages/core/src/command.ts; without them a file name could end the command
// and begin another.
func command(kind, text string, properties ...property) string {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	value := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	out, sep := "::"+kind, " "
	for _, p := range properties {
		out += sep + p.name + "=" + value.Replace(p.value)
		sep = ","
	}
	return out + "::" + data.Replace(text) + "\n"
}
