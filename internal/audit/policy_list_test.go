package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

func TestKeyUnnamed(t *testing.T) {
	named := func(name string) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.Name = name }))
	}
	unlisted := evidence()
	deny(unlisted, baseten.SourceKeys)
	unlisted.History["b10_Test0001"] = baseten.KeyHistory{Type: "PERSONAL", Created: at(ago(3))}
	for _, c := range []judged{
		{"hit", named(""), nil, "low high", "has no name"},
		{"blank", named(" \t"), nil, "low high", "has no name"},
		{"one letter", named("x"), nil, "", ""},
		{"the list was not there to tell it", unlisted, nil, "", ""},
	} {
		c.run(t, "key-unnamed")
	}
	if f := got(judge(named("")), "key-unnamed"); f == nil || !strings.Contains(f.Advice, "console: the pencil") {
		t.Errorf("the advice does not say where a key is renamed: %+v", f)
	}
}

func TestKeyLegacyFormat(t *testing.T) {
	prefixed := func(p string) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.Prefix = p }))
	}
	gateway := evidence()
	gateway.Gateway = []baseten.Key{{Prefix: "aBcDeFgH", Name: "c", Type: baseten.Federated, Group: "g"}}
	for _, c := range []judged{
		{"hit", prefixed("Test0001"), nil, "low high", "legacy format"},
		{"nearly the prefix", prefixed("b10Test1"), nil, "low high", "legacy format"},
		{"b10_", prefixed("b10_Test0001"), nil, "", ""},
		{"a gateway key has no other form", gateway, nil, "", ""},
	} {
		c.run(t, "key-legacy-format")
	}
}

func TestKeyDuplicateName(t *testing.T) {
	two := func(edit func(a, b *baseten.Key)) *baseten.Inventory {
		a, b := key(nil), key(func(k *baseten.Key) { k.Prefix, k.TeamName = "b10_Test0002", "research" })
		edit(&a, &b)
		return evidence(a, b)
	}
	owner := func(id string) *baseten.Owner { return &baseten.Owner{UserID: id, Email: id + "@example.com"} }
	for _, c := range []judged{
		{"two teams", two(func(_, _ *baseten.Key) {}), nil, "low high", "shares its name with b10_Test000"},
		{"another name", two(func(_, b *baseten.Key) { b.Name = "ci2" }), nil, "", ""},
		{"both unnamed", two(func(a, b *baseten.Key) { a.Name, b.Name = "", "" }), nil, "", ""},
		{"two members", two(func(a, b *baseten.Key) {
			a.Type, b.Type, a.Owner, b.Owner = baseten.Personal, baseten.Personal, owner("a"), owner("b")
		}), nil, "", ""},
		{"a member's and the workspace's", two(func(a, _ *baseten.Key) { a.Type, a.Owner = baseten.Personal, owner("a") }), nil, "low high", "shares"},
	} {
		c.run(t, "key-duplicate-name")
	}
}

func TestKeyLeaked(t *testing.T) {
	first := time.Date(2027, 1, 5, 9, 0, 0, 0, time.UTC)
	second := first.AddDate(0, 0, 9)
	place := func(e finding.Exposure) []audit.Leak {
		return []audit.Leak{leak("b10_Test0001", "leaked-key", finding.Location{Path: "a.py", Exposure: e, Date: &second},
			finding.Location{Path: "b.py", Exposure: e, Date: &first})}
	}
	manage := evidence(key(func(k *baseten.Key) { k.Type = baseten.WorkspaceManageAPIKeys }))
	for _, c := range []judged{
		{"a key that cannot change anything", evidence(key(nil)), place(finding.Committed), "high high", "first on 2027-01-05"},
		{"a key that counts as an admin's", manage, place(finding.Committed), "critical high", "counts as an admin's"},
		{"where it belongs", manage, place(finding.Home), "", ""},
		{"in an ignored file", manage, place(finding.Ignored), "", ""},
		{"in a folder", manage, place(finding.Plain), "critical high", ""},
		{"another key", manage, []audit.Leak{leak("b10_Test0009", "leaked-key", finding.Location{Path: "a"})}, "", ""},
		{"a readable trussrc is no leak", manage, []audit.Leak{leak("b10_Test0001", "trussrc-readable", finding.Location{Path: "a"})}, "", ""},
		{"nothing scanned", manage, nil, "", ""},
	} {
		c.run(t, "key-leaked")
	}
	f := got(judge(manage, place(finding.Committed)...), "key-leaked")
	if f == nil || len(f.Locations) != 2 || f.Exposure != finding.Committed || f.Liveness.State != finding.Live {
		t.Errorf("got %+v", f)
	}
	mixed := place(finding.Committed)
	mixed[0].Finding.Locations[1].Exposure = finding.Home
	if f := got(judge(manage, mixed...), "key-leaked"); f == nil || len(f.Locations) != 1 {
		t.Errorf("the place at home is listed: %+v", f)
	}
}
