// Package report writes what a run found. Each format is one file and one
// [finding.Handler]; a saved JSON report can be read back into any of them with
// [Replay].
//
// No writer trusts what it is given: file names, source lines, error texts,
// authors and key names come from other people's repositories. What could act on
// a terminal, a CI log, a browser or a parser is shown as text; sanitize.go says
// how. Every writer returns each write error, and writes the same bytes for the
// same events.
package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// HomeURL is where the tool lives; rules are documented under it.
const HomeURL = "https://github.com/b10lint/b10lint"

// Options shape a report. The zero value is right for a file.
type Options struct {
	// Verbose lists every location, fingerprint and what was covered (text).
	Verbose bool
	// Quiet prints one line a finding and one a problem, and no summary (text).
	Quiet bool
	// Color uses ANSI colours (text).
	Color bool
	// Width is the width of the terminal in columns; 0 means no limit (text).
	Width int
	// Rules is the catalogue for a run that brings none, such as a replayed one.
	Rules []finding.Rule
	// Root is the absolute, slash separated root of the repository, and Dir the
	// absolute folder that relative paths start from. Where both are known the
	// formats for CI services (sarif, github, gitlab) give paths from Root, as
	// those services need. Empty means that relative paths start from the root.
	Root, Dir string
	// VCS names the repository, for sarif; nil when not known.
	VCS *VCS
}

// A VCS is the repository and revision that were looked at.
type VCS struct {
	URI      string // of the remote; a user name or password in it is left out
	Revision string
	Branch   string
}

// A Format is one form that a report can take.
type Format struct {
	Name string
	Text string // one line
}

type format struct {
	Format
	make func(io.Writer, Options) finding.Handler
}

func formats() []format {
	return []format{
		{Format{"text", "for people: each finding with its source line, then what was looked at"}, newText},
		{Format{"json", "one JSON document, described in docs/json.md; b10lint convert reads it"}, newJSON},
		{Format{"jsonl", "one JSON event a line, written as the run goes"}, newJSONL},
		{Format{"sarif", "SARIF 2.1.0 for GitHub code scanning and other viewers"}, newSARIF},
		{Format{"github", "workflow commands that annotate a pull request in GitHub Actions"}, newGitHub},
		{Format{"summary", "Markdown for a GitHub Actions job summary"}, newSummary},
		{Format{"markdown", "the same Markdown, short enough for an issue or a comment"}, newMarkdown},
		{Format{"gitlab", "GitLab secret detection report (schema 15)"}, newGitLab},
		{Format{"junit", "JUnit XML, one test case a finding"}, newJUnit},
		{Format{"html", "one self-contained page: timelines, distributions, filters; no network, no script needed"}, newHTML},
	}
}

// Formats lists the formats that [New] knows, in a fixed order.
func Formats() []Format {
	var list []Format
	for _, f := range formats() {
		list = append(list, f.Format)
	}
	return list
}

// New returns the writer for a format. It writes to w only from within the
// handler's methods, does not close it, and writes nothing here. The formats text,
// jsonl and github write as events come, the others on Finish. An unknown format is an
// error that lists those there are.
func New(name string, w io.Writer, opts Options) (finding.Handler, error) {
	var names []string
	for _, f := range formats() {
		if f.Name == name {
			return f.make(w, opts), nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("report format %q is not one of %s", name, strings.Join(names, ", "))
}

// Tee returns a handler that passes each event to every one of the handlers, in
// order. When some fail the rest are still called, and the errors are joined.
func Tee(handlers ...finding.Handler) finding.Handler { return tee(handlers) }

type tee []finding.Handler

func (t tee) each(call func(finding.Handler) error) error {
	var errs []error
	for _, h := range t {
		errs = append(errs, call(h))
	}
	return errors.Join(errs...)
}

func (t tee) Start(r finding.Run) error {
	return t.each(func(h finding.Handler) error { return h.Start(r) })
}

func (t tee) Finding(f finding.Finding) error {
	return t.each(func(h finding.Handler) error { return h.Finding(f) })
}

func (t tee) Problem(p finding.Problem) error {
	return t.each(func(h finding.Handler) error { return h.Problem(p) })
}

func (t tee) Finish(s finding.Summary) error {
	return t.each(func(h finding.Handler) error { return h.Finish(s) })
}

// A collector keeps a run's events for the formats that need the whole of it.
type collector struct {
	run      finding.Run
	findings []finding.Finding
	problems []finding.Problem
}

func (c *collector) Start(r finding.Run) error { c.run = r; return nil }

func (c *collector) Finding(f finding.Finding) error {
	c.findings = append(c.findings, f)
	return nil
}

func (c *collector) Problem(p finding.Problem) error {
	c.problems = append(c.problems, p)
	return nil
}

// write passes one piece to w and names the format in the error.
func write(w io.Writer, format string, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("writing the %s report: %w", format, err)
	}
	return nil
}
