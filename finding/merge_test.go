package finding_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
)

// A maker makes reports from a small world, so that they have much in common.
type maker struct{ *rand.Rand }

func pick[T any](m maker, from ...T) T { return from[m.IntN(len(from))] }

func (m maker) when() *time.Time {
	if m.IntN(3) == 0 {
		return nil
	}
	t := time.Date(2026, 11, 1+m.IntN(3), 0, 0, 0, 0, time.UTC)
	return &t
}

func (m maker) location(target string) finding.Location {
	l := finding.Location{Target: target, Path: pick(m, "a.py", "b/c.py", "x.zip"), Line: m.IntN(3), Snippet: pick(m, "", "k = ****"),
		Exposure: pick(m, finding.Committed, finding.Plain, finding.Ignored), Readable: m.IntN(4) == 0}
	if m.IntN(2) == 0 {
		l.Commit, l.Blob, l.Date, l.AtHead = pick(m, "c1", "c2"), pick(m, "b1", "b2"), m.when(), m.IntN(2) == 0
	}
	if l.Path == "x.zip" {
		l.Member, l.Decoded = "m", pick(m, nil, []string{"base64"})
	}
	return l
}

func (m maker) finding(targets []string) finding.Finding {
	n := m.IntN(4)
	f := finding.Finding{Rule: pick(m, "leaked-key", "leaked-key-live"), Severity: finding.Severity(m.IntN(5)), Confidence: finding.Confidence(m.IntN(3)),
		Format: finding.B10, Prefix: fmt.Sprint("b10_prefix0", n), Fingerprint: fmt.Sprint("key", n), Message: pick(m, "x", "y"), Advice: pick(m, "", "z"),
		Exposure: pick(m, finding.Committed, finding.Plain), Baseline: pick(m, "", "new", "unchanged")}
	if n == 0 {
		f.Rule, f.Format, f.Prefix = "trussrc-readable", "", ""
	}
	for range 1 + m.IntN(3) {
		f.Locations = append(f.Locations, m.location(pick(m, targets...)))
	}
	if m.IntN(2) == 0 {
		f.Liveness = &finding.Liveness{State: pick(m, finding.Unchecked, finding.Live, finding.Dead), At: m.when()}
		f.Key = pick(m, nil, &finding.Key{Name: pick(m, "ci", "dev")})
	}
	if m.IntN(3) == 0 {
		f.Suppression = &finding.Suppression{Kind: "config", Reason: pick(m, "r", "s")}
	}
	if m.IntN(4) == 0 {
		f.Outcome = &finding.Outcome{State: pick(m, "revoked", "failed"), At: m.when()}
	}
	return f
}

// counts is a summary of what the report of one target, or a target of several, counts.
func (m maker) counts() finding.Summary {
	s := finding.Summary{Complete: m.IntN(2) == 0, Files: m.Int64N(9), Objects: m.Int64N(9), Bytes: m.Int64N(99), BelowConfidence: m.IntN(3), Interrupted: m.IntN(5) == 0}
	for range m.IntN(3) {
		s.Coverage = append(s.Coverage, finding.Coverage{Repository: pick(m, "r", "s"), Scope: pick(m, "", "A..B"), FilesOnly: m.IntN(3) == 0, Packs: m.IntN(3),
			Missing: pick(m, nil, []string{"o1"}, []string{"o2"}), Kinds: pick(m, nil, map[string]finding.ObjectCount{"blob": {Seen: m.IntN(4)}}),
			Submodules: pick(m, nil, []finding.Submodule{{Path: "sub", State: pick(m, "scanned", "not initialised")}})})
	}
	return s
}

// report makes a report of an older version, of one target, or of several.
func (m maker) report() finding.Report {
	names := [][]string{{"A"}, {"B"}, {"A", "B"}, {"B", "C"}}[m.IntN(4)]
	r := finding.Report{Run: finding.Run{Tool: finding.Tool{Name: "b10lint", Version: pick(m, "1", "2")}, Command: "scan", Targets: names,
		Started: time.Date(2026, 11, 1, m.IntN(4), 0, 0, 0, time.UTC)}, Summary: m.counts()}
	of := []string{""}
	if len(names) > 1 || m.IntN(2) == 0 {
		for _, n := range names {
			r.Targets = append(r.Targets, finding.Target{Name: n, Kind: finding.GitTarget, Revision: pick(m, "", "c1")})
		}
	}
	if len(r.Targets) > 1 {
		of = names
		complete := r.Summary.Complete
		for i := range r.Targets {
			r.Targets[i].Summary = m.counts()
			complete = complete && r.Targets[i].Summary.Complete
		}
		r.Summary = finding.Summary{Complete: complete}
	} else {
		r.Summary.Suppressed = m.IntN(3)
	}
	r.Summary.Elapsed = time.Duration(m.IntN(9)) * time.Second
	for range m.IntN(4) {
		r.Findings = append(r.Findings, m.finding(of))
		r.Problems = append(r.Problems, finding.Problem{Target: pick(m, of...), Path: pick(m, "", "a.py"), Error: pick(m, "e", "f"), Warning: m.IntN(2) == 0})
	}
	if m.IntN(3) == 0 {
		f := m.finding(of)
		f.Suppression = nil
		r.Summary.Resolved = append(r.Summary.Resolved, f)
		r.Summary.Inventory = []finding.InventoryKey{{Prefix: pick(m, "p", "q"), LeakedAt: m.when()}}
		r.Summary.Sources = []finding.Source{{Name: "users", State: pick(m, "read", "denied")}}
	}
	return r
}

func same(t *testing.T, law string, seed int, a, b finding.Report) {
	t.Helper()
	if diff := cmp.Diff(a, b, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("seed %d: %s (-left +right):\n%s", seed, law, diff)
	}
}

// through writes a report in a format and reads it back.
func through(t *testing.T, format string, r finding.Report) finding.Report {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(format, &b, r, report.Options{}); err != nil {
		t.Fatal(err)
	}
	back, err := report.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// derived is what convert does with several reports.
func derived(reports ...finding.Report) finding.Report {
	r := finding.Merge(reports...)
	rules.Derive(&r)
	return r
}

func TestMergeLaws(t *testing.T) {
	for name, merge := range map[string]func(...finding.Report) finding.Report{"merged": finding.Merge, "merged and derived": derived} {
		t.Run(name, func(t *testing.T) {
			for seed := range 100 {
				m := maker{rand.New(rand.NewPCG(uint64(seed), 1))}
				a, b, c := m.report(), m.report(), m.report()
				ab := merge(a, b)
				same(t, "a∨b = b∨a", seed, ab, merge(b, a))
				same(t, "(a∨b)∨c = a∨(b∨c)", seed, merge(ab, c), merge(a, merge(b, c)))
				same(t, "(a∨b)∨c = a∨b∨c", seed, merge(ab, c), merge(a, b, c))
				same(t, "a∨a = a", seed, merge(a, a), merge(a))
				same(t, "(a∨b)∨a = a∨b", seed, merge(ab, a), ab)
				same(t, "∨(a∨b) = a∨b", seed, merge(ab), ab)
				for _, format := range []string{"json", "jsonl"} {
					same(t, format+" keeps a merged report", seed, through(t, format, ab), ab)
					same(t, format+" keeps what is merged", seed, merge(through(t, format, a), through(t, format, b)), ab)
				}
			}
		})
	}
}
