package audit_test

import (
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

func TestKeyNeverUsed(t *testing.T) {
	made := func(days float64, used baseten.Time) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.CreatedAt, k.LastUsedAt = at(ago(days)), used }))
	}
	usedAfterAll := made(40, null())
	use(usedAfterAll, "b10_Test0001", "m", 3, 1)
	for _, c := range []judged{
		{"hit", made(40, null()), nil, "medium high", "never used"},
		{"at the threshold", made(7, null()), nil, "medium high", "never used"},
		{"just below", made(6.99, null()), nil, "", ""},
		{"used", made(40, at(ago(39))), nil, "", ""},
		{"the list does not tell", made(40, baseten.Time{}), nil, "", ""},
		{"null, but usage tells of calls", usedAfterAll, nil, "", ""},
		{"legacy without a date", evidence(key(func(k *baseten.Key) { k.Prefix, k.CreatedAt, k.LastUsedAt = "Test0001", baseten.Time{}, null() })), nil, "medium high", "before 2026-10-01"},
		{"no date at all", evidence(key(func(k *baseten.Key) { k.CreatedAt, k.LastUsedAt = baseten.Time{}, null() })), nil, "", ""},
	} {
		c.run(t, "key-never-used")
	}
}

func TestKeyUnused(t *testing.T) {
	used := func(days float64) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.CreatedAt, k.LastUsedAt = at(ago(400)), at(ago(days)) }))
	}
	silent := func(kind baseten.KeyType) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) {
			k.Type, k.CreatedAt, k.LastUsedAt = kind, at(ago(400)), baseten.Time{}
		}))
	}
	byUsage := silent(baseten.WorkspaceInvoke)
	use(byUsage, "b10_Test0001", "m", 70, 5)
	byAction := silent(baseten.WorkspaceManageAll)
	act(byAction, "b10_Test0001", "MODEL_DEPLOYED", 61)
	recent := silent(baseten.WorkspaceInvoke)
	use(recent, "b10_Test0001", "m", 2, 5)
	later := used(90)
	use(later, "b10_Test0001", "m", 2, 5)
	blind := silent(baseten.WorkspaceInvoke)
	deny(blind, baseten.SourceUsage)
	fail(blind, baseten.SourceActions)
	half := silent(baseten.WorkspaceInvoke)
	deny(half, baseten.SourceUsage)
	young := evidence(key(func(k *baseten.Key) { k.CreatedAt, k.LastUsedAt = at(ago(59)), baseten.Time{} }))
	for _, c := range []judged{
		{"hit", used(90), nil, "medium high", "last used on 2026-12-01, 90 days ago"},
		{"at the threshold", used(60), nil, "medium high", "60 days ago"},
		{"just below", used(59.99), nil, "", ""},
		{"never used is another rule", evidence(key(func(k *baseten.Key) { k.LastUsedAt = null() })), nil, "", ""},
		{"no evidence is not never", silent(baseten.WorkspaceInvoke), nil, "low low", "no evidence of use since 2026-11-30"},
		{"a key for Model APIs only", silent(baseten.Routes), nil, "low medium", "no evidence of use"},
		{"usage is a lower bound", byUsage, nil, "low medium", "last known to call a Model API"},
		{"so is an action", byAction, nil, "low medium", "last seen in the audit log"},
		{"used by usage", recent, nil, "", ""},
		{"usage is later than the list", later, nil, "", ""},
		{"nobody could be asked", blind, nil, "", ""},
		{"one source is left", half, nil, "low low", "no evidence of use since"},
		{"too young to tell", young, nil, "", ""},
	} {
		c.run(t, "key-unused")
	}
}

func TestKeyOld(t *testing.T) {
	made := func(days float64) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.CreatedAt = at(ago(days)) }))
	}
	undated := func(prefix string) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.Prefix, k.CreatedAt = prefix, baseten.Time{} }))
	}
	logged := undated("b10_Test0001")
	logged.History["b10_Test0001"] = baseten.KeyHistory{Created: at(ago(200)), CreatedBy: "dev@example.com"}
	late := undated("Test0001")
	late.At = now.Add(40 * audit.Day)
	active := undated("b10_Test0001")
	use(active, "b10_Test0001", "m", 80, 1)
	for _, c := range []judged{
		{"hit", made(400), nil, "low high", "at least 400 days old"},
		{"at the threshold", made(180), nil, "low high", "180 days"},
		{"just below", made(179.99), nil, "", ""},
		{"by the audit log", logged, nil, "low high", "made on 2026-08-13"},
		{"legacy, format too young to tell", undated("Test0001"), nil, "", ""},
		{"legacy, by its format", late, nil, "low high", "before 2026-10-01, by its format"},
		{"b10_ without a date", undated("b10_Test0001"), nil, "", ""},
		{"bounded by the first use", active, nil, "", ""},
	} {
		c.run(t, "key-old")
	}
}

func TestKeyDormantThenUsed(t *testing.T) {
	fresh := func(made float64) *baseten.Inventory {
		return evidence(key(func(k *baseten.Key) { k.CreatedAt = at(ago(made)) }))
	}
	days := func(made float64, uses ...int) *baseten.Inventory {
		e := fresh(made)
		for _, d := range uses {
			use(e, "b10_Test0001", "m", d, 3)
		}
		return e
	}
	denied := days(400, 80, 2)
	deny(denied, baseten.SourceUsage)
	for _, c := range []judged{
		{"hit", days(400, 80, 2), nil, "high medium", "silent for 78 days"},
		{"at the threshold", days(400, 70, 10), nil, "high medium", "60 days"},
		{"just below", days(400, 69, 10), nil, "", ""},
		{"woke up long ago", days(400, 88, 15), nil, "", ""},
		{"at the edge of recent", days(400, 88, 13), nil, "high medium", "75 days"},
		{"steady", days(400, 80, 60, 40, 20, 2), nil, "", ""},
		{"first known use of an old key", days(400, 2), nil, "medium low", "in Model APIs and the audit log"},
		{"a new key", days(20, 2), nil, "", ""},
		{"never used", fresh(400), nil, "", ""},
		{"usage may not be read", denied, nil, "", ""},
	} {
		c.run(t, "key-dormant-then-used")
	}
}

// An earlier report knows the last use of then, whatever the kind of use.
func TestKeyDormantByEarlierReport(t *testing.T) {
	for _, c := range []struct {
		name       string
		then, used float64
		hit        bool
	}{
		{"hit", 70, 1, true}, {"at the threshold", 61, 1, true}, {"just below", 60.9, 1, false}, {"no later use", 70, 70, false},
	} {
		e := evidence(key(func(k *baseten.Key) { k.CreatedAt, k.LastUsedAt = at(ago(400)), at(ago(c.used)) }))
		earlier := audit.Earlier{At: ago(30), LastUsed: map[string]time.Time{"b10_Test0001": ago(c.then)}}
		f := got(audit.Judge(e, nil, earlier, audit.DefaultPolicy()), "key-dormant-then-used")
		if (f != nil) != c.hit || f != nil && f.Confidence.String() != "high" {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}
