package revoke

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

var update = flag.Bool("update", false, "write golden files")

func prefixesOf(items []Item) (list []string) {
	for _, it := range items {
		list = append(list, it.Prefix)
	}
	return list
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestPlanText: one plan with a key of every sort, as people see it.
func TestPlanText(t *testing.T) {
	w := newWorld(t)
	dev := w.Org.AddUser("dev@example.com", "Dev", false)
	model := w.Org.AddModel("demo")
	used, recent := basetentest.Noon.AddDate(0, 0, -9), basetentest.Noon.Add(-90*time.Minute)
	leaked := w.add(basetentest.KeySpec{Name: "ci-deploy", Type: "WORKSPACE_MANAGE_ALL", LastUsed: &recent})
	personal := w.add(basetentest.KeySpec{Name: "laptop", Type: "PERSONAL", Owner: dev, LastUsed: &used})
	invoke := w.add(basetentest.KeySpec{Name: "app", Type: "WORKSPACE_INVOKE", ModelIDs: []string{model}})
	active := w.add(basetentest.KeySpec{Name: "busy", Type: "WORKSPACE_EXPORT_METRICS", LastUsed: &recent})
	gateway := w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
	gone := w.add(basetentest.KeySpec{Name: "old"})
	if err := w.Org.DeleteKey(gone.Prefix(), "admin@example.com", basetentest.Noon.AddDate(0, 0, -2)); err != nil {
		t.Fatal(err)
	}
	request := Request{Wanted: wanted(leaked, personal, gone, gateway)}
	for _, k := range []secret.Secret{invoke, active, w.Admin} {
		request.Wanted = append(request.Wanted, Wanted{Prefix: k.Prefix(), Proof: ByName})
	}
	request.Wanted = append(request.Wanted, Wanted{Prefix: "b10_notlisted"})
	request.Names = []string{"app", "nobody\x1b[31m"}
	p := w.plan(request)
	var text, data bytes.Buffer
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := p.WriteJSON(&data); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", strings.ReplaceAll(text.String(), w.Server.URL, "http://fake"))
	hidden(t, "the plan", text.String()+data.String(), w.keys...)
	if strings.Contains(text.String(), "\x1b") {
		t.Error("a control character came through")
	}
}

func TestGuards(t *testing.T) {
	w := newWorld(t)
	recent := basetentest.Noon.Add(-time.Hour)
	busy := w.add(basetentest.KeySpec{Name: "busy", LastUsed: &recent})
	twin1, twin2 := w.add(basetentest.KeySpec{Name: "twin"}), w.add(basetentest.KeySpec{Name: "twin", Team: "other"})
	other := secret.New(twin1.Prefix() + "." + strings.Repeat("x", 32))
	w.Org.AddTeam("other")
	for name, c := range map[string]struct {
		r               Request
		items, refused  []string
		unmatchedReason string
	}{
		"active":                {r: Request{Names: []string{"busy"}}, refused: []string{busy.Prefix()}},
		"active, forced":        {r: Request{Names: []string{"busy"}, ForceActive: true}, items: []string{busy.Prefix()}},
		"active, leaked":        {r: Request{Wanted: wanted(busy)}, items: []string{busy.Prefix()}},
		"self":                  {r: Request{Wanted: wanted(w.Admin)}, refused: []string{w.Admin.Prefix()}},
		"self, included":        {r: Request{Wanted: wanted(w.Admin, twin1), IncludeSelf: true}, items: []string{twin1.Prefix(), w.Admin.Prefix()}},
		"one name, two keys":    {r: Request{Names: []string{"twin"}}, refused: []string{`"twin"`}},
		"one prefix, two found": {r: Request{Wanted: wanted(twin1, other)}, refused: []string{twin1.Prefix()}},
		"named twice over":      {r: Request{Wanted: wanted(twin1, twin1)}, items: []string{twin1.Prefix()}},
		"no such name":          {r: Request{Names: []string{"twi"}}, unmatchedReason: "no key that this credential sees has this name"},
		"part of a prefix":      {r: Request{Wanted: []Wanted{{Prefix: twin2.Prefix()[:11]}}}, unmatchedReason: "not in the inventory that this credential sees"},
	} {
		p := w.plan(c.r)
		var refused []string
		for _, l := range p.Refused {
			refused = append(refused, l.What)
			if l.Reason == "" || l.Hint == "" {
				t.Errorf("%s: no reason or hint: %+v", name, l)
			}
		}
		if diff := cmp.Diff(c.items, prefixesOf(p.Items)); diff != "" {
			t.Errorf("%s: items: %s", name, diff)
		}
		if diff := cmp.Diff(c.refused, refused); diff != "" {
			t.Errorf("%s: refused: %s", name, diff)
		}
		if c.unmatchedReason != "" && (len(p.Unmatched) != 1 || p.Unmatched[0].Reason != c.unmatchedReason) {
			t.Errorf("%s: %+v", name, p.Unmatched)
		}
	}
}

// TestAmbiguousInventory: the same prefix in the list twice, or in the list and
// in the gateway, is never one key.
func TestAmbiguousInventory(t *testing.T) {
	k := baseten.Key{Prefix: "b10_AAAAAAAA", Type: baseten.WorkspaceInvoke}
	in := func(group string) baseten.Key {
		return baseten.Key{Prefix: k.Prefix, Type: baseten.Federated, Group: group}
	}
	for name, s := range map[string]*Survey{
		"twice listed":         {Inventory: baseten.Inventory{At: basetentest.Noon, Keys: []baseten.Key{k, k}}},
		"list and gateway":     {Inventory: baseten.Inventory{At: basetentest.Noon, Keys: []baseten.Key{k}, Gateway: []baseten.Key{in("g")}}},
		"two gateway's groups": {Inventory: baseten.Inventory{At: basetentest.Noon, Gateway: []baseten.Key{in("g"), in("h")}}},
	} {
		p, err := NewPlan(s, Request{Wanted: []Wanted{{Prefix: k.Prefix, Proof: ByName}}})
		if err != nil || len(p.Items) != 0 || len(p.Refused) != 1 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestPersonalKeysOfOthers(t *testing.T) {
	owner := &baseten.Owner{UserID: "u2", Email: "dev@example.com"}
	keys := []baseten.Key{{Prefix: "b10_AAAAAAAA", Type: baseten.Personal, Owner: owner}, {Prefix: "b10_SELFSELF", Type: baseten.WorkspaceManageAll}}
	r := Request{Wanted: []Wanted{{Prefix: "b10_AAAAAAAA", Proof: ByName}}}
	p, err := NewPlan(&Survey{Inventory: baseten.Inventory{At: basetentest.Noon, Keys: keys}, Self: "b10_SELFSELF"}, r)
	if err != nil || len(p.Items) != 0 || len(p.Refused) != 1 || !strings.Contains(p.Refused[0].Reason, "dev@example.com") {
		t.Errorf("by a workspace key: %+v, %v", p, err)
	}
	keys[1].Type = baseten.Personal
	p, err = NewPlan(&Survey{Inventory: baseten.Inventory{At: basetentest.Noon, Keys: keys}, Self: "b10_SELFSELF"}, r)
	if err != nil || len(p.Items) != 1 || len(p.Items[0].Warnings) != 1 || !strings.Contains(p.Items[0].Warnings[0], "dev@example.com") {
		t.Errorf("by an admin: %+v, %v", p, err)
	}
}

func TestMax(t *testing.T) {
	w := newWorld(t)
	var keys []secret.Secret
	for range 3 {
		keys = append(keys, w.add(basetentest.KeySpec{}))
	}
	_, err := NewPlan(w.survey(), Request{Wanted: wanted(keys...), Max: 2})
	if !errors.Is(err, ErrTooMany) || !strings.Contains(err.Error(), "3") {
		t.Errorf("%v", err)
	}
	if p := w.plan(Request{Wanted: wanted(keys...), Max: 3}); len(p.Items) != 3 {
		t.Errorf("%+v", p)
	}
}

func TestUnused(t *testing.T) {
	w := newWorld(t)
	before, after := basetentest.Noon.AddDate(0, 0, -100), basetentest.Noon.AddDate(0, 0, -3)
	stale := w.add(basetentest.KeySpec{Created: basetentest.Noon.AddDate(-1, 0, 0), LastUsed: &before})
	never := w.add(basetentest.KeySpec{Created: basetentest.Noon.AddDate(0, 0, -91)})
	w.add(basetentest.KeySpec{Created: basetentest.Noon.AddDate(0, 0, -89)})
	w.add(basetentest.KeySpec{Created: basetentest.Noon.AddDate(-1, 0, 0), LastUsed: &after})
	want := map[string]bool{stale.Prefix(): true, never.Prefix(): true}
	p := w.plan(Request{Unused: 90 * 24 * time.Hour})
	for _, it := range p.Items {
		if !want[it.Prefix] || !it.Unused {
			t.Errorf("planned %+v", it)
		}
	}
	if len(p.Items) != 2 || len(p.Unmatched) != 0 {
		t.Errorf("%+v", p)
	}
	w.Org.OldAPI = true
	p = w.plan(Request{Unused: 90 * 24 * time.Hour})
	if len(p.Items) != 0 || len(p.Unmatched) != 5 {
		t.Errorf("where the list does not tell of use: %+v", p)
	}
}

// TestUnusedByEverySource: what the usage or the audit log shows to be in use is neither
// unused nor idle, whatever the list says, and the plan shows that they disagree.
func TestUnusedByEverySource(t *testing.T) {
	w := newWorld(t)
	year, long := basetentest.Noon.AddDate(-1, 0, 0), basetentest.Noon.AddDate(0, 0, -100)
	called := w.add(basetentest.KeySpec{Name: "called", Created: year})
	acted := w.add(basetentest.KeySpec{Name: "acted", Created: year, LastUsed: &long})
	stale := w.add(basetentest.KeySpec{Name: "stale", Created: year, LastUsed: &long})
	w.Org.AddUsage(called.Prefix(), "org/model", basetentest.Noon.AddDate(0, 0, -2), 3)
	w.Org.Untouch(called.Prefix())
	w.Org.AddDeployment(basetentest.Noon.Add(-time.Hour), "", acted.Prefix(), "API", "truss")
	p := w.plan(Request{Unused: 90 * 24 * time.Hour})
	if diff := cmp.Diff([]string{stale.Prefix()}, prefixesOf(p.Items)); diff != "" {
		t.Error(diff)
	}
	p = w.plan(Request{Names: []string{"called", "acted"}})
	if diff := cmp.Diff([]string{called.Prefix()}, prefixesOf(p.Items)); diff != "" {
		t.Errorf("the key that acted an hour ago: %s", diff)
	}
	if ws := p.Items[0].Warnings; len(ws) != 1 || !strings.Contains(ws[0], "last used never, and Model API usage says 2026-11-19") {
		t.Errorf("%q", ws)
	}
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Unavailable, Path: "/v1/model_apis/usage"})
	p = w.plan(Request{Unused: 90 * 24 * time.Hour})
	if len(p.Items) != 0 || len(p.Refused) != 1 || !p.Left() {
		t.Errorf("without the usage: %+v", p)
	}
}
