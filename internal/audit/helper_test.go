package audit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
)

// now is the time of every audit here: noon, so that days have two sides.
var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(days float64) time.Time { return now.Add(-time.Duration(days * float64(audit.Day))) }

func at(t time.Time) baseten.Time { return baseten.Time{Time: t} }

// null is a time that the API gave as null.
func null() (t baseten.Time) {
	if err := json.Unmarshal([]byte("null"), &t); err != nil {
		panic(err)
	}
	return t
}

// evidence is that of an organisation in which every source was read.
func evidence(keys ...baseten.Key) *baseten.Inventory {
	e := &baseten.Inventory{At: now, Keys: keys, History: map[string]baseten.KeyHistory{}, Removed: map[string]time.Time{},
		Users: []baseten.User{{UserID: "u_dev", Email: "dev@example.com"}}}
	since := now.Truncate(audit.Day).Add(audit.Day - baseten.UsageRetention)
	for _, name := range audit.Sources() {
		s := baseten.SourceState{Name: name}
		if name == baseten.SourceActions || name == baseten.SourceUsage {
			s.Since = since
		}
		e.Sources = append(e.Sources, s)
	}
	return e
}

// key is one that breaks no rule; edit spoils it.
func key(edit func(*baseten.Key)) baseten.Key {
	k := baseten.Key{Prefix: "b10_Test0001", Name: "ci", Type: baseten.WorkspaceExportMetrics, TeamName: "default",
		CreatedAt: at(ago(40)), LastUsedAt: at(ago(1))}
	if edit != nil {
		edit(&k)
	}
	return k
}

func deny(e *baseten.Inventory, name baseten.Source) {
	for i := range e.Sources {
		if e.Sources[i].Name == name {
			e.Sources[i].Err = &baseten.Error{Method: "GET", Path: "/v1/x", Status: 403}
			e.Sources[i].NotUsed = name == baseten.SourceGateway
		}
	}
}

func fail(e *baseten.Inventory, name baseten.Source) {
	for i := range e.Sources {
		if e.Sources[i].Name == name {
			e.Sources[i].Err = errors.New("connection reset")
		}
	}
}

// use adds a day of calls.
func use(e *baseten.Inventory, prefix, model string, daysAgo int, requests int64) {
	day := now.Truncate(audit.Day).Add(-time.Duration(daysAgo) * audit.Day)
	e.Usage = append(e.Usage, baseten.UsageBucket{StartTime: at(day), EndTime: at(day.Add(audit.Day)),
		Results: []baseten.Usage{{APIKeyPrefix: prefix, Model: model, RequestCount: requests}}})
}

func act(e *baseten.Inventory, prefix, event string, daysAgo float64) {
	e.Actions = append(e.Actions, baseten.AuditEntry{Created: at(ago(daysAgo)), EventType: event, Source: "API",
		Actor: baseten.AuditActor{Type: "API_KEY", APIKeyPrefix: prefix}})
}

func leak(prefix, rule string, places ...finding.Location) audit.Leak {
	return audit.Leak{From: "scan.json", Finding: finding.Finding{Rule: rule, Prefix: prefix, Locations: places}}
}

func judge(e *baseten.Inventory, leaks ...audit.Leak) audit.Result {
	return audit.Judge(e, leaks, audit.Earlier{}, audit.DefaultPolicy())
}

// got returns the finding of a rule, if there is one.
func got(res audit.Result, rule string) *finding.Finding {
	for i := range res.Findings {
		if res.Findings[i].Rule == rule {
			return &res.Findings[i]
		}
	}
	return nil
}

// A judged is one case of a policy's test.
type judged struct {
	name string
	e    *baseten.Inventory
	leak []audit.Leak
	// want is "" for a miss, else "severity confidence"; words have to be in the message.
	want, words string
}

func (c judged) run(t *testing.T, rule string) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		f := got(judge(c.e, c.leak...), rule)
		found := ""
		if f != nil {
			found = fmt.Sprintf("%s %s", f.Severity, f.Confidence)
		}
		if found != c.want {
			t.Fatalf("%s: got %q, want %q: %+v", rule, found, c.want, f)
		}
		if f != nil && (!strings.Contains(f.Message, c.words) || f.Advice == "") {
			t.Errorf("%s says %q, with the advice %q", rule, f.Message, f.Advice)
		}
	})
}
