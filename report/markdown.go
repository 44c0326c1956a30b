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
// next and what was scanned. Rows that do not fit the limit are counted instead.
type summary struct {
	finding.Report
	opts  Options
	limit int
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

func (s *summary) render() ([]byte, error) {
	var b bytes.Buffer
	head := "nothing found"
	if t, n := standing(s.Findings); n > 0 {
		head = fmt.Sprintf("%s (%s)", count(int64(n), "finding"), t)
	} else if len(s.Findings) > 0 {
		head = "nothing found that was not accepted"
	}
	if !s.Summary.Complete || s.Summary.Interrupted {
		head += ", incomplete"
	}
	fmt.Fprintf(&b, "## b10lint: %s\n\n", head)

	order := bySeverity(s.Findings)
	s.section(&b, "| Severity | Rule | Key | Place | State |\n| --- | --- | --- | --- | --- |\n", tableShare, len(order), "finding",
		func(i int) string { return s.row(s.Findings[order[i]]) })
	s.section(&b, "### Problems\n\n", problemShare, len(s.Problems), "problem", func(i int) string {
		p, text := s.Problems[i], "- "
		if p.Warning {
			text = "- Warning: "
		}
		text += mdText(cut(ProblemText(p), longCell))
		if p.Hint != "" {
			text += "<br>" + mdText(cut(visible(p.Hint), longCell))
		}
		return text + "\n"
	})
	var steps []string // the distinct pieces of advice, the most severe finding's first
	seen := map[string]bool{}
	for _, i := range order {
		if f := s.Findings[i]; f.Advice != "" && f.Suppression == nil && !seen[f.Advice] {
			seen[f.Advice] = true
			steps = append(steps, "1. "+mdProse(cut(visible(f.Advice), longCell))+"\n")
		}
	}
	s.section(&b, "### Next steps\n\n", adviceShare, len(steps), "step", func(i int) string { return steps[i] })
	s.closing(&b)
	return b.Bytes(), nil
}

// section writes a heading and n lines up to a share of the limit, in percent, and then
// how many there are besides; nothing for none.
func (s *summary) section(b *bytes.Buffer, heading string, share, n int, noun string, line func(int) string) {
	if n == 0 {
		return
	}
	b.WriteString(heading)
	room := s.limit / 100 * share
	for i := range n {
		text := line(i)
		if room -= len(text); room < 0 {
			fmt.Fprintf(b, "\nand %s more; the json format lists them all.\n", count(int64(n-i), noun))
			break
		}
		b.WriteString(text)
	}
	b.WriteString("\n")
}

func (s *summary) row(f finding.Finding) string {
	places := arrange(f.Locations)
	var at string
	if len(places) > 0 {
		l := places[0]
		l.Path = s.opts.repoPath("", l.Path)
		at = mdCode(cut(place(l), longCell))
		if p := particulars(l); len(p) > 0 {
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

func (s *summary) closing(b *bytes.Buffer) {
	sum := s.Summary
	fmt.Fprintf(b, "Scanned %s.\n", scanned(sum))
	if left := leftOut(sum); left != "" {
		fmt.Fprintf(b, "Not listed: %s.\n", left)
	}
	notes := covered(s.Report, len(s.Findings) > 0)
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
		b.WriteString("\n**Incomplete**: not everything could be read.\n")
	}
	if len(acceptable(s.Report)) > 0 {
		fmt.Fprintf(b, "\n[Accept a finding](%s)\n", acceptURL)
	}
}

// mdText makes visible text safe in a line of GitHub Markdown: nothing in it is
// markup, HTML, a table border, a link, a mention or a reference. What could be
// becomes a numeric entity, which CommonMark never takes for markup.
func mdText(s string) string {
	const special = "\\`*_{}[]<>()#!|~@&:$^\"'"
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

// mdProse is mdText of a text in which code is between backticks, with that as code.
func mdProse(s string) string {
	parts := strings.Split(s, "`")
	for i := range parts {
		switch {
		case i%2 == 1 && i < len(parts)-1:
			parts[i] = mdCode(parts[i])
		case i%2 == 1:
			parts[i] = mdText("`" + parts[i]) // it is not closed
		default:
			parts[i] = mdText(parts[i])
		}
	}
	return strings.Join(parts, "")
}

// mdCode is mdText in a code element, for names and paths. An element and not a
// code span, because a span cannot hold every text inside a table.
func mdCode(s string) string { return "<code>" + mdText(s) + "</code>" }
