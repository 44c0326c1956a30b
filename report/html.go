package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

var (
	//go:embed html/*.tmpl
	htmlTemplates embed.FS
	//go:embed html/page.css
	htmlStyle string
	//go:embed html/page.js
	htmlScript string
)

// An htmlPage is what the template shows. Its texts are visible ones, but for those of
// the rules, problems and sources, which the template makes visible; the template
// escapes all of them for HTML.
type htmlPage struct {
	htmlFrame
	Heading    string
	State      string // of the run, "" when it is complete
	Facts      []htmlFact
	Counts     []htmlCount
	Bars       []htmlBars
	Rows       []htmlRow // of an audit: the keys
	Rollups    []htmlRollup
	Items      []htmlItem
	Quiet      int // keys without a finding
	Rules      []htmlRule
	Problems   []finding.Problem
	Sources    []finding.Source
	Notes      []string
	IsAudit    bool
	HasMarks   bool
	Severities []htmlCount
	AcceptURL  string // "" when there is nothing to accept
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

// An htmlRule is a rule and the number of its findings.
type htmlRule struct {
	finding.Rule
	N int
}

type htmlFact struct{ Label, Value string }

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

// render fills the template of a file. What it is given holds no markup but the style
// and the script of this package.
func render(file string, page any) ([]byte, error) {
	t, err := template.New(file).Funcs(template.FuncMap{
		"visible": visible, "day": day, "problem": ProblemText, "paragraphs": paragraphs,
		"parts": parts, "thousands": thousands,
	}).ParseFS(htmlTemplates, "html/*.tmpl")
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
	now := time.Unix(0, 0).UTC()
	if t := saneTime(&r.Run.Started); t != nil {
		now = *t
	}
	var t tally
	for _, f := range r.Findings {
		t.add(f.Severity)
	}
	p := htmlPage{
		htmlFrame: frame("b10lint " + cmp.Or(visible(r.Run.Command), "report") + ", " + day(&now)),
		Heading:   "nothing found", IsAudit: r.Run.Command == "audit", Bars: distributions(s.Inventory, now),
		Rules: ruleWords(r), Problems: r.Problems, Sources: s.Sources,
		Notes: covered(r, true),
	}
	if len(acceptable(r)) > 0 {
		p.AcceptURL = acceptURL
	}
	if n := len(r.Findings); n > 0 {
		p.Heading = fmt.Sprintf("%s (%s)", count(int64(n), "finding"), t)
	}
	switch {
	case s.Interrupted:
		p.State = "Incomplete: the run was interrupted."
	case !s.Complete:
		p.State = "Incomplete: not everything could be read; see the problems below."
	}
	fact := func(label, value string) {
		if value != "" {
			p.Facts = append(p.Facts, htmlFact{label, value})
		}
	}
	fact("Made", now.Format("2006-01-02 15:04 UTC"))
	fact("By", strings.TrimSpace(cmp.Or(visible(r.Run.Tool.Name), "b10lint")+" "+visible(r.Run.Tool.Version)))
	if a := r.Run.Account; a != nil {
		fact("Workspace", visible(a.Workspace))
		fact("Endpoint", visible(a.Endpoint))
		fact("Credential", strings.TrimSuffix(visible(a.Credential)+", of "+visible(a.User), ", of "))
	}
	fact("Scanned", scanned(s))
	fact("Targets", cut(visible(strings.Join(r.Run.Targets, ", ")), longCell))
	fact("Not listed", leftOut(s))
	if n := len(s.Resolved); n > 0 {
		fact("Resolved", count(int64(n), "finding")+" since the earlier report")
	}
	for _, f := range s.Resolved {
		p.Notes = append(p.Notes, "resolved since the earlier report: "+subject(f)+", "+visible(f.Rule))
	}
	p.Items, p.Quiet = newItems(r, opts, axisFrom(r, now), now)
	if p.IsAudit {
		p.Rows, p.Rollups = newRows(p.Items, s.Inventory), rollups(r)
	}
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
	return render("page.tmpl", p)
}

// ruleWords are the words of the rules that the findings name, in the order of the
// catalogue, then those of rules that it does not have.
func ruleWords(r finding.Report) (list []htmlRule) {
	n := map[string]int{}
	rules := r.Run.Rules[:len(r.Run.Rules):len(r.Run.Rules)]
	for _, f := range r.Findings {
		n[f.Rule]++
		rules = append(rules, finding.Rule{ID: f.Rule, Title: f.Rule, Severity: f.Severity})
	}
	for _, x := range rules {
		if n[x.ID] > 0 {
			list = append(list, htmlRule{x, n[x.ID]})
			delete(n, x.ID)
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
