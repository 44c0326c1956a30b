package basetentest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func start(t *testing.T) (*basetentest.Org, *basetentest.Server, string) {
	t.Helper()
	org := basetentest.NewOrg("Test", 3, func() time.Time { return noon })
	admin := org.AddUser("admin@example.com", "Admin", true)
	s := basetentest.Start(org)
	t.Cleanup(s.Close)
	return org, s, admin
}

// get sends a GET with a key and returns status and body.
func get(t *testing.T, address string, key secret.Secret) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	_ = json.Unmarshal(data, &v)
	return res.StatusCode, v
}

// TestPermissions holds what each type of key gets on each route.
func TestPermissions(t *testing.T) {
	org, s, admin := start(t)
	dev := org.AddUser("dev@example.com", "Dev", false)
	routes := []string{"/v1/users/me", "/v1/api_keys", "/v1/models", "/v1/users", "/v1/audit_logs", "/v1/gateway/groups"}
	tests := []struct {
		spec      basetentest.KeySpec
		want      string // for each route
		inference int
		sees      int // keys in the list
	}{
		{basetentest.KeySpec{Type: "PERSONAL", Owner: admin}, "200 200 200 200 200 403", 200, 7},
		{basetentest.KeySpec{Type: "PERSONAL", Owner: dev}, "200 200 200 200 403 403", 200, 6},
		{basetentest.KeySpec{Type: "WORKSPACE_MANAGE_ALL"}, "200 200 200 200 200 403", 200, 5},
		{basetentest.KeySpec{Type: "WORKSPACE_MANAGE_API_KEYS"}, "200 200 403 403 403 403", 403, 5},
		{basetentest.KeySpec{Type: "WORKSPACE_INVOKE"}, "403 403 403 403 403 403", 200, -1},
		{basetentest.KeySpec{Type: "WORKSPACE_EXPORT_METRICS"}, "403 403 403 403 403 403", 403, -1},
		{basetentest.KeySpec{Type: "ROUTES"}, "403 403 403 403 403 403", 200, -1},
	}
	keys := make([]secret.Secret, len(tests))
	for i, test := range tests {
		keys[i] = org.AddKey(test.spec)
	}
	for i, test := range tests {
		got := ""
		for _, route := range routes {
			status, body := get(t, s.URL+route, keys[i])
			got += fmt.Sprint(" ", status)
			if list, ok := body["keys"].([]any); route == "/v1/api_keys" && ok && len(list) != test.sees {
				t.Errorf("%s %s sees %d keys, want %d", test.spec.Type, test.spec.Owner, len(list), test.sees)
			}
		}
		if got[1:] != test.want {
			t.Errorf("%s %s: %s, want %s", test.spec.Type, test.spec.Owner, got[1:], test.want)
		}
		if status, _ := get(t, s.InferenceURL+"/v1/models", keys[i]); status != test.inference {
			t.Errorf("%s on the inference API: %d", test.spec.Type, status)
		}
	}
	if status, _ := get(t, s.URL+"/v1/api_keys", secret.New(fakekey.New(77).B10())); status != 401 {
		t.Errorf("an unknown key: %d", status)
	}
	if err := org.DeleteKey(keys[2].Prefix(), "admin@example.com", noon); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, s.URL+"/v1/api_keys", keys[2]); status != 401 {
		t.Errorf("a revoked key: %d", status)
	}
}

func TestOldAPIAndRate(t *testing.T) {
	org, s, admin := start(t)
	key := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: admin})
	_, body := get(t, s.URL+"/v1/api_keys", key)
	entry := body["keys"].([]any)[0].(map[string]any)
	if _, ok := entry["created_at"]; !ok {
		t.Errorf("the new API tells when a key was made: %v", entry)
	}
	org.OldAPI = true
	_, body = get(t, s.URL+"/v1/api_keys", key)
	entry = body["keys"].([]any)[0].(map[string]any)
	for _, name := range []string{"created_at", "last_used_at"} {
		if _, ok := entry[name]; ok {
			t.Errorf("the old API has %s", name)
		}
	}
	s.SetRate(2)
	for i, want := range []int{200, 200, 429} { // the clock stands still
		status, body := get(t, s.URL+"/v1/users/me", key)
		if status != want || (status == 429 && body["retry_after"] != 1.0) {
			t.Errorf("request %d: %d %v", i, status, body)
		}
	}
}

func TestRecord(t *testing.T) {
	org, s, admin := start(t)
	key, other := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: admin}), org.AddKey(basetentest.KeySpec{})
	get(t, s.URL+"/v1/models?name=x", key)
	r := s.Requests()
	if len(r) != 1 || r[0].Path != "/v1/models" || r[0].Query != "name=x" || r[0].Scheme != "Bearer" || r[0].KeyPrefix != key.Prefix() {
		t.Errorf("%+v", r)
	}
	if !s.Received(key) || s.Received(other) {
		t.Error("the bytes that came in are not those that were sent")
	}
	s.Forget()
	if len(s.Requests()) != 0 || s.Received(key) {
		t.Error("not forgotten")
	}
}

// TestGrow makes a large organisation and pages through it. BenchmarkGrow makes
// the largest that later tests need.
func TestGrow(t *testing.T) {
	org, s, admin := start(t)
	key := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: admin})
	live := org.Grow(basetentest.Seed{Users: 200, Keys: 5000, Audit: 12_000, UsageDays: 92})
	if len(live) != 4750 || org.Live() != 4751 {
		t.Errorf("%d live keys returned, %d there", len(live), org.Live())
	}
	count := func(path string) (n int) {
		cursor := ""
		for {
			status, body := get(t, s.URL+path+cursor, key)
			if status != 200 {
				t.Fatalf("%s: %d %v", path, status, body)
			}
			n += len(body["items"].([]any))
			p := body["pagination"].(map[string]any)
			if p["has_more"] != true {
				return n
			}
			cursor = "&cursor=" + p["cursor"].(string)
		}
	}
	if n := count("/v1/users?limit=1000"); n != 201 {
		t.Errorf("%d users", n)
	}
	if n := count("/v1/audit_logs?limit=200"); n != 12_000 {
		t.Errorf("%d audit entries", n)
	}
	if n := count("/v1/audit_logs?limit=200&event_type_groups=API_KEYS"); n != 5250 {
		t.Errorf("%d entries about keys", n)
	}
	if n := count("/v1/model_apis/usage?group_by=api_key&limit=31&start_time=2026-08-21T12:00:00Z"); n != 93 {
		t.Errorf("%d usage buckets", n)
	}
}

// TestTrouble: an audit of an organisation in trouble reports by every one of its policies.
func TestTrouble(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Org.Grow(basetentest.Seed{Users: 5, Keys: 100, Audit: 300, UsageDays: 92})
	leaked := w.Org.Trouble()
	inv, err := baseten.Gather(context.Background(), w.Client, audit.Sources()...)
	if err != nil {
		t.Fatal(err)
	}
	on := basetentest.Noon.AddDate(0, 0, -3)
	leak := audit.Leak{From: "scan.json", Finding: finding.Finding{Rule: "leaked-key", Prefix: leaked.Prefix(), Exposure: finding.Committed, Locations: []finding.Location{{Path: "app.py", Line: 3,
		Exposure: finding.Committed, Date: &on}}}}
	seen := map[string]int{}
	for _, f := range audit.Judge(inv, []audit.Leak{leak}, audit.Earlier{}, audit.DefaultPolicy()).Findings {
		seen[f.Rule]++
	}
	for _, r := range audit.Rules() {
		if seen[r.ID] == 0 {
			t.Errorf("nothing is reported by %s: %v", r.ID, seen)
		}
	}
	for prefix, u := range inv.LastUses(inv.Keys) {
		if d := u.Disagreement(); d != "" {
			t.Errorf("%s: %s", prefix, d)
		}
	}
}

// TestDisagree: the list contradicts the other sources when that is asked for.
func TestDisagree(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Org.Grow(basetentest.Seed{Users: 5, Keys: 30, UsageDays: 14, Disagree: true})
	inv, err := baseten.Gather(context.Background(), w.Client, baseten.SourceKeys, baseten.SourceUsage)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range inv.LastUses(inv.Keys) {
		if u.Disagreement() != "" {
			return
		}
	}
	t.Error("they agree")
}

func TestParseFault(t *testing.T) {
	for text, want := range map[string]basetentest.Fault{
		"GET /v1/api_keys 503 x3":         {Kind: basetentest.Unavailable, Method: "GET", Path: "/v1/api_keys", Times: 3},
		"delete /v1/api_keys/ dropped +2": {Kind: basetentest.DropAfterCommit, Method: "DELETE", Path: "/v1/api_keys/", Skip: 2},
		"* * 429 +1 x2":                   {Kind: basetentest.RateLimited, Skip: 1, Times: 2},
		"GET /v1/api_keys":                {},
		"GET /v1/api_keys teapot":         {},
		"GET /v1/api_keys 503 3":          {},
		"GET /v1/api_keys 503 x0":         {},
	} {
		got, err := basetentest.ParseFault(text)
		if want.To = got.To; (err != nil) != (want == basetentest.Fault{To: got.To}) || err == nil && got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// TestLatency: an answer waits, and the end of the server ends the wait.
func TestLatency(t *testing.T) {
	org, s, admin := start(t)
	key := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: admin})
	s.SetLatency(30*time.Millisecond, 31*time.Millisecond)
	begun := time.Now()
	if status, _ := get(t, s.URL+"/v1/users/me", key); status != 200 || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("%d after %s", status, time.Since(begun))
	}
	s.SetLatency(time.Hour, time.Hour)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err := http.Get(s.URL + "/v1/users/me")
		if err == nil {
			_ = r.Body.Close()
		}
	}()
	for len(s.Requests()) < 2 { // until it has come in
		time.Sleep(time.Millisecond)
	}
	s.Close()
	<-done
}

func BenchmarkGrow(b *testing.B) {
	for b.Loop() {
		org := basetentest.NewOrg("Bench", 1, nil)
		org.Grow(basetentest.Seed{Users: 200, Keys: 5000, Audit: 100_000, UsageDays: 92})
	}
}
