package baseten_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// TestLastUses: the latest word of any source counts, the list's where it is as
// late, and what each source says by itself stays to be seen.
func TestLastUses(t *testing.T) {
	day := func(n int) time.Time { return basetentest.Noon.Truncate(24*time.Hour).AddDate(0, 0, -n) }
	at := func(t time.Time) baseten.Time { return baseten.Time{Time: t} }
	var null baseten.Time
	if err := json.Unmarshal([]byte("null"), &null); err != nil {
		t.Fatal(err)
	}
	called := func(prefix string, n int) baseten.UsageBucket {
		return baseten.UsageBucket{StartTime: at(day(n)), EndTime: at(day(n - 1)),
			Results: []baseten.Usage{{APIKeyPrefix: prefix, RequestCount: 2}, {APIKeyPrefix: "idle", RequestCount: 0}}}
	}
	acted := func(prefix string, n int) baseten.AuditEntry {
		return baseten.AuditEntry{Created: at(day(n)), Actor: baseten.AuditActor{APIKeyPrefix: prefix}}
	}
	inv := &baseten.Inventory{At: basetentest.Noon,
		Keys: []baseten.Key{
			{Prefix: "listed", LastUsedAt: at(day(4).Add(time.Hour))}, {Prefix: "late", LastUsedAt: at(day(9))},
			{Prefix: "never", LastUsedAt: null}, {Prefix: "liar", LastUsedAt: null},
			{Prefix: "acting"}, {Prefix: "idle", CreatedAt: at(day(200))}, {Prefix: "young", CreatedAt: at(day(3))},
			{Prefix: "sky", Type: baseten.Federated}},
		Usage:   []baseten.UsageBucket{called("late", 8), called("liar", 7), called("acting", 6), called("late", 5), called("listed", 4)},
		Actions: []baseten.AuditEntry{acted("acting", 2), acted("acting", 3)},
		Sources: []baseten.SourceState{{Name: baseten.SourceUsage, Since: day(90)}},
	}
	type last struct {
		At, Until time.Time
		Basis     string
		Never     bool
		NoneSince time.Time
	}
	want := map[string]last{
		"listed": {At: day(4).Add(time.Hour), Until: day(4).Add(time.Hour), Basis: baseten.FromList},
		"late":   {At: day(5), Until: day(4), Basis: baseten.FromUsage},
		"never":  {Never: true},
		"liar":   {At: day(7), Until: day(6), Basis: baseten.FromUsage},
		"acting": {At: day(2), Until: day(2), Basis: baseten.FromLog},
		"idle":   {NoneSince: day(90)},
		"young":  {NoneSince: day(3)},
		"sky":    {},
	}
	got := map[string]last{}
	uses := inv.LastUses(inv.Keys)
	for prefix, u := range uses {
		got[prefix] = last{u.At, u.Until, u.Basis, u.Never, u.NoneSince}
		if u.Exact() != (prefix == "listed") {
			t.Errorf("%s: exact is %v", prefix, u.Exact())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if u := uses["liar"]; !u.Listed.Null() || !u.Called.Equal(day(7)) || !u.CalledUntil.Equal(day(6)) || !u.Acted.IsZero() {
		t.Errorf("what the sources say by themselves is lost: %+v", u)
	}
	if u := uses["acting"]; !u.Called.Equal(day(6)) || !u.Acted.Equal(day(2)) {
		t.Errorf("what the sources say by themselves is lost: %+v", u)
	}
}

// TestUnlisted: a list that lacks the credential's own key, or one that was used this
// week and not deleted, is only a part.
func TestUnlisted(t *testing.T) {
	w := basetentest.NewWorld(t)
	lately, before := basetentest.Noon.Add(-time.Hour), basetentest.Noon.AddDate(0, 0, -8)
	add := func(name, owner string, used time.Time) string {
		k := w.Org.AddKey(basetentest.KeySpec{Name: name, Owner: owner, CreatedBy: "admin@example.com", Created: basetentest.Noon.AddDate(0, -1, 0)})
		w.Org.AddUsage(k.Prefix(), "org/model", used, 3)
		return k.Prefix()
	}
	used, gone := add("used", "", lately), add("gone", "", lately)
	add("idle", "", before)
	if err := w.Org.DeleteKey(gone, "admin@example.com", basetentest.Noon); err != nil {
		t.Fatal(err)
	}
	gather := func() *baseten.Inventory {
		inv, err := baseten.Gather(context.Background(), w.Client, baseten.SourceKeys, baseten.SourceEvents, baseten.SourceActions, baseten.SourceUsage, baseten.SourceGateway)
		if err != nil {
			t.Fatal(err)
		}
		return inv
	}
	inv := gather()
	if got := inv.Unlisted(); len(got) != 0 {
		t.Errorf("a whole list lacks %q", got)
	}
	inv.Keys = nil
	want := []string{w.Admin.Prefix(), used}
	slices.Sort(want)
	if diff := cmp.Diff(want, inv.Unlisted()); diff != "" {
		t.Error(diff)
	}
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Forbidden, Path: "/v1/api_keys"})
	if got := gather().Unlisted(); got != nil {
		t.Errorf("a list that could not be read lacks %q", got)
	}
}

// TestAuditNames: an event says what it is about by the fields that hold names, and
// Descendants follows creations through keys that are gone, and round in circles.
func TestAuditNames(t *testing.T) {
	var d baseten.AuditData
	if err := json.Unmarshal([]byte(`{"event_type":"SECRET_UPDATED","secret_name":"db\u001b[31m","user_email":"a@example.com","model_id":"m","prefix":7}`), &d); err != nil {
		t.Fatal(err)
	}
	if want := "secret db"; !strings.HasPrefix(d.About, want) || !strings.HasSuffix(d.About, ", user a@example.com") || strings.Contains(d.About, "\x1b") {
		t.Errorf("%q", d.About)
	}
	by := func(prefix string, gone bool) baseten.KeyHistory {
		return baseten.KeyHistory{Creator: baseten.AuditActor{APIKeyPrefix: prefix}, Gone: gone}
	}
	inv := &baseten.Inventory{History: map[string]baseten.KeyHistory{"a": by("c", false), "b": by("a", true), "c": by("b", false), "d": by("x", false), "e": by("", false)}}
	if diff := cmp.Diff([]string{"c"}, inv.Descendants("a")); diff != "" {
		t.Error(diff)
	}
}
