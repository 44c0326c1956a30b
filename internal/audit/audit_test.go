package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/config"
)

func TestRulesHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range audit.Rules() {
		if seen[r.ID] || r.Title == "" || len(r.Text) < 80 || r.Remedy == "" || len(r.Tags) == 0 || !strings.HasPrefix(r.ID, "key-") {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
	if len(seen) != 13 {
		t.Errorf("%d rules", len(seen))
	}
}

func TestGoodKeyHasNoFinding(t *testing.T) {
	res := judge(evidence(key(nil)))
	if len(res.Findings)+len(res.Problems) != 0 || len(res.Inventory) != 1 {
		t.Errorf("got %+v", res)
	}
}

// The worst key comes first, and its worst finding first of all.
func TestOrderByRisk(t *testing.T) {
	e := evidence(
		key(func(k *baseten.Key) { k.Name = "" }),
		key(func(k *baseten.Key) { k.Prefix, k.Name, k.LastUsedAt = "b10_Test0002", "", null() }),
		key(func(k *baseten.Key) { k.Prefix, k.Name, k.Type = "b10_Test0003", "", baseten.WorkspaceManageAll }),
		key(func(k *baseten.Key) { k.Prefix, k.Name = "b10_Test0004", "fine" }))
	var order []string
	for _, f := range judge(e, leak("b10_Test0001", "leaked-key", finding.Location{Path: "a"})).Findings {
		order = append(order, f.Prefix[8:]+" "+f.Rule)
	}
	want := []string{"0001 key-leaked", "0001 key-unnamed", "0002 key-never-used", "0002 key-unnamed", "0003 key-unnamed"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestPolicySettings(t *testing.T) {
	p := audit.DefaultPolicy()
	p.Severity = map[string]finding.Severity{"key-unnamed": finding.High}
	p.Off = []string{"key-legacy-format"}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	e := evidence(key(func(k *baseten.Key) { k.Prefix, k.Name = "Test0001", "" }))
	res := audit.Judge(e, nil, audit.Earlier{}, p)
	if f := got(res, "key-unnamed"); f == nil || f.Severity != finding.High || got(res, "key-legacy-format") != nil {
		t.Errorf("got %+v", res.Findings)
	}
	p = audit.Policy{FewModels: -1, Severity: map[string]finding.Severity{"key-x": 0}, Off: []string{"key-y"},
		Exceptions: []config.Exception{{Name: "a", Reason: "r", Rules: []string{"key-z"}}}}
	err := p.Validate()
	for _, want := range []string{"threshold unused", "threshold recent", "must not be negative", "key-x", "key-y", "exception name a rules key-z"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from: %v", want, err)
		}
	}
}

func TestExceptions(t *testing.T) {
	run := func(leaks []audit.Leak, list ...config.Exception) audit.Result {
		p := audit.DefaultPolicy()
		for i := range list {
			list[i].Reason = "because"
		}
		p.Exceptions = list
		e := evidence(key(func(k *baseten.Key) { k.Prefix, k.Name, k.CreatedAt = "Test0001", "demo-7", at(ago(200)) })) // legacy, old
		return audit.Judge(e, leaks, audit.Earlier{}, p)
	}
	today := now.Truncate(audit.Day)
	for _, c := range []struct {
		name       string
		list       []config.Exception
		suppressed int
		problems   string
	}{
		{"none", nil, 0, ""},
		{"by prefix, any rule", []config.Exception{{Prefix: "Test0001"}}, 2, ""},
		{"by name", []config.Exception{{Name: "demo-*"}}, 2, ""},
		{"one rule", []config.Exception{{Name: "demo-*", Rules: []string{"key-old"}}}, 1, ""},
		{"both have to match", []config.Exception{{Name: "demo-*", Prefix: "Other001", Owner: "eve"}}, 0, "matched nothing (owner eve)"},
		{"until today", []config.Exception{{Prefix: "Test0001", Until: today}}, 2, ""},
		{"until yesterday", []config.Exception{{Prefix: "Test0001", Until: today.Add(-audit.Day)}}, 0, "expired on 2027-02-28"},
		{"unmatched", []config.Exception{{Name: "nobody", Where: "c.yaml:3"}}, 0, "matched nothing"},
		{"of a rule without a finding", []config.Exception{{Prefix: "Test0001", Rules: []string{"key-unused"}}}, 0, "matched nothing"},
	} {
		res := run(nil, c.list...)
		var text []string
		for _, p := range res.Problems {
			text = append(text, p.Error)
			if !p.Warning {
				t.Errorf("%s: makes the audit incomplete", c.name)
			}
		}
		joined := strings.Join(text, "; ")
		if res.Suppressed != c.suppressed || len(res.Findings) != 2-c.suppressed || !strings.Contains(joined, c.problems) || (joined != "") != (c.problems != "") {
			t.Errorf("%s: %d suppressed, %d findings, problems %q", c.name, res.Suppressed, len(res.Findings), joined)
		}
	}
	leaks := []audit.Leak{leak("Test0001", "leaked-key", finding.Location{Path: "a"})}
	if res := run(leaks, config.Exception{Prefix: "Test0001"}); got(res, "key-leaked") == nil {
		t.Error("an exception without a rule covered a leak")
	}
	if res := run(leaks, config.Exception{Prefix: "Test0001", Rules: []string{"key-leaked"}}); got(res, "key-leaked") != nil {
		t.Error("an exception that names key-leaked did not cover it")
	}
}

func TestCompare(t *testing.T) {
	f := func(p string) finding.Finding { return finding.Finding{Fingerprint: p} }
	gone := f("z")
	gone.Baseline = audit.Resolved
	now := []finding.Finding{f("a"), f("b"), f("z")}
	resolved := audit.Compare(now, []finding.Finding{f("b"), f("c"), f("c"), gone})
	var states []string
	for _, f := range append(now, resolved...) {
		states = append(states, f.Fingerprint+" "+f.Baseline)
	}
	if diff := cmp.Diff([]string{"a new", "b unchanged", "z new", "c resolved"}, states); diff != "" {
		t.Error(diff)
	}
}

func TestDeniedSourcesAreSaid(t *testing.T) {
	for _, name := range audit.Sources() {
		e := evidence(key(nil))
		deny(e, name)
		res := judge(e)
		i := slices.IndexFunc(res.Sources, func(s finding.Source) bool { return s.Name == string(name) })
		if res.Sources[i].State == "read" || res.Sources[i].Detail == "" {
			t.Errorf("%s: the report does not say what is not known: %+v", name, res.Sources[i])
		}
		if name == baseten.SourceGateway {
			if len(res.Problems) != 0 {
				t.Errorf("a workspace without the gateway is warned: %+v", res.Problems)
			}
			continue
		}
		if len(res.Problems) != 1 || res.Problems[0].Warning != (name != baseten.SourceKeys) || res.Problems[0].Hint == "" {
			t.Errorf("%s: %+v", name, res.Problems)
		}
		fail(e, name)
		if res := judge(e); len(res.Problems) != 1 || res.Problems[0].Warning {
			t.Errorf("%s failing: %+v", name, res.Problems)
		}
	}
}

func TestLeakedElsewhere(t *testing.T) {
	e := evidence(key(nil))
	e.History["b10_Gone0001"] = baseten.KeyHistory{Gone: true}
	res := judge(e, leak("b10_Gone0001", "leaked-key", finding.Location{}), leak("b10_Else0001", "leaked-key", finding.Location{}),
		leak("b10_Else0001", "leaked-key", finding.Location{}))
	if len(res.Problems) != 1 || !res.Problems[0].Warning || !strings.Contains(res.Problems[0].Error, "not among these keys: b10_Else0001") {
		t.Errorf("got %+v", res.Problems)
	}
}
