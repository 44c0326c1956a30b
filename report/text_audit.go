package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

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
	rows := [][]string{{"RISK", "KEY", "NAME", "TYPE", "MADE", "USE"}}
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
	if len(order) == 0 {
		rows = nil
	}
	for i, r := range rows {
		color := bold
		if i > 0 {
			color = severityColor(groups[order[i-1]][0].Severity)
		}
		t.auditRow(b, r, widths, color)
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

func (t *text) auditRow(b *bytes.Buffer, cells []string, widths []int, color string) {
	var line strings.Builder
	for i, c := range cells {
		pad := strings.Repeat(" ", widths[i]-len([]rune(c)))
		if i == 0 {
			c = t.paint(color, c)
		}
		line.WriteString(c + pad + "  ")
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
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
