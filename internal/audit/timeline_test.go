package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

// One story, in order, of a key that was made, used, leaked, misused and revoked.
func TestTimeline(t *testing.T) {
	const prefix = "b10_Test0001"
	e := evidence()
	e.History[prefix] = baseten.KeyHistory{Type: "PERSONAL", Created: at(ago(90)), CreatedBy: "dev@example.com", Source: "UI",
		Gone: true, Deleted: at(ago(1)), DeletedBy: "admin@example.com"}
	use(e, prefix, "small", 80, 3)
	use(e, prefix, "large", 10, 500)
	use(e, "b10_Other001", "large", 9, 1)
	act(e, prefix, "MODEL_DEPLOYED", 5)
	act(e, "b10_Other001", "MODEL_DEPLOYED", 4)
	leaked, again := ago(20), ago(15)
	tl := audit.Timeline(e, prefix, []audit.Leak{leak(prefix, "leaked-key",
		finding.Location{Path: "b.py", Commit: "c2", Date: &again, Exposure: finding.Committed, AtHead: true, Author: "Dev"},
		finding.Location{Path: "a.py", Commit: "c1", Date: &leaked, Exposure: finding.Committed, Refs: []string{"main"}, RemovedIn: "c3"},
		finding.Location{Path: "x.env", Exposure: finding.Plain})})
	var story []string
	for _, e := range tl.Events {
		story = append(story, e.At.Format("01-02")+" "+e.Kind+" "+e.From)
	}
	want := []string{"12-01 created audit-log", "12-11 first-use usage", "02-09 committed scan.json", "02-14 committed scan.json",
		"02-19 sign usage", "02-19 last-use usage", "02-24 action audit-log", "02-28 revoked audit-log"}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
	if tl.State != finding.Dead || tl.Leaked == nil || !tl.Leaked.Equal(leaked) || tl.Key.RevokedBy != "admin@example.com" {
		t.Errorf("got %+v", tl)
	}
	if len(tl.Usage) != 2 || tl.Usage[0].AfterLeak || !tl.Usage[1].AfterLeak || tl.Usage[1].Model != "large" {
		t.Errorf("usage: %+v", tl.Usage)
	}
	if text := tl.Events[4].Text; text != "called model large, which it never called before the leak" || tl.Events[6].Power != "deployments" {
		t.Errorf("%q, %+v", text, tl.Events[6])
	}
	unknown := strings.Join(tl.Unknown, "\n")
	for _, w := range []string{"x.env", "c3", "dedicated deployments", "before 2026-11-30", "whether it was used with another program",
		"calls of Model APIs are known of 0 of the 28 days before the leak"} {
		if !strings.Contains(unknown, w) {
			t.Errorf("%q is missing from what is not known:\n%s", w, unknown)
		}
	}
}

func TestTimelineOfALiveKey(t *testing.T) {
	e := evidence(key(nil))
	deny(e, baseten.SourceUsage)
	tl := audit.Timeline(e, "b10_Test0001", nil)
	if tl.State != finding.Live || len(tl.Events) != 2 || tl.Events[1].Kind != "last-use" || tl.Leaked != nil {
		t.Errorf("got %+v", tl)
	}
	if unknown := strings.Join(tl.Unknown, "\n"); !strings.Contains(unknown, "model-api-usage could not be read") || !strings.Contains(unknown, "when it leaked") {
		t.Errorf("not known: %s", unknown)
	}
	none := audit.Timeline(e, "b10_Nobody01", nil)
	if len(none.Events) != 0 || none.State != finding.Unknown || !strings.Contains(strings.Join(none.Unknown, "\n"), "whether the key exists") {
		t.Errorf("got %+v", none)
	}
}

// What the list tells is compared with an earlier report's list, nothing weaker.
func TestLastUses(t *testing.T) {
	used, made := ago(80), ago(90)
	k := func(prefix, basis string, never bool) finding.InventoryKey {
		out := finding.InventoryKey{Prefix: prefix}
		out.CreatedAt, out.LastUsedBasis, out.NeverUsed = &made, basis, never
		if basis != "" {
			out.LastUsedAt = &used
		}
		return out
	}
	e := audit.LastUses(ago(30), []finding.InventoryKey{k("listed", "list", false), k("usage", "usage", false), k("never", "", true), k("none", "", false)})
	if diff := cmp.Diff(map[string]time.Time{"listed": used, "never": made}, e.LastUsed); diff != "" {
		t.Error(diff)
	}
}
