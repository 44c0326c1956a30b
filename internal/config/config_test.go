package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

const whole = `# what b10lint should know
exclude: [vendor/**, '*.min.js']
include:
  - src
fail-on: high
min-confidence: low
inline: false
accept:
  - fingerprint: 0123456789ab
    path: tests/**
    reason: revoked in 2025
    owner: ml-platform
    until: 2027-01-31
  - prefix: b10_abcdEFGH
    reason: "placeholder of the docs"
audit:
  unused-after: 30d
  old-after: 365
  dormant-after: 90d
  severity: {key-old: low}
  off: [key-unnamed]
  exceptions:
    - name: ci-*
      rules: [key-unused]
      reason: once a quarter
      until: 2027-06-30
`

func TestParse(t *testing.T) {
	c, err := Parse("x.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	high, low := finding.High, finding.LowConfidence
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	const days = 24 * time.Hour
	want := &Config{
		File: "x.yaml", Exclude: []string{"vendor/**", "*.min.js"}, Include: []string{"src"}, FailOn: &high, MinConfidence: &low,
		Accept: []Accept{
			{Fingerprint: "0123456789ab", Path: "tests/**", Reason: "revoked in 2025", Owner: "ml-platform", Until: day("2027-01-31"), Where: "x.yaml:9"},
			{Prefix: "b10_abcdEFGH", Reason: "placeholder of the docs", Where: "x.yaml:14"},
		},
		Audit: Audit{
			UnusedAfter: 30 * days, OldAfter: 365 * days, DormantAfter: 90 * days,
			Severities: map[string]finding.Severity{"key-old": finding.Low}, Off: []string{"key-unnamed"},
			Exceptions: []Exception{{Name: "ci-*", Rules: []string{"key-unused"}, Reason: "once a quarter", Until: day("2027-06-30"), Where: "x.yaml:23"}},
		},
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
	for _, empty := range []string{"", "\n# nothing\n", "---\n", "~\n"} {
		if c, err := Parse("x", []byte(empty)); err != nil || !c.Inline {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"excludes: [a]", "f:1:1: the file has no setting \"excludes\""},
		{"exclude: a", "f:1:10: this must be a list"},
		{"exclude: [a, '[']", "f:1:14: bad glob"},
		{"exclude: ['a\\b']", "f:1:11: bad glob"},
		{"a: [", "f:1:1: not YAML"},
		{"- a", "f:1:1: the file must be a mapping"},
		{"inline: yes", "f:1:9: this must be true or false"},
		{"inline: true\ninline: false", "f:2:1: \"inline\" is there twice"},
		{"fail-on: bad", "f:1:10: severity \"bad\" is not one of"},
		{"fail-on:", "f:1:9: this must not be empty"},
		{"min-confidence: [low]", "f:1:17: this must be text, not a list"},
		{"accept:\n- prefix: abcdefgh", "f:2:3: an entry of accept needs a reason"},
		{"accept:\n- prefix: abcdefgh\n  reason: '  '", "f:3:11: this must not be empty"},
		{"accept:\n- reason: x", "f:2:3: an entry of accept needs a fingerprint or a prefix"},
		{"accept:\n- {reason: x, prefix: abcdefgh, fingerprint: 0123456789ab}", "f:2:3: an entry of accept needs"},
		{"accept:\n- {reason: x, fingerprint: 0123}", "f:2:28: a fingerprint is 12 or more"},
		{"accept:\n- {reason: x, prefix: abcdefgh, until: tomorrow}", "f:2:40: \"tomorrow\" is not a date"},
		{"accept:\n- {reason: x, prefix: abcdefgh, until: 2027-02-30}", "is not a date"},
		{"accept: [x]", "f:1:10: an entry of accept must be a mapping"},
		{"a: &a [x]\nexclude: *a", "f:2:10: this must be a list, not an alias"},
		{"exclude: []\n---\nexclude: []", "f:2:1: a second document begins here"},
		{"? [a]\n: b", "f:1:3: a name of a setting must be a word"},
		{"audit: {unused-after: 0}", "is not a number of days"},
		{"audit: {old-after: 99999999999999999999d}", "is not a number of days"},
		{"audit: {severity: {Key Old: low}}", "is not a rule"},
		{"audit: {exceptions: [{reason: x}]}", "an exception needs a prefix or a name"},
		{"audit: {exceptions: [{name: x}]}", "an exception needs a reason"},
		{"audit: {exceptions: [{name: '[', reason: x}]}", "bad glob"},
		{"exclude: [\xff]", "f: the file is not UTF-8"},
	} {
		_, err := Parse("f", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), "f:") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

// Whoever puts a whole key into the file must not see it printed.
func TestMistakesHideKeys(t *testing.T) {
	m := fakekey.New(50)
	for _, form := range []string{"KEY: x", "exclude: KEY", "fail-on: KEY", "accept:\n- {prefix: KEY, reason: x}", "accept:\n- {fingerprint: KEY, reason: x}",
		"accept:\n- {until: KEY, reason: x}", "audit: {off: [KEY]}", "audit: {old-after: KEY}", "accept:\n- KEY", "exclude: ['[KEY']", "min-confidence: KEY", "a: *KEY", "!KEY a"} {
		for _, key := range []string{m.B10(), m.Legacy(), m.Federated()} {
			_, err := Parse("f", []byte(strings.ReplaceAll(form, "KEY", key)))
			if err == nil {
				t.Fatalf("%s: no error", form)
			}
			half := key[strings.IndexByte(key, '.')+1:]
			for i := 0; i+8 <= len(half); i++ {
				if strings.Contains(err.Error(), half[i:i+8]) {
					t.Fatalf("%s: the error shows a part of the key", form)
				}
			}
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, Name)
	if _, err := Load(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(name, []byte("fail-on: low\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(name); err != nil || *c.FailOn != finding.Low {
		t.Errorf("%+v, %v", c, err)
	}
	if err := os.WriteFile(name, make([]byte, maxSize+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(name); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("large file: %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder was read")
	}
	if runtime.GOOS == "windows" {
		return
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("link: %v", err)
	}
}

func TestRoot(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(name, want string, repository bool) {
		t.Helper()
		got, is, err := Root(name)
		if err != nil || got != want || is != repository {
			t.Errorf("%s: %s %v %v, want %s", name, got, is, err, want)
		}
	}
	check(deep, deep, false)
	check(filepath.Join(deep, "file"), deep, false)
	// A linked work tree has a file in the place of the folder.
	if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	check(deep, dir, true)
	check(filepath.Join(deep, "not", "there"), dir, true)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("a: &a [*a, *a]\nexclude: *a"))                      // aliases of aliases
	f.Add([]byte(strings.Repeat("[", 2000)))                          // depth
	f.Add([]byte("<<: {exclude: [a]}\n!!binary exclude: [=]"))        // merge keys and tags
	f.Add([]byte("%YAML 9.9\n--- !!map\n? >-\n  exclude\n: [|\n a]")) // directives, block scalars
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f", data)
		if (c == nil) == (err == nil) {
			t.Fatal("neither a config nor an error")
		}
		if err == nil {
			for _, a := range c.Accept {
				if a.Reason == "" || (a.Prefix == "") == (a.Fingerprint == "") {
					t.Fatalf("%+v", a)
				}
			}
		}
	})
}

func FuzzParseBaseline(f *testing.F) {
	f.Add([]byte(`{"schema":"b10lint-baseline/v1","accepted":[{"fingerprint":"0123456789abcdef","rule":"leaked-key","reason":"x","added":"2026-11-21"}]}`))
	f.Add([]byte(`{"schema":"b10lint-baseline/v1","accepted":[{}]}`)) // an empty entry
	f.Add([]byte(`{"schema":"b10lint/v1"} x`))                        // a report
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBaseline("f", data)
		if err != nil {
			return
		}
		one, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseBaseline("f", one)
		if err != nil {
			t.Fatal(err)
		}
		if two, _ := again.Encode(); string(one) != string(two) {
			t.Fatal("a baseline changes when it is read and written")
		}
	})
}

// The example in docs/config.md is a whole file that is understood.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\nexclude:")
	example, _, found := strings.Cut("exclude:"+rest, "```")
	c, err := Parse("docs/config.md", []byte(example))
	if !found || err != nil || len(c.Accept) != 3 || len(c.Rules) != 2 || len(c.Audit.Exceptions) != 1 {
		t.Errorf("%v: %+v", err, c)
	}
}
