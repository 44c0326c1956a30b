package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

// fill sets every string that v leads to, and gives every pointer, slice and map
// something to hold; a slice so many elements.
func fill(v reflect.Value, s string, n, elements, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Bool:
		v.SetBool(n%2 == 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s, n, elements, depth+1)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), s, n+i*3, elements, depth+1)
		}
	case reflect.Slice:
		if depth < 8 && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), elements, elements))
			for i := range elements {
				fill(v.Index(i), s, n+i, elements, depth+1)
			}
		}
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, s, n, elements, depth+1)
		fill(e, s, n, elements, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(n)<<32, 0)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), s, n, elements, depth+1)
		}
	}
}

// filled is a report in which every string is s and every number near n, and every slice
// has so many elements.
func filled(s string, n, elements int) finding.Report {
	var run finding.Run
	var f finding.Finding
	var p finding.Problem
	var sum finding.Summary
	var targets []finding.Target
	for _, v := range []any{&run, &f, &p, &sum, &targets} {
		fill(reflect.ValueOf(v).Elem(), s, n, elements, 0)
	}
	f.Severity, f.Confidence = finding.Severity(n&3), finding.Confidence(n&1)
	for i := range sum.Resolved {
		sum.Resolved[i].Severity, sum.Resolved[i].Confidence = finding.Low, finding.LowConfidence
	}
	for i := range run.Rules {
		run.Rules[i].Severity = finding.Low
	}
	bare := f
	bare.Locations, bare.Suppression = nil, nil
	open := f
	open.Suppression = nil
	return finding.Report{Run: run, Targets: targets, Findings: []finding.Finding{f, open, bare}, Problems: []finding.Problem{p}, Summary: sum}
}

// harmless fails when out could act on a terminal, a CI log or a parser.
func harmless(t *testing.T, format string, out []byte) {
	t.Helper()
	if !utf8.Valid(out) {
		t.Errorf("%s: not UTF-8", format)
	}
	for _, r := range string(out) {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Errorf("%s: holds %U", format, r)
			break
		}
	}
	for line := range strings.Lines(string(out)) {
		trimmed := strings.TrimSpace(line)
		ours := format == "github" && slices.ContainsFunc([]string{"error", "warning", "notice"}, func(kind string) bool {
			return strings.HasPrefix(line, "::"+kind+" file=") || strings.HasPrefix(line, "::"+kind+" title=")
		})
		if strings.HasPrefix(trimmed, "::") && !ours {
			t.Errorf("%s: a line is a workflow command: %.100q", format, line)
		}
		for i := range line {
			if opensCommand(line[i:]) {
				t.Errorf("%s: a line holds a workflow command: %.100q", format, line[i:])
			}
		}
	}
	parses(t, format, out)
}

// parses fails when out is not of the format's grammar, or is markup.
func parses(t *testing.T, format string, out []byte) {
	t.Helper()
	switch format {
	case "html":
		for _, bad := range []string{"<img", "<script>a", "onerror=\"", "javascript:"} {
			if bytes.Contains(out, []byte(bad)) {
				t.Errorf("html: holds %s", bad)
			}
		}
	case "json", "sarif", "gitlab":
		if !json.Valid(out) {
			t.Errorf("%s: not JSON", format)
		}
	case "junit":
		d := xml.NewDecoder(bytes.NewReader(out))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("junit: %v", err)
				break
			}
		}
	case "summary", "markdown":
		plain := strings.NewReplacer("<br>", "", "<code>", "", "</code>", "").Replace(string(out))
		if strings.ContainsAny(plain, "<>`@") {
			t.Errorf("%s: holds markup", format)
		}
	}
}

func hostileStrings() []string {
	return []string{
		"a\n::error::x", "::stop-commands::x", "  ::error::x", "##[add-mask]x", "###[error]x", "##vso[task.setvariable]x", "##teamcity[x]",
		"\x1b[31m", "\x1b]8;;http://x\x07", "\u009b31m", "\x7f", "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\U000e0041",
		"\xff\xfe", "\xed\xa0\x80", "]]>", "<script>", "--><b>", "`x`", "| a |", "[x](http://x)", "@team", "http://x", "www.x.com",
		"%0A::error::", ":", "x :", "%", ",file=x", "", " ", "\x00", "\\", "日本語\u0301", "😀", strings.Repeat("x", 300), strings.Repeat("\n", 100), "{0}", "a:b", "C:/x", "/x", "../x",
	}
}

// hostileOptions are the ways to write a report that put a string in more places.
func hostileOptions(s string) []Options {
	return []Options{{}, {Verbose: true, Width: 40, Dir: "/x/" + s, Roots: map[string]Root{"": {"/x", &VCS{s, s, s}}, s: {"/x", &VCS{s, s, s}}}}, {Quiet: true}}
}

// Each hostile string is put into every field of every format.
func TestHostileStrings(t *testing.T) {
	for i, s := range hostileStrings() {
		for _, format := range formats() {
			for _, opts := range hostileOptions(s) {
				if harmless(t, format.Name, written(t, filled(s, i, 2), format.Name, opts)); t.Failed() {
					t.Fatalf("%s, %.100q", format.Name, s)
				}
			}
		}
	}
}

// FuzzWriters writes one format in one way each time, so that it tries many strings. With
// -fuzzminimizetime 1x, go test spends its time on those.
func FuzzWriters(f *testing.F) {
	for i, s := range hostileStrings() {
		f.Add(s, i, uint8(i))
	}
	f.Fuzz(func(t *testing.T, s string, n int, way uint8) {
		all := formats()
		format, opts := all[int(way)%len(all)].Name, hostileOptions(s)[int(way)/len(all)%3]
		r := filled(s, n, 1)
		r.Findings = r.Findings[int(way)/len(all)/3%2:][:1] // accepted, and not
		if harmless(t, format, written(t, r, format, opts)); t.Failed() {
			t.Fatalf("%s, %.100q", format, s)
		}
	})
}

// No format but those for the user's own eyes holds an author.
func TestNoPersonalData(t *testing.T) {
	in := read(t, "testdata/scan.json")
	for _, format := range []string{"sarif", "github", "summary", "markdown", "gitlab", "junit"} {
		out := string(convert(t, in, format, Options{}))
		for _, word := range []string{"Lovelace", "grace@example.com", "Hopper"} {
			if strings.Contains(out, word) {
				t.Errorf("%s holds %q", format, word)
			}
		}
	}
	if out := string(convert(t, in, "sarif", Options{})); strings.Contains(out, "@example.com") {
		t.Error("sarif holds an e-mail address")
	}
}

// A commit may claim any date; a report must not fail for it.
func TestAbsurdDates(t *testing.T) {
	for _, sec := range []int64{1 << 40, -1 << 40, 1<<62 - 1, -1 << 62} {
		when := time.Unix(sec, 0).In(time.FixedZone("x", 50*3600))
		f := finding.Finding{Rule: "leaked-key", Locations: []finding.Location{{Path: "x", Date: &when}},
			Liveness: &finding.Liveness{At: &when}, Key: &finding.Key{CreatedAt: &when}, Outcome: &finding.Outcome{At: &when}}
		r := finding.Report{Run: finding.Run{Started: when}, Findings: []finding.Finding{f}, Summary: finding.Summary{Complete: true}}
		for _, format := range Formats() {
			if err := Write(format.Name, io.Discard, r, Options{}); err != nil {
				t.Errorf("%s, %v: %v", format.Name, sec, err)
			}
		}
		if f.Locations[0].Date != &when {
			t.Error("the writers changed the report")
		}
	}
}
