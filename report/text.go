package report

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// shownProblems is how many problems of one file text lists without -v: an archive
// made to test unpackers has hundreds.
const shownProblems = 5

// shownLocations is how many further places of a finding text lists without -v.
const shownLocations = 10

// text is for people: each finding with its source line, or an audit's as a table,
// then the problems, and at the end what was scanned.
type text struct {
	finding.Report
	opts    Options
	advised map[string]bool // the sentences of advice that were given; without -v each is given once
	shown   int             // findings
}

// manyFindings is how many findings text shows in full without -v. Of more, it lists the
// rest by a line each, and counts them by folder and rule.
const manyFindings = 20

func renderText(r finding.Report, opts Options) ([]byte, error) {
	t := &text{Report: r, opts: opts, advised: map[string]bool{}}
	table := r.Run.Command == "audit" && !opts.Quiet
	var b bytes.Buffer
	for _, i := range bySeverity(r.Findings) {
		f := r.Findings[i]
		if opts.Hook != "" && f.Suppression != nil {
			continue // the one who is stopped is not stopped by it
		}
		if !table {
			t.finding(&b, f)
		}
	}
	t.problems(&b)
	if table {
		t.audit(&b)
	}
	if !opts.Quiet {
		t.closing(&b)
	}
	return b.Bytes(), nil
}

// finding is a line that says where, how bad, what and which rule; then the source line
// and the facts.
func (t *text) finding(b *bytes.Buffer, f finding.Finding) {
	places := arrange(f.Locations)
	at, in := subject(f), targets(f)
	if len(places) > 0 {
		at = place(places[0])
	}
	if in != "" {
		in = " (in " + in + ")"
	}
	t.head(b, at, f.Severity, fmt.Sprintf("%s [%s]%s%s", visible(f.Message), visible(f.Rule), in, t.notes(f)))
	if t.opts.Quiet {
		return
	}
	advice := t.unsaid(visible(f.Advice))
	if t.shown++; t.shown > manyFindings && !t.opts.Verbose {
		t.field(b, "advice", advice)
		return
	}
	var refs []string
	if len(places) > 0 {
		t.source(b, places[0])
		if t.opts.Hook == "" || places[0].Exposure != finding.Staged {
			t.field(b, "place", strings.Join(particulars(places[0]), ", "))
		}
		refs = places[0].Refs
	}
	t.field(b, "works", liveness(f.Liveness))
	t.field(b, "key", keyFacts(f.Key))
	t.field(b, "outcome", outcome(f.Outcome))
	t.field(b, "accepted", suppression(f.Suppression))
	t.field(b, "advice", advice)
	if t.opts.Verbose {
		t.field(b, "refs", visible(strings.Join(refs, ", ")))
		t.field(b, "print", visible(f.Fingerprint))
	} else if t.opts.Hook != "" && len(t.Standing()) > 1 {
		t.field(b, "print", visible(f.Fingerprint[:min(len(f.Fingerprint), 12)]))
	}
	t.further(b, places)
	if t.opts.Hook == "" {
		b.WriteByte('\n')
	}
}

// unsaid is an advice without the sentences that it begins with and that were given
// before: what keys in one stage need first is the same for all of them.
func (t *text) unsaid(advice string) string {
	if t.opts.Verbose {
		return advice
	}
	rest, said := advice, true
	for from := advice; from != ""; {
		sentence, behind, _ := strings.Cut(from, ". ")
		if said = said && t.advised[sentence]; said {
			rest = behind
		}
		t.advised[sentence], from = true, behind
	}
	if rest != "" && rest != advice {
		return "As above. " + rest
	}
	return rest
}

// head is the first line of a finding; a terminal's width breaks it between words, but not with -q,
// whose lines are one a finding.
func (t *text) head(b *bytes.Buffer, at string, severity finding.Severity, what string) {
	lead := at + ": " + severity.String() + ":"
	rest := []string{what}
	if room := t.opts.Width; room > 0 && !t.opts.Quiet && textWidth(lead)+1+textWidth(what) > room && textWidth(lead) < room-12 {
		first := fold(what, room-textWidth(lead)-1)[0]
		rest = append([]string{first}, fold(strings.TrimSpace(strings.TrimPrefix(what, first)), room-4)...)
	}
	fmt.Fprintf(b, "%s: %s: %s\n", t.paint(bold, at), t.paint(severityColor(severity), severity.String()), strings.Join(rest, "\n    "))
}

// notes are what limits a finding, in brackets.
func (t *text) notes(f finding.Finding) (notes string) {
	if f.Confidence < finding.HighConfidence {
		notes = fmt.Sprintf(" (%s confidence)", f.Confidence)
	}
	if f.Baseline != "" {
		notes += " (" + visible(f.Baseline) + ")"
	}
	if f.Suppression != nil {
		notes += " (accepted)"
	}
	return notes
}

// further lists the places but the first.
func (t *text) further(b *bytes.Buffer, places []finding.Location) {
	if len(places) < 2 {
		return
	}
	rest := places[1:]
	if !t.opts.Verbose && len(rest) > shownLocations {
		rest = rest[:shownLocations]
	}
	label := "also"
	for _, l := range rest {
		line := place(l)
		if p := particulars(l); len(p) > 0 {
			line += " (" + strings.Join(p, ", ") + ")"
		}
		t.line(b, label, line)
		label = ""
	}
	if hidden := len(places) - 1 - len(rest); hidden > 0 {
		t.line(b, "", fmt.Sprintf("and %d more; -v lists them", hidden))
	}
}

// source shows the masked line with the key underlined.
func (t *text) source(b *bytes.Buffer, l finding.Location) {
	if l.Snippet == "" {
		return
	}
	number := ""
	if l.Line > 0 {
		number = fmt.Sprint(l.Line)
	}
	room := 0
	if t.opts.Width > 0 {
		room = max(t.opts.Width-7-max(len(number)-4, 0), 20)
	}
	line, under := underline(l.Snippet, l.SnippetMark, room)
	fmt.Fprintf(b, "%4s | %s\n", number, line)
	if under != "" {
		pad := strings.Repeat(" ", len(under)-len(strings.TrimLeft(under, " ")))
		fmt.Fprintf(b, "%*s | %s%s\n", max(4, len(number)), "", pad, t.paint(red, strings.TrimSpace(under)))
	}
}

// field writes a labelled fact, its value folded to the width of the terminal,
// and nothing for an empty value.
func (t *text) field(b *bytes.Buffer, label, value string) {
	if value == "" {
		return
	}
	room := 0
	if t.opts.Width > 0 {
		room = max(t.opts.Width-labelWidth, 20)
	}
	for _, line := range fold(value, room) {
		t.line(b, label, line)
		label = ""
	}
}

const labelWidth = 16 // of the column before the value

func (t *text) line(b *bytes.Buffer, label, value string) {
	if label != "" {
		label += ":"
	}
	fmt.Fprintf(b, "     %-*s%s\n", labelWidth-5, label, value)
}

// problems lists the problems, of those of one file that follow each other the
// first shownProblems.
func (t *text) problems(b *bytes.Buffer) {
	kind := func(warning bool) string {
		if warning {
			return t.paint(yellow, "warning")
		}
		return t.paint(red, "problem")
	}
	list := t.Problems
	if t.opts.Quiet || t.opts.Hook != "" {
		list = slices.DeleteFunc(slices.Clone(list), func(p finding.Problem) bool { return p.Warning })
	}
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[0].Path != "" && list[n].Path == list[0].Path && list[n].Target == list[0].Target {
			n++
		}
		same, warnings := list[:n], true
		list = list[n:]
		if n > shownProblems && !t.opts.Verbose {
			n = shownProblems
		}
		for _, p := range same[:n] {
			fmt.Fprintf(b, "%s: %s\n", kind(p.Warning), ProblemText(p))
			if p.Hint != "" && !t.opts.Quiet {
				fmt.Fprintf(b, "   hint: %s\n", visible(p.Hint))
			}
		}
		for _, p := range same[n:] {
			warnings = warnings && p.Warning
		}
		if more := len(same) - n; more > 0 {
			fmt.Fprintf(b, "%s: %s: %d more like these; -v lists them\n", kind(warnings), visible(same[0].Path), more)
		}
	}
}

// closing says what was found and how much was scanned. What was read of a repository is
// for -v; what was not is always said. A hook has said it all.
func (t *text) closing(b *bytes.Buffer) {
	s := t.Summary
	shown, total := standing(t.Findings)
	if t.opts.Hook != "" {
		t.accept(b)
		return
	}
	t.totals(b)
	switch {
	case total > 0:
		fmt.Fprintf(b, "%s (%s). Scanned %s.\n", t.paint(bold, count(int64(total), "finding")), shown, scanned(s))
	case s.Complete:
		fmt.Fprintf(b, "%s Scanned %s.\n", t.paint(green, "Nothing found."), scanned(s))
	default:
		fmt.Fprintf(b, "Nothing found so far. Scanned %s.\n", scanned(s))
	}
	if left := leftOut(s); left != "" {
		fmt.Fprintf(b, "Not listed: %s.\n", left)
	}
	for _, line := range covered(t.Report, t.opts.Verbose) {
		fmt.Fprintln(b, line)
	}
	for _, f := range s.Resolved {
		fmt.Fprintf(b, "Resolved since the earlier report: %s [%s]\n", subject(f), visible(f.Rule))
	}
	switch {
	case s.Interrupted:
		fmt.Fprintf(b, "%s the run was interrupted; what is above is what was found until then.\n", t.paint(red, "INCOMPLETE:"))
	case !s.Complete:
		fmt.Fprintf(b, "%s not everything could be read; see the problems above.\n", t.paint(red, "INCOMPLETE:"))
	}
	t.accept(b)
}

// totals counts many findings by folder, the fullest first, and by rule.
func (t *text) totals(b *bytes.Buffer) {
	if len(t.Findings) <= manyFindings || t.Run.Command == "audit" {
		return
	}
	var top []string // the folder that all files are in
	for i, f := range t.Findings {
		if places := arrange(f.Locations); len(places) > 0 && places[0].Path != "" {
			parts, n := strings.Split(path.Dir(places[0].Path), "/"), 0
			for n < min(len(parts), len(top)) && parts[n] == top[n] {
				n++
			}
			if i == 0 {
				n = len(parts)
			}
			top = parts[:n]
		}
	}
	folders, rules := map[string]int{}, map[string]int{}
	for _, f := range t.Findings {
		rules[visible(f.Rule)]++
		if places := arrange(f.Locations); len(places) > 0 && places[0].Path != "" {
			folders[visible(folderOf(places[0].Path, len(top)+2))]++
		} else {
			folders["(not in a file)"]++
		}
	}
	for _, table := range []struct {
		title string
		n     map[string]int
	}{{"folder", folders}, {"rule", rules}} {
		names := slices.SortedFunc(maps.Keys(table.n), func(x, y string) int { return cmp.Or(table.n[y]-table.n[x], strings.Compare(x, y)) })
		fmt.Fprintf(b, "\n%s\n", t.paint(bold, "Findings by "+table.title+":"))
		rest := 0
		for i, name := range names {
			if i < shownFolders {
				fmt.Fprintf(b, "%6d  %s\n", table.n[name], name)
			} else {
				rest += table.n[name]
			}
		}
		if rest > 0 {
			fmt.Fprintf(b, "%6d  in %s\n", rest, count(int64(len(names)-shownFolders), "other "+table.title))
		}
	}
	b.WriteByte('\n')
}

// shownFolders is how many lines a table of totals has.
const shownFolders = 15

// folderOf is the folder of a file, of so many levels at most.
func folderOf(name string, deep int) string {
	parts := strings.Split(path.Dir(name), "/")
	return strings.Join(parts[:min(len(parts), deep)], "/")
}

// accept says, below findings, how to accept one.
func (t *text) accept(b *bytes.Buffer) {
	keys := acceptable(t.Report)
	if len(keys) == 0 {
		return
	}
	print := "FINGERPRINT" // of one finding it is given, of several -v lists them
	if len(keys) == 1 {
		print = visible(keys[0].Fingerprint[:min(len(keys[0].Fingerprint), 12)])
	}
	words := "To accept a finding, write b10lint:allow REASON in a comment on its line, or in .b10lint.yaml:"
	if !slices.ContainsFunc(keys, func(f finding.Finding) bool { return len(f.Locations) > 0 && f.Locations[0].Object != "commit" }) {
		words = "To accept a finding, write in .b10lint.yaml:" // a message has no comments
	}
	if len(keys) > 1 && t.opts.Hook == "" && !t.opts.Verbose {
		words = strings.TrimSuffix(words, ":") + " (-v lists the fingerprints):"
	}
	for _, line := range append(fold(words, t.opts.Width), `  accept: [{fingerprint: "`+print+`", reason: WHY}]`) {
		fmt.Fprintln(b, line)
	}
	if t.opts.Hook == "" {
		fmt.Fprintln(b, "  "+acceptURL)
	}
}

// The colours, as the parameters of an ANSI SGR sequence.
const (
	bold   = "1"
	red    = "1;31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func severityColor(s finding.Severity) string {
	switch {
	case s >= finding.High:
		return red
	case s == finding.Medium:
		return yellow
	}
	return cyan
}

func (t *text) paint(color, s string) string {
	if !t.opts.Color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// audit writes the table of an audit: a line for each key, the key most at risk
// first, below it the rules it breaks and the next step. The findings come in
// that order.
func (t *text) audit(b *bytes.Buffer) {
	var order []string
	groups := map[string][]finding.Finding{}
	for _, f := range t.Findings {
		if groups[f.Prefix] == nil {
			order = append(order, f.Prefix)
		}
		groups[f.Prefix] = append(groups[f.Prefix], f)
	}
	rows := [][]string{{"RISK", "KEY", "NAME", "TYPE", "CREATED", "USE"}}
	for _, prefix := range order {
		f := groups[prefix][0]
		k := f.Key
		if k == nil {
			k = &finding.Key{}
		}
		rows = append(rows, []string{f.Severity.String(), visible(prefix), cut(visible(k.Name), 40), visible(k.Type), createdWords(k), usedWords(k)})
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	for i, r := range rows {
		if len(order) == 0 {
			break
		}
		color := bold
		if i > 0 {
			color = severityColor(groups[order[i-1]][0].Severity)
		}
		var line strings.Builder
		for j, c := range r {
			pad := strings.Repeat(" ", widths[j]-len([]rune(c)))
			if j == 0 {
				c = t.paint(color, c)
			}
			line.WriteString(c + pad + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i > 0 {
			t.auditDetails(b, groups[order[i-1]])
		}
	}
	if len(order) > 0 {
		b.WriteByte('\n')
	}
	for _, x := range t.Summary.Sources {
		if x.State != "read" {
			fmt.Fprintf(b, "%s: %s; %s\n", visible(x.Name), visible(x.State), visible(x.Detail))
		}
	}
}

// auditDetails says what is wrong with one key, and what to do next.
func (t *text) auditDetails(b *bytes.Buffer, group []finding.Finding) {
	if t.opts.Verbose {
		for _, f := range group {
			t.field(b, "is", fmt.Sprintf("%s [%s]%s", visible(f.Message), visible(f.Rule), t.notes(f)))
			t.further(b, append([]finding.Location{{}}, f.Locations...))
			t.field(b, "print", visible(f.Fingerprint))
		}
	} else {
		var rules []string
		for _, f := range group {
			if r := visible(f.Rule) + t.notes(f); !slices.Contains(rules, r) {
				rules = append(rules, r)
			}
		}
		t.field(b, "is", strings.Join(rules, ", "))
	}
	t.field(b, "next", visible(group[0].Advice))
}
