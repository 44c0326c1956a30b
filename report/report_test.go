package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
)

func TestFormats(t *testing.T) {
	if err := Write("xml", nil, finding.Report{}, Options{}); err == nil || !strings.Contains(err.Error(), `"xml" is not one of text, json, jsonl, sarif`) {
		t.Errorf("got %v", err)
	}
	for _, f := range Formats() {
		if f.Text == "" || strings.Contains(f.Text, "\n") {
			t.Errorf("%s is described as %q", f.Name, f.Text)
		}
	}
}

// failing fails at every write.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriteErrors(t *testing.T) {
	r, err := Read(bytes.NewReader(read(t, "testdata/scan.json")))
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	for _, f := range Formats() {
		if err := Write(f.Name, failing{boom}, r, Options{}); !errors.Is(err, boom) || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("%s: got %v", f.Name, err)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, f := range Formats() {
		if err := Write(f.Name, full, r, Options{}); err == nil {
			t.Errorf("%s: a full disk went unnoticed", f.Name)
		}
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain.py:3":         "plain.py:3",
		"a\nb\r\tc":          `a\nb\r\tc`,
		"\x1b[31m\x00\x7f":   `\x1b[31m\x00\x7f`,
		"\xff.py":            `\xff.py`,
		"\u009b\u202e\u200d": `\u009b\u202e\u200d`,
		"\U000e0041":         `\U000e0041`,
		"日本 語é😀":             "日本 語é😀",
		"::error::x":         `\x3a:error::x`,
		" \t::x":             ` \t\x3a:x`,
		"std::string ::y":    `std::string \x3a:y`,
		"# ## c ##[x ##ab[":  `# ## c \x23#[x \x23#ab[`,
		"###[x":              `#\x23#[x`,
		`C:\new`:             `C:\new`,
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := string(visibleJSON([]byte("\"é\u202e\x7f\U000e0041##[x\"\n"))), `"é\u202e\u007f\udb40\udc41\u0023#[x"`+"\n"; got != want {
		t.Errorf("visibleJSON: %s, want %s", got, want)
	}
}

func TestUnderline(t *testing.T) {
	for _, c := range []struct {
		line        string
		mark        *[2]int
		room        int
		want, under string
	}{
		{"  key = abc  ", &[2]int{8, 11}, 0, "key = abc", "      ^^^"},
		{"\tx\ty", &[2]int{3, 4}, 0, "x    y", "     ^"},
		{"日本 k", &[2]int{3, 4}, 0, "日本 k", "     ^"},
		{"日本 k", &[2]int{0, 2}, 0, "日本 k", "^^^^"},
		{"a\x1bk", &[2]int{2, 3}, 0, `a\x1bk`, "     ^"},
		{"\xffk", &[2]int{1, 2}, 0, `\xffk`, "    ^"},
		{"e\u0301k", &[2]int{2, 3}, 0, "e\u0301k", " ^"},
		{"0123456789abcdef", &[2]int{8, 12}, 10, "…6789abcd…", "   ^^^^"},
		{"0123456789abcdef", &[2]int{0, 4}, 10, "01234567…", "^^^^"},
		{"0123456789abcdef", nil, 10, "01234567…", ""},
		{"abc", &[2]int{-5, 99}, 0, "abc", "^^^"},
		{"abc", &[2]int{2, 1}, 0, "abc", ""},
		{"abc", &[2]int{9, 12}, 0, "abc", ""},
		{"", nil, 5, "", ""},
	} {
		got, under := underline(c.line, c.mark, c.room)
		if got != c.want || under != c.under {
			t.Errorf("underline(%q, %v, %d) = %q, %q; want %q, %q", c.line, c.mark, c.room, got, under, c.want, c.under)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		in   string
		room int
		want []string
	}{
		{"one two three fourfivesix 日本 x", 7, []string{"one two", "three", "fourfivesix", "日本 x"}},
		{"日本 日本", 8, []string{"日本", "日本"}},
		{"a  b", 0, []string{"a  b"}},
		{"", 9, []string{""}},
	} {
		if diff := cmp.Diff(c.want, fold(c.in, c.room)); diff != "" {
			t.Errorf("fold(%q, %d):\n%s", c.in, c.room, diff)
		}
	}
}

func TestWorkflowCommandEscapes(t *testing.T) {
	got := command("error", "50%: a\r\nb, c::d", property{"file", "a,b:c%\r\nd"}, property{"line", "1"})
	want := "::error file=a%2Cb%3Ac%25%0D%0Ad,line=1::50%25: a%0D%0Ab, c::d\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 2_700_000_000: "2.7 GB", 1<<63 - 1: "9.2 EB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestRepoPath(t *testing.T) {
	at := func(root, dir string) Options { return Options{Dir: dir, Roots: map[string]Root{"": {Path: root}}} }
	root := at("/repo", "/repo/sub")
	for _, c := range []struct {
		opts     Options
		in, want string
	}{
		{Options{}, "./a/b", "a/b"},
		{Options{}, "/a/b", "/a/b"},
		{root, "a/b", "sub/a/b"},
		{root, "../a", "a"},
		{root, "../../other/a", "../../other/a"},
		{root, "/repo/x", "x"},
		{root, "/repository/x", "/repository/x"},
		{at("/", ""), "/x", "x"},
		{at("C:/r", "C:/r/s"), "x", "s/x"},
		{at("C:/r", ""), "C:/r/x", "x"},
		{at("/repo", ""), "a", "a"},
	} {
		if got := c.opts.repoPath("", c.in); got != c.want {
			t.Errorf("%+v: repoPath(%q) = %q, want %q", c.opts, c.in, got, c.want)
		}
	}
}

// A summary that does not fit is cut at whole rows, says so, and keeps its end.
func TestSummaryLimits(t *testing.T) {
	for format, limit := range map[string]int{"summary": 1 << 20, "markdown": 65_536} {
		for _, text := range []string{"x", strings.Repeat("*[", 3000)} {
			var r finding.Report
			for i := range 20_000 {
				r.Findings = append(r.Findings, finding.Finding{Rule: "leaked-key", Message: text, Advice: text + string(rune('a'+i%26)) + text,
					Locations: []finding.Location{{Path: text, Line: i + 1}}})
				r.Problems = append(r.Problems, finding.Problem{Path: text, Error: text})
			}
			s := string(written(t, r, format, Options{}))
			if len(s) > limit || len(s) < limit/3 {
				t.Errorf("%s: %d bytes for a limit of %d", format, len(s), limit)
			}
			if !strings.Contains(s, " more; the json format lists them all.") || !strings.HasSuffix(s, "not everything could be read.\n") {
				t.Errorf("%s: does not say what is left out, or has lost its end", format)
			}
		}
	}
}

// A file with hundreds of problems gets a few lines, and one that counts the rest;
// -v lists every one.
func TestTextHoldsProblemsBack(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var r finding.Report
		for _, path := range []string{"a.zip", "b.zip", "", "c"} {
			for i := range map[string]int{"a.zip": 300, "b.zip": 6, "": 9, "c": 2}[path] {
				r.Problems = append(r.Problems, finding.Problem{Path: path, Member: fmt.Sprint(i), Error: "unexpected EOF", Warning: path == "b.zip"})
			}
		}
		out := string(written(t, r, "text", Options{Verbose: verbose}))
		want := 300 + 6 + 9 + 2
		if !verbose {
			want = 5 + 5 + 9 + 2
			for _, line := range []string{"problem: a.zip: 295 more like these; -v lists them\nwarning: b.zip!0", "warning: b.zip: 1 more like these; -v lists them\n"} {
				if !strings.Contains(out, line) {
					t.Errorf("%q is missing in\n%s", line, out)
				}
			}
		}
		if got := strings.Count(out, "unexpected EOF"); got != want {
			t.Errorf("verbose %v: %d problems, want %d", verbose, got, want)
		}
	}
}

// Every report for people says where it is documented how to accept a finding, unless there
// is none to accept: the key was revoked, or it is no key.
func TestReportsPointAtAccepting(t *testing.T) {
	r := finding.Report{Run: finding.Run{Command: "scan"}, Findings: []finding.Finding{{
		Rule: "leaked-key", Severity: finding.High, Format: "b10", Prefix: "b10_abcdefgh", Fingerprint: "0123456789abcdef", Message: "a key",
		Locations: []finding.Location{{Path: "a.py", Line: 1, Column: 1}},
	}}, Summary: finding.Summary{Complete: true}}
	file, anchor, _ := strings.Cut(strings.TrimPrefix(acceptURL, HomeURL+"/blob/main/"), "#")
	if page := string(read(t, "../"+file)); !strings.Contains(strings.ToLower(page), "## "+strings.ReplaceAll(anchor, "-", " ")+"\n") {
		t.Errorf("%s has no heading for #%s", file, anchor)
	}
	for _, format := range []string{"text", "github", "gitlab", "html", "junit", "sarif", "summary", "markdown"} {
		if !strings.Contains(string(written(t, r, format, Options{})), acceptURL) {
			t.Errorf("%s does not say how to accept a finding", format)
		}
		if format == "sarif" {
			continue // says it with the rule
		}
		live := r
		live.Findings = slices.Clone(r.Findings)
		live.Findings[0].Liveness = &finding.Liveness{State: finding.Live}
		if strings.Contains(string(written(t, live, format, Options{})), acceptURL) {
			t.Errorf("%s says how to accept a key that works, which is reported whatever was accepted", format)
		}
		done := r
		done.Findings = slices.Clone(r.Findings)
		done.Findings[0].Outcome = &finding.Outcome{State: "revoked"}
		if strings.Contains(string(written(t, done, format, Options{})), acceptURL) {
			t.Errorf("%s says how to accept a key that was just revoked", format)
		}
	}
}
