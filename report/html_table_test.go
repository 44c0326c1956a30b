package report

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

func TestRollups(t *testing.T) {
	key := func(team, owner string) *finding.Key { return &finding.Key{Team: team, Owner: owner} }
	f := func(prefix, rule string, sure finding.Confidence, k *finding.Key) finding.Finding {
		return finding.Finding{Prefix: prefix, Rule: rule, Confidence: sure, Key: k, Severity: finding.Medium}
	}
	r := finding.Report{Findings: []finding.Finding{
		f("a", "key-never-used", finding.HighConfidence, key("it's", "")), f("a", "key-old", finding.HighConfidence, key("it's", "")),
		f("b", "key-unused", finding.LowConfidence, key("it's", "")), f("c", "key-old", finding.HighConfidence, key("", "dev\u202e@example.com")),
		f("d", "key-never-used", finding.HighConfidence, key("", "dev\u202e@example.com")),
	}}
	var got []string
	for _, roll := range rollups(r) {
		for _, g := range roll.Rows {
			got = append(got, strings.Join([]string{roll.Column, g.Label, thousands(int64(g.Keys)), thousands(int64(g.N)), thousands(int64(g.Gone)), g.Command}, "|"))
		}
	}
	want := []string{
		"Rule|key-never-used|2|2|2|b10lint revoke --from audit.json --rule key-never-used",
		"Rule|key-old|2|2|0|",
		"Rule|key-unused|1|1|0|", // not sure
		`Team|it's|2|3|1|b10lint revoke --from audit.json --rule key-never-used --rule key-unused --team 'it'\''s'`,
		`Owner|dev\u202e@example.com|2|2|1|`, // no command can name them in letters that are shown
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", -1234567: "-1,234,567", -999: "-999"} {
		if got := commas(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestTokensByDay(t *testing.T) {
	day := func(date string, tokens int64, late bool) finding.DailyUse {
		return finding.DailyUse{Date: date, InputTokens: tokens, OutputTokens: tokens, AfterLeak: late}
	}
	d := tokensByDay([]finding.DailyUse{day("2026-11-01", 10, false), day("2026-11-01", 10, false), day("2026-11-04", 100, true)})
	if d == nil || d.Width != 24 || len(d.Bars) != 2 || d.Bars[0].H != 14 || d.Bars[1].X != 18 || !d.Bars[1].Late || !strings.Contains(d.Words, "on 2026-11-04") {
		t.Errorf("%+v", d)
	}
	for _, none := range [][]finding.DailyUse{nil, {day("2026-11-01", 5, false)}, {day("x", 5, false), day("2026-11-01", 5, false)}, {day("2026-11-01", 0, false), day("2026-11-02", 0, false)}} {
		if got := tokensByDay(none); got != nil {
			t.Errorf("%+v: %+v", none, got)
		}
	}
	// A date far in the future, from a report that anyone can write, costs no time.
	if got := tokensByDay([]finding.DailyUse{day("0001-01-01", 5, false), day("9999-01-01", 5, false)}); len(got.Bars) != 1 {
		t.Errorf("%d bars", len(got.Bars))
	}
}
