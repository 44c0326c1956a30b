// Package report writes a [finding.Report] in any of ten formats, one file a
// format, and reads a saved JSON report back.
//
// No writer trusts the report: file names, source lines, error texts, authors and
// key names come from other people's repositories. What could act on a terminal,
// a CI log, a browser or a parser is shown as text; sanitize.go says how. The same
// report gives the same bytes.
//
// Files build on those before them: options, sanitize, layout, describe, count; json and
// read; a file or a few for each format, and timeline; report puts them into one table.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

// A Format is one form that a report can take.
type Format struct {
	Name string
	Text string // one line
}

// A format is a row of the table of formats.
type format struct {
	Format
	// accepted is set where accepted findings are listed, marked as such; the
	// others list them with Options.Verbose only.
	accepted bool
	render   func(finding.Report, Options) ([]byte, error)
}

func formats() []format {
	return []format{
		{Format{"text", "for people: each finding with its source line, then what was scanned"}, false, renderText},
		{Format{"json", "one JSON document, described in docs/json.md; b10lint convert reads it"}, true, renderJSON},
		{Format{"jsonl", "the same as one JSON object a line: the run, findings, problems, the summary"}, true, renderJSONL},
		{Format{"sarif", "SARIF 2.1.0 for GitHub code scanning and other viewers"}, true, renderSARIF},
		{Format{"github", "workflow commands that annotate a pull request in GitHub Actions"}, true, renderGitHub},
		{Format{"summary", "Markdown for a GitHub Actions job summary"}, true,
			func(r finding.Report, o Options) ([]byte, error) { return (&summary{r, o, summaryLimit}).render() }},
		{Format{"markdown", "the same Markdown, short enough for an issue or a comment"}, true,
			func(r finding.Report, o Options) ([]byte, error) { return (&summary{r, o, markdownLimit}).render() }},
		{Format{"gitlab", "GitLab secret detection report (schema 15)"}, true, renderGitLab},
		{Format{"junit", "JUnit XML, one test case a finding"}, true, renderJUnit},
		{Format{"html", "one self-contained page: timelines, distributions, filters; no network, no script needed"}, true, renderHTML},
	}
}

// Formats lists the formats that [Write] knows, in a fixed order.
func Formats() []Format {
	var list []Format
	for _, f := range formats() {
		list = append(list, f.Format)
	}
	return list
}

// Lookup returns the format of a name. The error for an unknown one lists those
// there are.
func Lookup(name string) (Format, error) {
	f, err := lookup(name)
	return f.Format, err
}

func lookup(name string) (format, error) {
	var names []string
	for _, f := range formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return format{}, fmt.Errorf("report format %q is not one of %s", name, strings.Join(names, ", "))
}

// Write writes r to w in a format, with one call of w.Write. Accepted findings are
// listed, marked as such, in every format but text, which lists them with
// Options.Verbose only. r stays as it is. For an unknown format, w is left alone
// and the error is that of Lookup.
func Write(name string, w io.Writer, r finding.Report, opts Options) error {
	f, err := lookup(name)
	if err != nil {
		return err
	}
	if len(r.Run.Rules) == 0 {
		r.Run.Rules = opts.Rules
	}
	if !f.accepted && !opts.Verbose {
		r.Findings = r.Standing()
	}
	if !slices.Contains(withAuthors, name) {
		r.Findings, r.Summary.Resolved = anonymous(r.Findings), anonymous(r.Summary.Resolved)
	}
	data, err := f.render(r, opts)
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return fmt.Errorf("writing the %s report: %w", name, err)
	}
	return nil
}

// withAuthors are the formats that hold who made a commit, as docs/json.md says: the others
// are pages and uploads that more people read.
var withAuthors = []string{"text", "json", "jsonl"}

// anonymous is findings without the authors of commits, which reflogs hold before a tab.
func anonymous(findings []finding.Finding) []finding.Finding {
	findings = slices.Clone(findings)
	for i := range findings {
		locations := slices.Clone(findings[i].Locations)
		for j := range locations {
			l := &locations[j]
			l.Author = ""
			tab := strings.IndexByte(l.Snippet, '\t')
			if m := l.SnippetMark; tab >= 0 && m != nil && strings.Contains("/"+l.Path, "/logs/") {
				if cut := utf8.RuneCountInString(l.Snippet[:tab+1]); cut <= m[0] {
					l.Snippet, l.SnippetMark = "…"+l.Snippet[tab+1:], &[2]int{m[0] - cut + 1, m[1] - cut + 1}
				}
			}
		}
		findings[i].Locations = locations
	}
	return findings
}
