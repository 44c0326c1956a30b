package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

var (
	//go:embed html/page.tmpl
	htmlTemplate string
	//go:embed html/page.css
	htmlStyle string
	//go:embed html/page.js
	htmlScript string
	//go:embed html/timeline.tmpl
	htmlTimeline string
)

// An htmlPage is what the template shows. All its texts are visible ones; the
// template escapes them for HTML.
type htmlPage struct {
	htmlFrame
	Heading    string
	State      string // of the run, "" when it is complete
	Facts      []htmlFact
	Counts     []htmlCount
	Bars       []htmlBars
	Items      []htmlItem
	Quiet      int // keys without a finding
	Rules      []htmlRule
	Problems   []htmlProblem
	Sources    []htmlProblem
	Notes      []string
	IsAudit    bool
	HasMarks   bool
	Severities []htmlCount
}

// An htmlFrame is what every page has.
type htmlFrame struct {
	Title  string
	Policy string
	Style  template.CSS
	Script template.JS
}

type htmlCount struct {
	Word string
	N    int
}

type htmlRule struct {
	ID, Title, Severity string
	Text, Remedy        []string // paragraphs
	URL                 string
	N                   int
}

type htmlProblem struct{ Kind, Text, Hint string }

func frame(title string) htmlFrame {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return htmlFrame{
		Title: title, Style: template.CSS(htmlStyle), Script: template.JS(htmlScript),
		Policy: "default-src 'none'; style-src " + hash(htmlStyle) + "; script-src " + hash(htmlScript) +
			"; img-src data:; base-uri 'none'; form-action 'none'",
	}
}

// render fills a template. What it is given holds no markup but the style and
// the script of this package.
func render(source string, page any) ([]byte, error) {
	t, err := template.New("page").Parse(source)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// renderHTML writes one page that needs nothing else: no network, no fonts, no
// script to be read. What script there is filters the list, and its hash stands
// in the content security policy, which allows nothing besides it and the style.
func renderHTML(r finding.Report, opts Options) ([]byte, error) {
	s := r.Summary
	now := r.Run.Started
	if t := saneTime(&now); t != nil {
		now = *t
	} else {
		now = time.Unix(0, 0).UTC()
	}
	var t tally
	for _, f := range r.Findings {
		t.add(f.Severity)
	}
	p := htmlPage{
		htmlFrame: frame("b10lint " + cmp.Or(visible(r.Run.Command), "report") + ", " + day(&now)),
		Heading:   "nothing found", IsAudit: r.Run.Command == "audit",
		Facts: runFacts(r, now), Notes: covered(r, func(finding.Coverage) bool { return true }),
		Bars: distributions(s.Inventory, now), Rules: ruleWords(r),
	}
	for _, x := range r.Problems {
		kind := "Problem"
		if x.Warning {
			kind = "Warning"
		}
		p.Problems = append(p.Problems, htmlProblem{kind, problemText(x), visible(x.Hint)})
	}
	for _, x := range s.Sources {
		state := visible(x.State)
		if d := day(x.Since); d != "" {
			state += ", since " + d
		}
		p.Sources = append(p.Sources, htmlProblem{visible(x.Name), state, visible(x.Detail)})
	}
	for _, f := range s.Resolved {
		p.Notes = append(p.Notes, "resolved since the earlier report: "+subject(f)+", "+visible(f.Rule))
	}
	if n := len(r.Findings); n > 0 {
		p.Heading = fmt.Sprintf("%s (%s)", count(int64(n), "finding"), t)
	}
	switch {
	case s.Interrupted:
		p.State = "Incomplete: the run was interrupted."
	case !s.Complete:
		p.State = "Incomplete: not everything could be looked at; see the problems below."
	}
	p.Items, p.Quiet = newItems(r, opts, now)
	worst := map[string]int{}
	for _, i := range p.Items {
		worst[i.Severity]++
		p.HasMarks = p.HasMarks || i.Line != nil
	}
	for sev := finding.Critical; sev >= finding.Info; sev-- {
		p.Counts = append(p.Counts, htmlCount{sev.String(), t[sev]})
		if worst[sev.String()] > 0 {
			p.Severities = append(p.Severities, htmlCount{sev.String(), worst[sev.String()]})
		}
	}
	return render(htmlTemplate, p)
}

func runFacts(r finding.Report, now time.Time) []htmlFact {
	s := r.Summary
	facts := []htmlFact{
		{"Made", now.Format("2006-01-02 15:04 UTC")},
		{"By", strings.TrimSpace(cmp.Or(visible(r.Run.Tool.Name), "b10lint") + " " + visible(r.Run.Tool.Version))},
		{"Looked at", lookedAt(s)},
	}
	if len(r.Run.Targets) > 0 {
		facts = append(facts, htmlFact{"Targets", cut(visible(strings.Join(r.Run.Targets, ", ")), longCell)})
	}
	if left := leftOut(s); left != "" {
		facts = append(facts, htmlFact{"Not listed", left})
	}
	if n := len(s.Resolved); n > 0 {
		facts = append(facts, htmlFact{"Resolved", count(int64(n), "finding") + " since the earlier report"})
	}
	return facts
}

// ruleWords are the words of the rules that the findings name, the most frequent
// first within a severity as the catalogue has it.
func ruleWords(r finding.Report) (list []htmlRule) {
	n := map[string]int{}
	for _, f := range r.Findings {
		n[f.Rule]++
	}
	for _, x := range r.Run.Rules {
		if n[x.ID] > 0 {
			list = append(list, htmlRule{visible(x.ID), visible(x.Title), x.Severity.String(), paragraphs(x.Text), paragraphs(x.Remedy), ruleURL(x.ID), n[x.ID]})
			delete(n, x.ID)
		}
	}
	for _, f := range r.Findings {
		if n[f.Rule] > 0 {
			list = append(list, htmlRule{ID: visible(f.Rule), Title: visible(f.Rule), Severity: f.Severity.String(), N: n[f.Rule], URL: ruleURL(f.Rule)})
			delete(n, f.Rule)
		}
	}
	return list
}

// paragraphs are those of a rule's words, without the marks of Markdown.
func paragraphs(text string) (out []string) {
	for _, p := range strings.Split(text, "\n\n") {
		if p = strings.TrimSpace(strings.NewReplacer("`", "", "**", "").Replace(p)); p != "" {
			out = append(out, visible(strings.Join(strings.Fields(p), " ")))
		}
	}
	return out
}
