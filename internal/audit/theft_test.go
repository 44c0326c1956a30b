package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

// calls is a key that a scan found 10 days ago, with so many requests to a model on each of
// so many days before.
func calls(days int, requests int64) (*baseten.Inventory, audit.Leak) {
	e := evidence(key(nil))
	for d := range days {
		use(e, "b10_Test0001", "small", 12+d, requests)
	}
	leaked := ago(10)
	return e, leak("b10_Test0001", "leaked-key", finding.Location{Path: "a.py", Date: &leaked, Exposure: finding.Committed})
}

// did adds an entry of the audit log with a client.
func did(e *baseten.Inventory, event, client string, daysAgo float64, data baseten.AuditData) {
	act(e, "b10_Test0001", event, daysAgo)
	last := &e.Actions[len(e.Actions)-1]
	last.ClientName, last.Data = client, data
	slices.SortFunc(e.Actions, func(a, b baseten.AuditEntry) int { return b.Created.Compare(a.Created.Time) })
}

// The thresholds, each from both sides: five times the busiest day, 100 requests, seven
// days with calls.
func TestSpike(t *testing.T) {
	for _, c := range []struct {
		name     string
		days     int
		before   int64
		requests int64
		want     string
	}{
		{"five times", 7, 40, 200, "200 requests, 5 times the busiest of the 28 days before the leak (40)"},
		{"nearly five times", 7, 40, 199, ""},
		{"100 requests", 7, 1, 100, "100 requests, 100 times"},
		{"99 requests", 7, 1, 99, ""},
		{"known of six days", 6, 40, 5000, ""},
	} {
		e, l := calls(c.days, c.before)
		use(e, "b10_Test0001", "small", 3, c.requests)
		f := got(judge(e, l), "key-signs-of-theft")
		if (f != nil) != (c.want != "") || f != nil && (!strings.Contains(f.Message, c.want) || f.Severity != finding.Critical) {
			t.Errorf("%s: %+v", c.name, f)
		}
		tl := audit.Timeline(e, "b10_Test0001", []audit.Leak{l})
		signs := slices.DeleteFunc(tl.Events, func(e finding.Event) bool { return e.Kind != "sign" })
		if len(signs) != min(len(c.want), 1) || len(signs) == 1 && !signs[0].DayOnly {
			t.Errorf("%s: the timeline has %+v", c.name, signs)
		}
		if told := strings.Contains(strings.Join(tl.Unknown, "\n"), "6 of the 28 days"); told != (c.days == 6) {
			t.Errorf("%s: not known: %q", c.name, tl.Unknown)
		}
	}
	// Days longer ago than 28 do not count, busy as they were.
	e, l := calls(7, 1)
	use(e, "b10_Test0001", "small", 10+30, 10_000)
	use(e, "b10_Test0001", "small", 3, 150)
	if f := got(judge(e, l), "key-signs-of-theft"); f == nil {
		t.Error("the busiest day of all, and not of the last 28, was taken")
	}
}

func TestTheft(t *testing.T) {
	client, l := calls(7, 40)
	did(client, "MODEL_DEPLOYMENT_ACTIVATED", "truss", 20, baseten.AuditData{})
	did(client, "MODEL_DEPLOYMENT_ACTIVATED", "truss", 5, baseten.AuditData{})
	noClient := *client
	did(client, "MODEL_DEPLOYMENT_ACTIVATED", "curl", 4, baseten.AuditData{})
	model, _ := calls(7, 40)
	use(model, "b10_Test0001", "large", 2, 1)
	fresh, _ := calls(0, 0)
	use(fresh, "b10_Test0001", "large", 2, 1)
	did(fresh, "MODEL_DEPLOYMENT_ACTIVATED", "curl", 4, baseten.AuditData{})
	power, _ := calls(0, 0)
	did(power, "SECRET_UPDATED", "", 3, baseten.AuditData{About: "secret hf_token"})
	did(power, "SECRET_UPDATED", "", 30, baseten.AuditData{About: "secret older"})
	did(power, "API_KEY_CREATED", "", 2, baseten.AuditData{Prefix: "b10_Child001"})
	for _, c := range []judged{
		{"another client", client, []audit.Leak{l}, "critical medium", ": used with curl, which was never seen with it before the leak"},
		{"the same client", &noClient, []audit.Leak{l}, "", ""},
		{"another model", model, []audit.Leak{l}, "critical medium", ": called model large, which it never called before the leak"},
		{"nothing to compare with", fresh, []audit.Leak{l}, "", ""},
		{"acts with power since the leak", power, []audit.Leak{l}, "high medium",
			"secret updated (secret hf_token), 2027-02-27: api key created b10_Child001, which LIVES"},
		{"not leaked", power, nil, "", ""},
		{"leaked at an unknown time", power, []audit.Leak{leak("b10_Test0001", "leaked-key", finding.Location{Path: "a.py"})}, "", ""},
	} {
		c.run(t, "key-signs-of-theft")
	}
	if f := got(judge(power, l), "key-signs-of-theft"); strings.Contains(f.Message, "older") {
		t.Errorf("an act from before the leak: %s", f.Message)
	}
}
