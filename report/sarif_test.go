package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/b10lint/b10lint/finding"
)

// parse reads a SARIF report back with the library.
func parse(t *testing.T, data []byte) *sarif.Run {
	t.Helper()
	r, err := sarif.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 1 {
		t.Fatalf("%d runs", len(r.Runs))
	}
	return r.Runs[0]
}

func TestSARIFPrimaryLocation(t *testing.T) {
	history := finding.Location{Path: "old.py", Line: 1, Commit: "c1", Blob: "b1"}
	head := finding.Location{Path: "head.py", Line: 2, Commit: "c1", Blob: "b2", AtHead: true}
	tree := finding.Location{Path: "tree.py", Line: 3, LineHash: "abc:1"}
	member := finding.Location{Path: "a.zip", Member: "x", Line: 4}
	message := finding.Location{Object: "commit", Commit: "c1"}
	for _, c := range []struct {
		what    string
		places  []finding.Location
		uri     string
		related int
		hash    any
	}{
		{"the work tree before history", []finding.Location{history, tree}, "tree.py", 1, "abc:1"},
		{"what is at the head is in the checkout", []finding.Location{history, head}, "head.py", 1, nil},
		{"a plain file before a member", []finding.Location{member, history, tree}, "tree.py", 2, "abc:1"},
		{"a member before history", []finding.Location{history, member}, "a.zip", 1, nil},
		{"history alone", []finding.Location{history, history}, "old.py", 1, "fp:1"},
		{"a commit message", []finding.Location{message}, fallbackURI, 0, "fp:1"},
		{"a commit message beside a file", []finding.Location{tree, message}, "tree.py", 1, "abc:1"},
		{"no place", nil, fallbackURI, 0, "fp:1"},
	} {
		f := finding.Finding{Rule: "leaked-key", Fingerprint: "fp", Message: "m", Locations: c.places}
		r := parse(t, written(t, finding.Report{Findings: []finding.Finding{f}}, "sarif", Options{})).Results[0]
		loc := r.Locations[0].PhysicalLocation
		if len(r.Locations) != 1 || *loc.ArtifactLocation.URI != c.uri || loc.Region.StartLine == nil {
			t.Errorf("%s: at %s", c.what, *loc.ArtifactLocation.URI)
		}
		if len(r.RelatedLocations) != c.related {
			t.Errorf("%s: %d related locations, want %d", c.what, len(r.RelatedLocations), c.related)
		}
		for i, l := range r.RelatedLocations {
			if l.PhysicalLocation == nil || l.PhysicalLocation.ArtifactLocation.URI == nil {
				t.Errorf("%s: related location %d names no file", c.what, i)
			}
		}
		if got := r.PartialFingerprints["primaryLocationLineHash"]; got != c.hash {
			t.Errorf("%s: line hash %v, want %v", c.what, got, c.hash)
		}
		if r.Fingerprints["b10lint/v1"] != "fp" {
			t.Errorf("%s: fingerprints %v", c.what, r.Fingerprints)
		}
	}
}

func TestSARIFRegion(t *testing.T) {
	for _, c := range []struct {
		l    finding.Location
		want string
	}{
		{finding.Location{Line: 3, Column: 5, EndLine: 3, EndColumn: 9}, `{"startLine":3,"startColumn":5,"endLine":3,"endColumn":9}`},
		{finding.Location{Line: 3, Column: 5, EndLine: 3, EndColumn: 9, UTF16Column: 7, UTF16EndColumn: 11}, `{"startLine":3,"startColumn":7,"endLine":3,"endColumn":11}`},
		{finding.Location{Line: 3, Column: 5, EndLine: 4, EndColumn: 2}, `{"startLine":3,"startColumn":5,"endLine":4,"endColumn":2}`},
		{finding.Location{Line: 3, Column: 5, EndLine: 2, EndColumn: 2}, `{"startLine":3,"startColumn":5,"endLine":3}`},
		{finding.Location{Line: 3}, `{"startLine":3,"endLine":3}`},
		{finding.Location{}, `{"startLine":1,"endLine":1}`},
		{finding.Location{Line: 9, Column: 5, Member: "x"}, `{"startLine":1,"endLine":1}`},
	} {
		got, err := json.Marshal(region(c.l))
		if err != nil || string(got) != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.l, got, err, c.want)
		}
	}
}

func TestFileURI(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.py":         "a/b.py",
		"./a":            "a",
		"a b/ü%41.py":    "a%20b/%C3%BC%2541.py",
		"a:b":            "a%3Ab",
		"x?y#z[1]":       "x%3Fy%23z%5B1%5D",
		"\xff\n\x1b":     "%FF%0A%1B",
		"/abs/x y":       "file:///abs/x%20y",
		"C:/Users/x":     "file:///C:/Users/x",
		"C:relative":     "C%3Arelative",
		"//server/share": "file:///server/share",
		"../up":          "../up",
		"https://evil/x": "https%3A//evil/x",
		"-":              "-",
	} {
		got, absolute := fileURI(in)
		if got != want || absolute != strings.HasPrefix(want, "file:") {
			t.Errorf("fileURI(%q) = %q, %v; want %q", in, got, absolute, want)
		}
	}
}

func TestPublicURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@host/a.git?x#y": "https://host/a.git",
		"git@host:team/app.git":              "ssh://host/team/app.git",
		"host:/team/app.git":                 "ssh://host/team/app.git",
		"ssh://git@host:22/app":              "ssh://host:22/app",
		"/srv/app.git":                       "",
		"C:/srv/app.git":                     "",
		"":                                   "",
		"://":                                "",
	} {
		if got := PublicURL(in); got != want {
			t.Errorf("PublicURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// many is a report of n findings, every tenth critical, with as much to say as text.
func many(n int, text func(int) string) (r finding.Report) {
	for i := range n {
		s := finding.Low
		if i%10 == 0 {
			s = finding.Critical
		}
		r.Findings = append(r.Findings, finding.Finding{Rule: "leaked-key", Severity: s, Fingerprint: fmt.Sprint(i), Message: text(i)})
	}
	r.Summary.Complete = true
	return r
}

func TestSARIFLimits(t *testing.T) {
	noise := func(i int) string { return uuid(fmt.Sprint("a", i)) + uuid(fmt.Sprint("b", i)) }
	for what, limits := range map[string]sarifLimits{
		"results": {results: 20, related: 1, notes: 1, gzipBytes: 1 << 20},
		"size":    {results: 100, related: 1, notes: 1, gzipBytes: 6_000},
	} {
		out, err := (&sarifWriter{Report: many(100, noise), limits: limits}).render()
		if err != nil {
			t.Fatal(err)
		}
		run := parse(t, out)
		packed, err := gzipSize(out)
		if err != nil || packed > limits.gzipBytes {
			t.Errorf("%s: %d bytes packed, %v", what, packed, err)
		}
		errorsKept := 0
		for _, r := range run.Results {
			if *r.Level == "error" {
				errorsKept++
			}
		}
		if n := len(run.Results); n < 11 || n > 90 || errorsKept != 10 {
			t.Errorf("%s: kept %d results, %d of the 10 worst", what, n, errorsKept)
		}
		want := fmt.Sprintf("Left out %d of 100 results", 100-len(run.Results))
		notes := run.Invocations[0].ToolExecutionNotifications
		if len(notes) != 1 || !strings.HasPrefix(*notes[0].Message.Text, want) {
			t.Errorf("%s: no notification begins %q", what, want)
		}
		if !*run.Invocations[0].ExecutionSuccessful {
			t.Errorf("%s: a limit of the reader is no failure of the run", what)
		}
	}
}

// The limits of GitHub hold for a run as large as they allow.
func TestSARIFLargeRun(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 25,010 results")
	}
	out := written(t, many(25_010, func(int) string { return "m" }), "sarif", Options{})
	var log struct {
		Runs []struct{ Results []json.RawMessage }
	}
	if err := json.Unmarshal(out, &log); err != nil {
		t.Fatal(err)
	}
	packed, err := gzipSize(out)
	if n := len(log.Runs[0].Results); n != 25_000 || packed > 10_000_000 || err != nil {
		t.Errorf("%d results, %d bytes packed, %v", n, packed, err)
	}
}

func checkProvenance(t *testing.T) {
	t.Helper()
	inside := finding.Finding{Rule: "leaked-key", Message: "x", Locations: []finding.Location{{Path: "a/b.py", Line: 1}}}
	opts := Options{Roots: map[string]Root{"": {VCS: &VCS{URI: "https://user:word@git.example/acme/app.git", Revision: "1", Branch: "main"}}}}
	out := written(t, finding.Report{Findings: []finding.Finding{inside}}, "sarif", opts)
	v := parse(t, out).VersionControlProvenance[0]
	if *v.RepositoryURI != "https://git.example/acme/app.git" || *v.Branch != "main" {
		t.Errorf("provenance %s, %s", *v.RepositoryURI, *v.Branch)
	}
}

func TestSARIFDescribesTheRun(t *testing.T) {
	run := parse(t, read(t, "testdata/scan.sarif"))
	got := map[string]any{}
	for i, r := range run.Tool.Driver.Rules {
		for _, text := range []*string{r.ShortDescription.Text, r.FullDescription.Text, r.Help.Text, r.Help.Markdown, r.Name, r.HelpURI} {
			if *text == "" {
				t.Errorf("%s has an empty text", r.ID)
			}
		}
		got[r.ID] = r.Properties["security-severity"]
		for _, res := range run.Results {
			if *res.RuleIndex == uint(i) && *res.RuleID != r.ID {
				t.Errorf("result of %s has the index of %s", *res.RuleID, r.ID)
			}
		}
	}
	want := map[string]any{"leaked-key": "8.0", "leaked-key-live": "9.5", "leaked-key-dead": "3.0", "key-unused": "5.5", "key-unnamed": "1.0", "not-in-the-catalogue": "1.0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if id := *run.AutomationDetails.ID; id != "b10lint/scan/" {
		t.Errorf("automationDetails.id is %q", id)
	}
	if len(run.VersionControlProvenance) != 0 {
		t.Error("a run that found something outside of the repository claims to be about the repository")
	}
	checkProvenance(t)
	if n := run.Invocations[0].ToolExecutionNotifications; len(n) != 1 || n[0].Level != "warning" {
		t.Errorf("notifications %v", n)
	}
	bad := parse(t, read(t, "testdata/incomplete.sarif"))
	if *bad.Invocations[0].ExecutionSuccessful || len(bad.Invocations[0].ToolExecutionNotifications) != 3 {
		t.Error("an interrupted run with two problems does not say so")
	}
}

func TestSARIFEscapesLinks(t *testing.T) {
	if got, want := plain("see [x](http://evil) [1]"), `see \[x\](http://evil) \[1\]`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := plain("a[0] is b"); got != "a[0] is b" {
		t.Errorf("got %q", got)
	}
}
