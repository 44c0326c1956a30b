package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

// The most severe finding comes first, in text and as an annotation; of more than ten, which
// is what GitHub shows of a step, the rest is counted.
func TestSeverestFirst(t *testing.T) {
	r := finding.Report{Run: finding.Run{Command: "scan"}}
	for i := range 25 {
		at := finding.Location{Path: fmt.Sprintf("f%02d.py", i), Line: 1}
		r.Findings = append(r.Findings, finding.Finding{Rule: "leaked-key", Severity: finding.High, Format: finding.B10, Locations: []finding.Location{at, {Path: "also.py"}}})
	}
	r.Findings[19].Severity = finding.Critical
	var text, github bytes.Buffer
	if err := Write("text", &text, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := Write("github", &github, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.String(), "f19.py:1: critical") {
		t.Errorf("%.80s", &text)
	}
	if s := github.String(); !strings.HasPrefix(s, "::error file=f19.py,") || strings.Count(s, "::error") != 10 || !strings.Contains(s, "15 more findings in the summary") {
		t.Error(s)
	}
}

// A key in a commit message is shown there, and not in the files beside git's objects that
// repeat it, with the repository where there is a name for it.
func TestCommitFirst(t *testing.T) {
	f := finding.Finding{Rule: "leaked-key", Severity: finding.High, Locations: []finding.Location{
		{Object: "commit", Blob: "2521c5551767aa", Commit: "2521c5551767aa", Line: 1, Column: 12, Exposure: finding.Committed, Repository: "org/api"},
		{Path: "org/api/.git/COMMIT_EDITMSG", Line: 1, Column: 12, Exposure: finding.Untracked},
	}}
	for _, format := range []string{"text", "github", "sarif", "junit", "summary"} {
		var b bytes.Buffer
		if err := Write(format, &b, finding.Report{Findings: []finding.Finding{f}}, Options{}); err != nil {
			t.Fatal(err)
		}
		commit, beside := strings.Index(b.String(), "commit 2521c5551767 of org/api"), strings.Index(b.String(), "COMMIT_EDITMSG")
		if format != "sarif" && (commit < 0 || beside >= 0 && beside < commit) {
			t.Errorf("%s:\n%s", format, &b)
		}
	}
}

// No name of a file ends a workflow command or begins another.
func TestAnnotationNames(t *testing.T) {
	for _, name := range []string{"\xff% :.py", "a:b/c%41 d?e#f.py", "C:/Users/x y/.trussrc", "//server/share/x", "-", "a\n::error::x,line=2"} {
		f := finding.Finding{Rule: "leaked-key", Severity: finding.High, Locations: []finding.Location{{Path: name, Line: 1}}}
		var b bytes.Buffer
		if err := Write("github", &b, finding.Report{Findings: []finding.Finding{f}}, Options{}); err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(b.String(), "\n")
		properties := strings.Split(strings.TrimPrefix(line, "::error "), "::")[0]
		if strings.Count(b.String(), "\n") != 2 || strings.Count(properties, ",") != 2 || strings.Count(properties, ":") != 0 {
			t.Errorf("%q: %s", name, line)
		}
	}
}

// Many findings say each advice once, have a line each behind the first, and are counted by
// folder and rule at the end.
func TestManyFindings(t *testing.T) {
	r := finding.Report{Run: finding.Run{Command: "scan"}}
	for i := range 1000 {
		r.Findings = append(r.Findings, finding.Finding{Rule: "leaked-key", Severity: finding.High, Format: finding.B10, Advice: fmt.Sprintf("Advice %d.", i%4),
			Locations: []finding.Location{{Path: fmt.Sprintf("src/d%d/x/f.py", i%30), Line: i + 1, Snippet: "k = 1"}}})
	}
	var b bytes.Buffer
	if err := Write("text", &b, r, Options{}); err != nil {
		t.Fatal(err)
	}
	s := b.String()
	if strings.Count(s, "Advice 3.") != 1 || strings.Count(s, "\n") > 1120 {
		t.Errorf("%d lines, %d times an advice", strings.Count(s, "\n"), strings.Count(s, "Advice 3."))
	}
	folders, rules := strings.Index(s, "Findings by folder:\n    34  src/d0/x\n"), strings.Index(s, "Findings by rule:\n  1000  leaked-key\n")
	if folders < 0 || rules < folders || !strings.Contains(s, "in 15 other folders") || !strings.Contains(s[rules:], "1000 findings (1000 high)") {
		t.Error(s[max(0, len(s)-1500):])
	}
	b.Reset()
	if err := Write("text", &b, r, Options{Verbose: true}); err != nil || strings.Count(b.String(), "Advice 3.") != 250 {
		t.Error("-v does not say all", err)
	}
}
