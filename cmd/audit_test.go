package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// An auditReport is what these tests look at of a JSON report.
type auditReport struct {
	Findings []finding.Finding
	Problems []finding.Problem
	Summary  finding.Summary
}

// organisation starts a made-up Baseten and returns a way to call the program.
func organisation(t *testing.T, fill func(*basetentest.Org)) (*basetentest.Server, func(args ...string) (int, string, auditReport)) {
	t.Helper()
	org := basetentest.NewOrg("Audit", 7, nil)
	admin := org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: org.AddUser("boss@example.com", "Boss", true)})
	fill(org)
	server := basetentest.Start(org)
	t.Cleanup(server.Close)
	out := filepath.Join(t.TempDir(), "out.json")
	return server, func(args ...string) (int, string, auditReport) {
		return callAudit(t, server, admin, out, args)
	}
}

func callAudit(t *testing.T, server *basetentest.Server, admin secret.Secret, out string, args []string) (int, string, auditReport) {
	t.Helper()
	_ = os.Remove(out)
	env := map[string]string{"BASETEN_API_KEY": admin.Reveal(), "HOME": t.TempDir(),
		"BASETEN_MANAGEMENT_API_URL_OVERRIDE": server.URL, "BASETEN_INFERENCE_BASE_URL_OVERRIDE": server.InferenceURL}
	var stdout, stderr bytes.Buffer
	code := cmd.Main(context.Background(), cmd.Env{Args: append(args, "-f", "json="+out), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Lookup: func(n string) (string, bool) { v, ok := env[n]; return v, ok }, Environ: func() []string { return nil }})
	var r auditReport
	if data, err := os.ReadFile(out); err == nil {
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
	}
	if text := stdout.String() + stderr.String(); strings.Contains(text, strings.SplitN(admin.Reveal(), ".", 2)[1]) {
		t.Error("the admin's key was printed")
	}
	return code, stderr.String(), r
}

// plan is the figure of calls: docs/audit.md gives it, too.
func plan(keyEvents, actions, users, groups int) map[string]int {
	pages := func(n, size int) int { return max(1, (n+size-1)/size) }
	return map[string]int{
		"/v1/api_keys": 1, "/v1/users/me": 1, "/v1/teams": 1, "/v1/users": pages(users, 1000),
		"/v1/audit_logs":       pages(keyEvents, 200) + pages(actions, 200),
		"/v1/model_apis/usage": 4, "/v1/gateway/groups": pages(groups, 100),
	}
}

// An organisation far larger than the ordinary: the calls are those of the plan,
// and it takes little time and memory.
func TestAuditOfALargeOrganisation(t *testing.T) {
	server, run := organisation(t, func(o *basetentest.Org) {
		o.Grow(basetentest.Seed{Users: 200, Keys: 5000, Audit: 100_000, UsageDays: 92})
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	code, stderr, r := run("audit", "-f", "text")
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	if code != cmd.ExitFindings || stderr != "" {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	calls := map[string]int{}
	for _, q := range server.Requests() {
		calls[q.Path]++
	}
	// 5,000 keys made and 250 revoked; a third of the deployments of 92 days, one
	// each seven minutes, less those of personal keys that stand under their owners.
	want := plan(5250, 92*24*60/7/3, 201, 0)
	total := 0
	for path, n := range want {
		total += n
		// The last page of a filtered log may be empty: the server cannot tell.
		if got := calls[path]; got < n || got > n+2 {
			t.Errorf("%s: %d calls, the plan says %d", path, got, n)
		}
		delete(calls, path)
	}
	if len(calls) > 0 {
		t.Errorf("calls that are not in the plan: %v", calls)
	}
	if n := len(r.Summary.Inventory); n != 4751 || r.Summary.Keys != n || !r.Summary.Complete {
		t.Errorf("%d keys in the inventory, complete %v", n, r.Summary.Complete)
	}
	t.Logf("%d calls (plan %d), %s, %d findings, %d MB allocated in all, %d MB of heap with the fake server's", len(server.Requests()), total,
		elapsed.Round(time.Millisecond), len(r.Findings), (after.TotalAlloc-before.TotalAlloc)>>20, after.HeapSys>>20)
}

// An ordinary organisation: 50 keys, 30 members, a busy audit log.
func TestAuditTakesFewCalls(t *testing.T) {
	server, run := organisation(t, func(o *basetentest.Org) {
		o.Grow(basetentest.Seed{Users: 30, Keys: 50, Audit: 5000, UsageDays: 92})
	})
	if code, stderr, _ := run("audit"); code != cmd.ExitFindings {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if n := len(server.Requests()); n >= 50 {
		t.Errorf("%d calls", n)
	} else {
		t.Logf("%d calls", n)
	}
}

// Each source denied in turn: a report all the same, which says what is missing.
func TestAuditWithoutASource(t *testing.T) {
	sources := map[string][]string{
		"/v1/api_keys": {"keys"}, "/v1/teams": {"teams"}, "/v1/users": {"users"}, "/v1/audit_logs": {"audit-log: keys and members", "audit-log: actions"},
		"/v1/model_apis/usage": {"model-api-usage"}, "/v1/gateway/groups": {"gateway"},
	}
	for path, names := range sources {
		t.Run(path, func(t *testing.T) {
			server, run := organisation(t, func(o *basetentest.Org) {
				o.Grow(basetentest.Seed{Users: 9, Keys: 40, Audit: 300, UsageDays: 92})
			})
			server.Inject(basetentest.Fault{Kind: basetentest.Forbidden, Path: path})
			code, stderr, r := run("audit", "--fail-on", "critical")
			wantCode := cmd.ExitClean
			if path == "/v1/api_keys" {
				wantCode = cmd.ExitIncomplete
			}
			if code != wantCode || stderr != "" || len(r.Summary.Inventory) < 38 {
				t.Fatalf("exit %d, %d keys: %s", code, len(r.Summary.Inventory), stderr)
			}
			text := fmt.Sprintf("%+v", r.Problems)
			for _, s := range r.Summary.Sources {
				for _, n := range names {
					if s.Name != n {
						continue
					}
					if s.State == "read" || s.Detail == "" {
						t.Errorf("the report does not say what is not known: %+v", s)
					}
					if n != "gateway" && !strings.Contains(text, n+" may not be read with this credential (403)") {
						t.Errorf("no problem about %s: %s", n, text)
					}
				}
			}
		})
	}
}

// An API that is down, and a key that is not accepted, are failures and not reports.
func TestAuditFails(t *testing.T) {
	for name, x := range map[string]basetentest.Fault{
		"portal": {Kind: basetentest.CaptivePortal}, "form": {Kind: basetentest.WrongForm, Path: "/v1/api_keys"},
		"truncated": {Kind: basetentest.TruncatedJSON, Path: "/v1/api_keys"},
	} {
		server, run := organisation(t, func(*basetentest.Org) {})
		server.Inject(x)
		if code, stderr, _ := run("audit"); code != cmd.ExitFailed || !strings.Contains(stderr, "the list of keys could not be read") {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
	}
	server, run := organisation(t, func(*basetentest.Org) {})
	server.Inject(basetentest.Fault{Kind: basetentest.TruncatedJSON, Path: "/v1/users"})
	if code, _, r := run("audit"); code != cmd.ExitIncomplete || r.Summary.Complete || len(r.Problems) != 1 {
		t.Errorf("members failing: exit %d, %+v", code, r.Problems)
	}
}
