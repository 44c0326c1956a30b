package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testRules is a catalogue for reports that are read back in tests.
func testRules() []finding.Rule {
	rule := func(id, title string, s finding.Severity) finding.Rule {
		return finding.Rule{ID: id, Title: title, Severity: s, Tags: []string{"leak", "external/cwe/cwe-798"},
			Text: "Whoever can read the place can use the **key**.", Remedy: "Revoke the key, then remove it."}
	}
	return []finding.Rule{
		rule("leaked-key", "A Baseten API key where it should not be", finding.High),
		rule("leaked-key-live", "A Baseten API key that still works", finding.Critical),
		rule("leaked-key-dead", "A revoked Baseten API key", finding.Low),
		rule("key-unused", "A key that nobody uses", finding.Medium),
		rule("key-unnamed", "A key without a name", finding.Info),
	}
}

func fixtures(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// convert reads a report and writes it in a format.
func convert(t testing.TB, in []byte, format string, opts Options) []byte {
	t.Helper()
	r, err := Read(bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	return written(t, r, format, opts)
}

func written(t testing.TB, r finding.Report, format string, opts Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(format, &b, r, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(read(t, name)), string(got)); diff != "" {
		t.Errorf("%s differs; go test ./report -update rewrites it (-golden +got):\n%s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	vcs := &VCS{URI: "https://user:pass@git.example/acme/app.git?x=1", Revision: "0123456789abcdef0123456789abcdef01234567", Branch: "main"}
	variants := []struct {
		suffix, format string
		opts           Options
	}{
		{"text", "text", Options{}},
		{"verbose.text", "text", Options{Verbose: true}},
		{"quiet.text", "text", Options{Quiet: true, Width: 60}},
		{"color60.text", "text", Options{Color: true, Width: 60}},
		{"json", "json", Options{}},
		{"jsonl", "jsonl", Options{}},
		{"sarif", "sarif", Options{Roots: map[string]Root{"": {VCS: vcs}}}},
		{"github", "github", Options{}},
		{"summary.md", "summary", Options{}},
		{"gitlab", "gitlab", Options{}},
		{"junit.xml", "junit", Options{}},
		{"html", "html", Options{}},
	}
	for _, fixture := range fixtures(t) {
		base := strings.TrimSuffix(fixture, ".json")
		in := read(t, fixture)
		for _, v := range variants {
			t.Run(filepath.Base(base)+"/"+v.suffix, func(t *testing.T) {
				v.opts.Rules = testRules()
				if v.format == "sarif" && filepath.Base(base) == "targets" {
					models := *vcs
					models.URI = "https://git.example/acme/models.git"
					v.opts.Roots = map[string]Root{"git.example/acme/app": {VCS: vcs}, "git.example/acme/models": {VCS: &models}}
				}
				got := convert(t, in, v.format, v.opts)
				golden(t, base+"."+v.suffix, got)
				if again := convert(t, in, v.format, v.opts); !bytes.Equal(got, again) {
					t.Error("the same report gave different bytes")
				}
			})
		}
	}
}

// The two JSON formats hold the same: each converts to the other and back.
func TestRoundTrip(t *testing.T) {
	for _, fixture := range fixtures(t) {
		in := read(t, fixture)
		back := convert(t, convert(t, in, "jsonl", Options{}), "json", Options{})
		if diff := cmp.Diff(string(in), string(back)); diff != "" {
			t.Errorf("%s: json → jsonl → json (-in +back):\n%s", fixture, diff)
		}
	}
}
