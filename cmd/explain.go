package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/scanner/source"
)

// explainMost is how large a file may be of which single lines are explained.
const explainMost = 256 << 20

func newExplain(env Env) *cobra.Command {
	o := defaultScan()
	c := &cobra.Command{
		Use:   "explain FILE[:LINE]",
		Short: "Say why something was found at a place, or why not",
		Long: `Explain scans one file and says of one line, or of the whole file, what scan makes of
it: which rule applies, in what encoding the key is, what speaks for it and what against,
and what keeps it from being reported or from failing the run: the settings, a comment, a
baseline, the confidence, a limit. Of a text that only resembles a key it says what is
missing. It never shows a secret half.

It reads the file as it is now. For an older version: git show REV:FILE > /tmp/x`,
		Example: "  b10lint explain deploy.py:12\n  b10lint explain notebooks/run.ipynb",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return runExplain(c.Context(), env, o, args[0]) },
	}
	o.config.register(c)
	return c
}

// An explained is what is asked about, and the scan of it.
type explained struct {
	env    Env
	name   string
	line   int // 0 for the whole file
	data   []byte
	target *scanTarget
	report finding.Report
	found  *scanner.Found
	listed finding.Confidence // from here on findings are listed
}

func runExplain(ctx context.Context, env Env, o *scanOptions, place string) error {
	x := &explained{env: env}
	if err := x.open(place); err != nil {
		return err
	}
	o.history.noHistory = true
	targets, args, err := o.targets(env, []string{x.name})
	if err != nil {
		return err
	}
	x.target = targets[0]
	// What the settings exclude is scanned all the same, to say what it is.
	whole, err := o.history.target(env, x.name, o.jobs, source.Filter{}, "")
	if err != nil {
		return err
	}
	x.target.sources = []source.Target{{Name: x.name, Source: o.unpack.wrap(whole, o.jobs)}}
	x.listed, x.target.minConfidence = x.target.minConfidence, finding.LowConfidence
	run := finding.Run{Tool: tool(), Command: "scan", Targets: args, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	r, found, err := o.read(ctx, run, targets, &scanner.Progress{}, nil)
	if err != nil {
		return failed(err)
	}
	settle(&r, targets, found, false, func(*scanTarget) bool { return false })
	x.report, x.found = r, found
	var b bytes.Buffer
	x.write(&b)
	_, err = io.Copy(env.Stdout, &b)
	return failed(err)
}

// open takes FILE or FILE:LINE[:COLUMN], of which an existing file of that name is the first.
func (x *explained) open(place string) error {
	x.name = place
	for range 2 { // a column says no more than its line
		if _, err := os.Lstat(x.name); err == nil {
			break
		}
		i := strings.LastIndexByte(x.name, ':')
		if i <= 0 {
			break
		}
		n, err := strconv.Atoi(x.name[i+1:])
		if err != nil || n < 1 {
			break
		}
		x.name, x.line = x.name[:i], n
	}
	data, err := regular.ReadFile(x.name, explainMost)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usage("name a file that is here: b10lint explain FILE:LINE", "%s: no such file", report.Visible(x.name))
	case err != nil:
		return usage("name a file that can be read: b10lint explain FILE:LINE", "%w", err)
	}
	if lines := bytes.Count(data, []byte{'\n'}) + 1; x.line > lines {
		return usage("name a line that it has", "%s has %d lines", report.Visible(x.name), lines)
	}
	x.data = data
	return nil
}

// write says what there is at the place, and what keeps it from being reported.
func (x *explained) write(b *bytes.Buffer) {
	explanations, gaveUp := x.explanations()
	excluded := x.excluded()
	shown, binary := 0, bytes.IndexByte(x.data[:min(len(x.data), 8<<10)], 0) >= 0
	for _, f := range x.report.Findings {
		i := slices.IndexFunc(f.Locations, x.here)
		if i < 0 {
			continue
		}
		shown++
		x.finding(b, f, f.Locations[i], explanations, excluded)
	}
	for _, e := range explanations {
		if e.Key || binary {
			continue
		}
		shown++
		line := bytes.Count(x.data[:e.Start], []byte{'\n'}) + 1
		column := e.Start - bytes.LastIndexByte(x.data[:e.Start], '\n')
		fmt.Fprintf(b, "%s:%d:%d: not reported: %s\n", report.Visible(x.name), line, column, strings.TrimSpace("a text that resembles a key "+report.Visible(e.Subject)))
		row(b, "why not", e.Reasons...)
	}
	where := report.Visible(x.name)
	if x.line > 0 {
		where += fmt.Sprintf(":%d", x.line)
	}
	if shown == 0 {
		fmt.Fprintf(b, "%s: nothing here has the form of a key, as it is or in an encoding that b10lint reads\n", where)
		row(b, "forms", "docs/rules.md lists the forms of keys and what is not one, docs/encodings.md the encodings")
	}
	if excluded != "" && shown == 0 {
		row(b, "excluded", excluded)
	}
	if gaveUp >= 0 {
		row(b, "limit", fmt.Sprintf("the budget for decoding ran out on line %d: an encoded key behind it can be missed", bytes.Count(x.data[:gaveUp], []byte{'\n'})+1))
	}
	for _, p := range x.report.Problems {
		row(b, "problem", report.ProblemText(p), p.Hint)
	}
}

// here reports whether a location is the place that is asked about.
func (x *explained) here(l finding.Location) bool {
	return x.line == 0 || l.Member == "" && l.Line <= x.line && x.line <= max(l.Line, l.EndLine)
}

// explanations are those of the line, or of a file without a line that is text.
func (x *explained) explanations() ([]rules.Explanation, int) {
	from, to := 0, len(x.data)
	for n := 1; n < x.line; n++ {
		from += bytes.IndexByte(x.data[from:], '\n') + 1
	}
	if x.line > 0 {
		if n := bytes.IndexByte(x.data[from:], '\n'); n >= 0 {
			to = from + n
		}
	}
	return rules.Explain(x.name, x.data, from, to)
}

// excluded names the settings' glob that excludes the file, or is empty.
func (x *explained) excluded() string {
	s := x.target.settings
	rel, ok := s.relative(x.name)
	if !ok {
		return ""
	}
	for _, glob := range s.Exclude {
		if f, err := source.NewFilter([]string{glob}, nil); err == nil && f.Skip(rel) {
			return fmt.Sprintf("%s excludes it: exclude: %q", s.File, glob)
		}
	}
	if f, err := source.NewFilter(nil, s.Include); err == nil && len(s.Include) > 0 && f.Skip(rel) {
		return s.File + " scans other files only: include:"
	}
	return ""
}

// finding says what was found and what becomes of it.
func (x *explained) finding(b *bytes.Buffer, f finding.Finding, at finding.Location, explanations []rules.Explanation, excluded string) {
	place := report.Visible(at.Path)
	if at.Member != "" {
		place += "!" + report.Visible(at.Member)
	}
	if at.Line > 0 {
		place += fmt.Sprintf(":%d:%d", at.Line, at.Column)
	}
	fmt.Fprintf(b, "%s: %s: %s [%s]\n", place, f.Severity, report.Visible(f.Message), f.Rule)
	if at.Snippet != "" {
		fmt.Fprintf(b, "%4d | %s\n", at.Line, report.Visible(at.Snippet))
	}
	for _, e := range explanations {
		if e.Key && e.Subject == f.Prefix {
			row(b, "why", e.Reasons...)
			break
		}
	}
	if len(at.Decoded) > 0 {
		row(b, "hidden in", strings.Join(at.Decoded, ", in it "))
	}
	row(b, "rule", "b10lint rules explain "+f.Rule)
	var not []string
	if excluded != "" {
		not = append(not, excluded)
	}
	if x.found.Below(f, x.listed) {
		not = append(not, fmt.Sprintf("its confidence is %s, and findings are listed from %s on (min-confidence)", f.Confidence, x.listed))
	} else {
		row(b, "sure", f.Confidence.String()+" confidence; listed from "+x.listed.String()+" on (min-confidence)")
	}
	if s := f.Suppression; s != nil {
		not = append(not, fmt.Sprintf("it is accepted, by %s: %s", report.Visible(s.Where), report.Visible(s.Reason)))
	}
	if a := at.Allow; f.Suppression == nil && a != nil && *a != "" {
		if x.target.settings.Inline {
			row(b, "comment", "b10lint:allow accepts this location, and every location of a finding has to be accepted")
		} else {
			row(b, "comment", "b10lint:allow is ignored here (inline: false, --no-inline or --no-config)")
		}
	}
	if at.Allow == nil && strings.Contains(at.Snippet, "b10lint: allow") {
		row(b, "comment", "b10lint: allow is not obeyed: write b10lint:allow REASON, without a space")
	}
	switch {
	case len(not) > 0:
		row(b, "outcome", append([]string{"scan does not report it:"}, not...)...)
	case f.Severity < x.target.failOn:
		row(b, "outcome", fmt.Sprintf("scan reports it and does not fail: %s is below %s (fail-on)", f.Severity, x.target.failOn))
	default:
		row(b, "outcome", fmt.Sprintf("scan reports it and fails: %s is not below %s (fail-on)", f.Severity, x.target.failOn))
	}
}

// row writes a labelled fact of several lines; empty ones are left out.
func row(b *bytes.Buffer, label string, lines ...string) {
	label += ":"
	for _, line := range lines {
		if line == "" {
			continue
		}
		fmt.Fprintf(b, "     %-11s%s\n", label, report.Visible(line))
		label = ""
	}
}
