package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

func of(kind baseten.KeyType, models ...string) *baseten.Inventory {
	e := evidence(key(func(k *baseten.Key) { k.Type, k.CreatedAt = kind, at(ago(100)) }))
	for _, m := range models {
		use(e, "b10_Test0001", m, 3, 5)
	}
	return e
}

func TestKeyOverprivileged(t *testing.T) {
	with := func(e *baseten.Inventory, edit func(*baseten.Inventory)) *baseten.Inventory { edit(e); return e }
	acted := with(of(baseten.WorkspaceManageAll, "m"), func(e *baseten.Inventory) { act(e, "b10_Test0001", "MODEL_DEPLOYED", 5) })
	denied := with(of(baseten.WorkspaceManageAll, "m"), func(e *baseten.Inventory) { deny(e, baseten.SourceActions) })
	young := func(days float64) *baseten.Inventory {
		return with(of(baseten.WorkspaceManageAll, "m"), func(e *baseten.Inventory) { e.Keys[0].CreatedAt = at(ago(days)) })
	}
	mints := with(of(baseten.WorkspaceManageAPIKeys), func(e *baseten.Inventory) { act(e, "b10_Test0001", baseten.EventKeyCreated, 5) })
	deploys := with(of(baseten.WorkspaceManageAPIKeys), func(e *baseten.Inventory) { act(e, "b10_Test0001", "MODEL_DEPLOYED", 5) })
	scoped := with(of(baseten.WorkspaceInvoke, "m"), func(e *baseten.Inventory) { e.Keys[0].ModelIDs = []string{"abc"} })
	environment := with(of(baseten.WorkspaceInvoke, "m"), func(e *baseten.Inventory) {
		e.History["b10_Test0001"] = baseten.KeyHistory{Type: "INVOKE_SCOPED_ENVS_AND_MODELS_SERVICE_ACCOUNT"}
	})
	for _, c := range []judged{
		{"manage-all that only calls models", of(baseten.WorkspaceManageAll, "m"), nil, "medium medium", "only calls models"},
		{"manage-all with one action", acted, nil, "", ""},
		{"manage-all without calls", of(baseten.WorkspaceManageAll), nil, "", ""},
		{"actions may not be read", denied, nil, "", ""},
		{"watched just long enough", young(30), nil, "medium medium", ""},
		{"too young", young(29.99), nil, "", ""},
		{"manage-keys that makes no keys", of(baseten.WorkspaceManageAPIKeys), nil, "medium medium", "as an admin may"},
		{"manage-keys that makes keys", mints, nil, "", ""},
		{"manage-keys that does other things", deploys, nil, "medium medium", "as an admin may"},
		{"invoke without scope, few models", of(baseten.WorkspaceInvoke, "a", "b", "c"), nil, "low medium", "calls 3: a, b, c"},
		{"invoke without scope, one more", of(baseten.WorkspaceInvoke, "a", "b", "c", "d"), nil, "", ""},
		{"invoke without scope, no calls", of(baseten.WorkspaceInvoke), nil, "", ""},
		{"invoke with a scope", scoped, nil, "", ""},
		{"scope by environment", environment, nil, "", ""},
		{"personal", of(baseten.Personal, "m"), nil, "", ""},
	} {
		c.run(t, "key-overprivileged")
	}
	if f := got(judge(of(baseten.WorkspaceManageAll, "m")), "key-overprivileged"); f == nil || f.Advice[:15] != "WORKSPACE_INVOK" {
		t.Errorf("the smallest type is not named: %+v", f)
	}
	// What usage knows are names of Model APIs, which no key can be limited to.
	f := got(judge(of(baseten.WorkspaceInvoke, "acme/large")), "key-overprivileged")
	if f == nil || strings.Contains(f.Advice, "acme/large") || !strings.Contains(f.Advice, "--model-id ID") {
		t.Errorf("advice that cannot be followed: %+v", f)
	}
}

func personal(edit func(*baseten.Key)) *baseten.Inventory {
	return evidence(key(func(k *baseten.Key) {
		k.Type, k.Owner = baseten.Personal, &baseten.Owner{UserID: "u_dev", Email: "dev@example.com", Name: "Dev"}
		if edit != nil {
			edit(k)
		}
	}))
}

func TestKeyPersonalAutomation(t *testing.T) {
	busy := func(days, hours int) *baseten.Inventory {
		e := personal(nil)
		for d := range days {
			for h := range hours {
				start := now.Truncate(audit.Day).Add(-time.Duration(d+1)*audit.Day + time.Duration(h)*time.Hour)
				e.Hours = append(e.Hours, baseten.UsageBucket{StartTime: at(start), Results: []baseten.Usage{{APIKeyPrefix: "b10_Test0001", RequestCount: 1}}})
			}
		}
		return e
	}
	robot := func(client string, more ...baseten.Key) *baseten.Inventory {
		e := personal(nil)
		e.Keys = append(e.Keys, more...)
		e.Actions = append(e.Actions, baseten.AuditEntry{Created: at(ago(2)), Source: "API", ClientName: client,
			Actor: baseten.AuditActor{Type: "USER", Email: "dev@example.com"}})
		return e
	}
	second := personal(func(k *baseten.Key) { k.Prefix = "b10_Test0002" }).Keys[0]
	in := func(context string) []audit.Leak {
		return []audit.Leak{leak("b10_Test0001", "leaked-key", finding.Location{Path: "x.yml", Context: context, Exposure: finding.Committed})}
	}
	for _, c := range []judged{
		{"in a workflow", personal(nil), in("github-workflow"), "medium high", "found it in x.yml"},
		{"in source", personal(nil), in("python"), "", ""},
		{"a workspace key in a workflow", evidence(key(nil)), in("github-workflow"), "", ""},
		{"round the clock", busy(3, 20), nil, "medium medium", "20 hours of the day on 3 days"},
		{"an hour less", busy(3, 19), nil, "", ""},
		{"a day less", busy(2, 24), nil, "", ""},
		{"a program acts for the owner", robot("terraform-provider-baseten"), nil, "medium medium", "terraform"},
		{"the owner has two keys", robot("terraform-provider-baseten", second), nil, "", ""},
		{"a person's program", robot("truss"), nil, "", ""},
		{"nothing", personal(nil), nil, "", ""},
	} {
		c.run(t, "key-personal-automation")
	}
}

func TestKeyOrphaned(t *testing.T) {
	gone := personal(func(k *baseten.Key) { k.Owner.UserID, k.Owner.Email = "u_left", "left@example.com" })
	told := personal(func(k *baseten.Key) { k.Owner.UserID, k.Owner.Email = "u_left", "left@example.com" })
	told.Removed["left@example.com"] = ago(9)
	removed := func(days float64, denied bool) *baseten.Inventory {
		e := personal(func(k *baseten.Key) { k.Owner.UserID, k.Owner.Email = "u_left", "left@example.com" })
		e.Removed["left@example.com"] = ago(days)
		if denied {
			deny(e, baseten.SourceUsers)
		}
		return e
	}
	unknown := personal(func(k *baseten.Key) { k.Owner.UserID = "u_left" })
	deny(unknown, baseten.SourceUsers)
	empty := personal(func(k *baseten.Key) { k.Owner.UserID = "u_left" })
	empty.Users = nil
	maker := func(email string, removedDays float64) *baseten.Inventory {
		e := evidence(key(nil))
		e.History["b10_Test0001"] = baseten.KeyHistory{Creator: baseten.AuditActor{Type: "USER", Email: email}}
		e.Removed[email] = ago(removedDays)
		return e
	}
	for _, c := range []judged{
		{"not a member", gone, nil, "high high", "who is not a member"},
		{"the log tells when", told, nil, "high high", "who was removed on 2027-02-20"},
		{"a member", personal(nil), nil, "", ""},
		{"members may not be read, the log tells", removed(9, true), nil, "high high", "who was removed on"},
		{"removed before the key was made, and back", removed(41, true), nil, "", ""},
		{"removed as the key was made", removed(40, true), nil, "high high", ""},
		{"members may not be read", unknown, nil, "", ""},
		{"an empty list of members accuses nobody", empty, nil, "", ""},
		{"the maker is gone", maker("left@example.com", 9), nil, "low medium", "made by left@example.com"},
		{"the maker is back", maker("dev@example.com", 9), nil, "", ""},
		{"a service account", evidence(key(nil)), nil, "", ""},
	} {
		c.run(t, "key-orphaned")
	}
}
