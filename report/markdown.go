package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

// GitHub takes 1 MiB of summary a step, and 65,536 characters of an issue or a
// comment; what the writers make is ASCII but for names.
const (
	summaryLimit  = 1 << 20
	markdownLimit = 65_000
)

// summary writes GitHub Markdown: a table of findings, the problems, what to do
// next and what was looked at. Rows that do not fit the limit are counted instead.
type summary struct {
	finding.Report
	opts  Options
	limit int
}

func renderSummary(r finding.Report, opts Options) ([]byte, error) {
	return (&summary{r, opts, summaryLimit}).render(), nil
}

func renderMarkdown(r finding.Report, opts Options) ([]byte, error) {
	return (&summary{r, opts, markdownLimit}).render(), nil
}

// Shares of the limit: the table, then the problems, then the advice. The rest
// is for headings and the closing lines, which are bounded by shownLines.
const (
	tableShare   = 60
	problemShare = 20
	adviceShare  = 10
	shownLines   = 20
	longCell     = 400 // bytes of one text, before it is escaped
)

func (s *summary) render() []byte {
	var b bytes.Buffer
	s.heading(&b)
	order := bySeverity(s.Findings)
	if len(s.Findings) > 0 {
		b.WriteString("| Severity | Rule | Key | Place | State |\n| --- | --- | --- | --- | --- |\n")
		s.rows(&b, tableShare, len(s.Findings), "finding", func(i int) string { return s.row(s.Findings[order[i]]) })
		b.WriteString("\n")
	}
	if len(s.Problems) > 0 {
		b.WriteString("### Problems\n\n")
		s.rows(&b, problemShare, len(s.Problems), "problem", func(i int) string { return problemItem(s.Problems[i]) })
		b.WriteString("\n")
	}
	if steps := s.steps(order); len(steps) > 0 {
		b.WriteString("### Next steps\n\n")
		s.rows(&b, adviceShare, len(steps), "step", func(i int) string { return steps[i] })
		b.WriteString("\n")
	}
	s.closing(&b)
	return b.Bytes()
}

func (s *summary) heading(b *bytes.Buffer) {
	head := "nothing found"
	if t, n := standing(s.Findings); n > 0 {
		head = fmt.Sprintf("%s (%s)", count(int64(n), "finding"), t)
	} else if len(s.Findings) > 0 {
		head = "nothing found that was not accepted"
	}
	if !s.Summary.Complete || s.Summary.Interrupted {
		head += ", incomplete"
	}
	fmt.Fprintf(b, "## b10lint: %s\n\n", head)
}

// rows writes lines up to a share of the limit, in percent, and then how many
// there were besides.
func (s *summary) rows(b *bytes.Buffer, share, n int, noun string, line func(int) string) {
	room := s.limit / 100 * share
	for i := range n {
		text := line(i)
		if room -= len(text); room < 0 {
			fmt.Fprintf(b, "\nand %s more; the json format lists them all.\n", count(int64(n-i), noun))
			return
		}
		b.WriteString(text)
	}
}

func (s *summary) row(f finding.Finding) string {
	places := arrange(f.Locations)
	var at string
	if len(places) > 0 {
		l := places[0]
		l.Path = s.opts.repoPath("", l.Path)
		at = mdCode(cut(place(l), longCell))
		if p := particulars(l, false); len(p) > 0 {
			at += "<br>" + mdText(cut(strings.Join(p, ", "), longCell))
		}
		if len(places) > 1 {
			at += "<br>" + mdText("and "+count(int64(len(places)-1), "more place"))
		}
	}
	state := liveness(f.Liveness)
	if f.Suppression != nil {
		state = strings.TrimPrefix(state+"; accepted: "+suppression(f.Suppression), "; ")
	}
	if o := outcome(f.Outcome); o != "" {
		state = strings.TrimPrefix(state+"; "+o, "; ")
	}
	key := ""
	if f.Prefix != "" {
		key = mdCode(cut(visible(f.Prefix), longCell))
	}
	if facts := keyFacts(f.Key); facts != "" {
		key = strings.TrimPrefix(key+"<br>"+mdText(cut(facts, longCell)), "<br>")
	}
	return fmt.Sprintf("| %s | [%s](%s)<br>%s | %s | %s | %s |\n", f.Severity, mdText(cut(visible(f.Rule), longCell)),
		ruleURL(cut(f.Rule, longCell)), mdText(cut(visible(f.Message), longCell)), key, at, mdText(cut(state, longCell)))
}

func problemItem(p finding.Problem) string {
	text := "- " + mdText(cut(problemText(p), longCell))
	if p.Warning {
		text = "- Warning: " + mdText(cut(problemText(p), longCell))
	}
	if p.Hint != "" {
		text += "<br>" + mdText(cut(visible(p.Hint), longCell))
	}
	return text + "\n"
}

// steps are the distinct pieces of advice, the most severe finding's first.
func (s *summary) steps(order []int) []string {
	var out []string
	seen := map[string]bool{}
	for _, i := range order {
		f := s.Findings[i]
		if f.Advice == "" || f.Suppression != nil || seen[f.Advice] {
			continue
		}
		seen[f.Advice] = true
		out = append(out, "1. "+mdText(cut(visible(f.Advice), longCell))+"\n")
	}
	return out
}

func (s *summary) closing(b *bytes.Buffer) {
	sum := s.Summary
	fmt.Fprintf(b, "Looked at %s.\n", lookedAt(sum))
	if left := leftOut(sum); left != "" {
		fmt.Fprintf(b, "Not listed: %s.\n", left)
	}
	notes := covered(s.Report, func(finding.Coverage) bool { return len(s.Findings) > 0 })
	for _, f := range sum.Resolved {
		notes = append(notes, "resolved since the earlier report: "+subject(f)+", "+visible(f.Rule))
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for i, n := range notes {
		if i == shownLines {
			fmt.Fprintf(b, "- and %d more\n", len(notes)-i)
			break
		}
		fmt.Fprintf(b, "- %s\n", mdText(cut(n, longCell)))
	}
	switch {
	case sum.Interrupted:
		b.WriteString("\n**Incomplete**: the run was interrupted.\n")
	case !sum.Complete:
		b.WriteString("\n**Incomplete**: not everything could be looked at.\n")
	}
}

// mdText makes visible text safe in a line of GitHub Markdown: nothing in it is
// markup, HTML, a table border, a link, a mention or a reference. What could be
// becomes a numeric entity, which CommonMark never takes for markup.
func mdText(s string) string { return entities(s, "\\`*_{}[]<>()#!|~@&:$^\"'") }

// mdCode is mdText in a code element, for names and paths. An element and not a
// code span, because a span cannot hold every text inside a table.
func mdCode(s string) string { return "<code>" + mdText(s) + "</code>" }

func entities(s, special string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c < utf8.RuneSelf && strings.IndexByte(special, c) >= 0:
			fmt.Fprintf(&b, "&#%d;", c)
		case c == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteString("&#46;") // a bare www. is a link
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
