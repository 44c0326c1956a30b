package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
)

func newTest(t *testing.T, text string, b *Baseline) *Suppressor {
	t.Helper()
	c, err := Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return NewSuppressor(SuppressOptions{
		Config: c, Baseline: b, Today: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Unused: true,
		Path: func(l finding.Location) string { return l.Path },
	})
}

func leaked(places ...finding.Location) finding.Finding {
	return finding.Finding{Rule: "leaked-key", Prefix: "b10_abcdefgh", Fingerprint: "0123456789abcdef0123456789abcdef", Locations: places,
		Liveness: &finding.Liveness{State: finding.Unchecked}}
}

func at(path string) finding.Location { return finding.Location{Path: path, Line: 3} }

func allowed(path, reason string) finding.Location {
	l := at(path)
	l.Allow = &reason
	return l
}

func old(path string) finding.Location {
	return finding.Location{Path: path, Line: 9, Blob: "0", Object: "blob", Commit: "1"}
}

func TestSuppress(t *testing.T) {
	const entry = "accept:\n- {fingerprint: 0123456789abcdef, reason: known"
	for _, c := range []struct {
		name, config string
		f            finding.Finding
		kind         string
		leftover     []string
	}{
		{"nothing", "", leaked(at("a")), "", nil},
		{"fingerprint", entry + "}", leaked(at("a"), at("b"), old("c")), "config", nil},
		{"prefix", "accept:\n- {prefix: b10_abcdefgh, reason: x}", leaked(at("a")), "config", nil},
		{"another prefix", "accept:\n- {prefix: b10_abcdefg, reason: x}", leaked(at("a")), "", []string{ruleUnused}},
		{"until today", entry + ", until: 2026-11-21}", leaked(at("a")), "config", nil},
		{"expired", entry + ", until: 2026-11-20}", leaked(at("a")), "", []string{ruleExpired}},
		{"path", entry + ", path: tests/**}", leaked(at("tests/x/y")), "config", nil},
		{"folder", entry + ", path: tests/x}", leaked(at("tests/x/y")), "config", nil},
		{"name", entry + ", path: '*.py'}", leaked(at("deep/x.py")), "config", nil},
		{"another path", entry + ", path: tests/**}", leaked(at("src/y")), "", []string{ruleUnused}},
		{"one place of two", entry + ", path: tests/**}", leaked(at("tests/x"), at("src/y")), "", nil},
		{"two entries, two places", entry + ", path: tests/**}\n- {prefix: b10_abcdefgh, reason: x, path: src/y}", leaked(at("tests/x"), at("src/y")), "config", nil},
		{"inline", "", leaked(allowed("a", "why")), "inline", nil},
		{"inline and elsewhere", "", leaked(allowed("a", "why"), at("b")), "", nil},
		{"inline and config", entry + ", path: b}", leaked(allowed("a", "why"), at("b")), "inline", nil},
		{"inline off", "inline: false", leaked(allowed("a", "why")), "", nil},
		{"inline without reason", "", leaked(allowed("a", "")), "", []string{ruleWithoutReason}},
		{"inline, older versions", "", leaked(allowed("a", "why"), old("a")), "inline", nil},
		{"inline, older versions elsewhere", "", leaked(allowed("a", "why"), old("b")), "", nil},
		{"inline once of twice", "", leaked(allowed("a", "why"), at("a"), old("a")), "", nil},
		{"no place", entry + "}", leaked(), "config", nil},
		{"no place, but a path", entry + ", path: a}", leaked(), "", []string{ruleUnused}},
	} {
		s := newTest(t, c.config, nil)
		got := ""
		if by := s.Suppress(c.f); by != nil {
			got = by.Kind
			if by.Reason == "" {
				t.Errorf("%s: no reason", c.name)
			}
		}
		if got != c.kind {
			t.Errorf("%s: %q, want %q", c.name, got, c.kind)
		}
		var rules []string
		for _, f := range s.Leftover(nil) {
			rules = append(rules, f.Rule)
			if f.Message == "" || f.Fingerprint == "" || len(f.Locations) != 1 || f.Locations[0].Line == 0 {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if d := cmp.Diff(c.leftover, rules); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// What works is reported whatever was accepted, and the entry is not called unused.
func TestLiveKeysAreNotSuppressed(t *testing.T) {
	for state, want := range map[finding.LiveState]bool{finding.Live: false, finding.Restricted: false, finding.Dead: true, finding.Unknown: true} {
		for _, places := range [][]finding.Location{{at("a")}, {allowed("a", "why")}, nil} {
			s := newTest(t, "accept:\n- {prefix: b10_abcdefgh, reason: x}", nil)
			f := leaked(places...)
			f.Liveness.State = state
			if got := s.Suppress(f) != nil; got != want || len(s.Leftover(nil)) != 0 {
				t.Errorf("%s: suppressed %v, leftover %v", state, got, s.Leftover(nil))
			}
		}
	}
}

func TestBaseline(t *testing.T) {
	entry := BaselineEntry{Reason: "was there", Added: "2026-11-21", Owner: "me"}
	b := &Baseline{File: "b.json"}
	other := leaked(at("x"))
	other.Fingerprint = "ffff456789abcdef0123456789abcdef"
	if u := b.Merge([]finding.Finding{leaked(at("a")), other}, entry, false, nil); u != (Update{Added: 2}) {
		t.Errorf("%+v", u)
	}
	b.Entries[0].Reason = "told by hand"
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = ParseBaseline("b.json", data); err != nil {
		t.Fatal(err)
	}
	s := newTest(t, "", b)
	if by := s.Suppress(leaked(at("anywhere"), old("else"))); by == nil || by.Kind != "baseline" || by.Reason != "told by hand" || by.Where != "b.json" {
		t.Errorf("%+v", by)
	}
	if l := s.Leftover(nil); len(l) != 1 || l[0].Rule != ruleUnused {
		t.Errorf("%+v", l)
	}
	if u := b.Merge([]finding.Finding{leaked(at("a"))}, entry, false, nil); u != (Update{Kept: 1, Gone: 1}) {
		t.Errorf("%+v", u)
	}
	if u := b.Merge([]finding.Finding{leaked(at("a"))}, entry, true, func(string) bool { return true }); u != (Update{Kept: 1, Dropped: 1}) || b.Entries[0].Reason != "told by hand" {
		t.Errorf("%+v %+v", u, b)
	}
}

func TestBaselineMistakes(t *testing.T) {
	const head = `{"schema":"b10lint-baseline/v1","accepted":[`
	good := `{"fingerprint":"0123456789abcdef","rule":"leaked-key","reason":"x","added":"2026-11-21"}`
	for _, bad := range []string{
		"", "[]", `{"schema":"b10lint/v1","accepted":[]}`, head, head + "{}]}", head + good + "]}x", head + good + "," + good + "]}",
		head + `{"fingerprint":"0123456789abcdef","rule":"leaked-key","reason":" ","added":"2026-11-21"}]}`,
		head + `{"fingerprint":"0123456789abcdef","rule":"leaked-key","reason":"x","added":"soon"}]}`,
		head + `{"fingerprint":"0123456789ABCDEF","rule":"leaked-key","reason":"x","added":"2026-11-21"}]}`,
		head + `{"fingerprint":"0123456789abcdef","rule":"leaked-key","reason":"x","added":"2026-11-21","extra":1}]}`,
	} {
		if _, err := ParseBaseline("f", []byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if _, err := ParseBaseline("f", []byte(head+good+"]}\n")); err != nil {
		t.Error(err)
	}
}
