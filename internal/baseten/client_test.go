package baseten_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// TestTolerance: an answer with unknown fields, an unknown type, odd and missing
// dates is read as far as it goes.
func TestTolerance(t *testing.T) {
	const list = `{"next":1,"keys":[
		{"prefix":"a","type":"SOMETHING_NEW","shiny":{"x":[1]},"created_at":"2026-10-02T09:00:00.5Z","last_used_at":null},
		{"prefix":"b","type":"PERSONAL","name":null,"owner":{"user_id":"u"},"created_at":"2026-10-02T09:00:00.123456","last_used_at":"2026-10-02 10:00:00+02:00"},
		{"prefix":"c","type":"ROUTES","created_at":"yesterday","model_ids":[]}]}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(list))
	}))
	defer s.Close()
	endpoints, err := baseten.ResolveEndpoints(s.URL, "", lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	client, err := baseten.New(baseten.Options{Endpoints: endpoints, Credential: baseten.Credential{Key: secret.New("k")}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := client.Keys(context.Background())
	if err != nil || len(keys) != 3 {
		t.Fatal(keys, err)
	}
	a, b, c := keys[0], keys[1], keys[2]
	if !a.LastUsedAt.Null() || a.CreatedAt.Format(time.RFC3339Nano) != "2026-10-02T09:00:00.5Z" || a.Type != "SOMETHING_NEW" {
		t.Errorf("a: %+v", a)
	}
	if b.LastUsedAt.Null() || b.LastUsedAt.Hour() != 8 || b.CreatedAt.Nanosecond() != 123456000 || b.Facts().Owner != "u" {
		t.Errorf("b: %+v", b)
	}
	if c.LastUsedAt.Null() || !c.LastUsedAt.IsZero() || !c.CreatedAt.IsZero() || c.Facts().CreatedAt != nil {
		t.Errorf("c: %+v", c)
	}
	printed, err := json.Marshal([]baseten.Time{a.CreatedAt, a.LastUsedAt})
	if err != nil || string(printed) != `["2026-10-02T09:00:00.5Z",null]` {
		t.Errorf("%s %v", printed, err)
	}
}

func TestNewRefuses(t *testing.T) {
	w := basetentest.NewWorld(t)
	for says, change := range map[string]func(*baseten.Options){
		"no Baseten API key": func(o *baseten.Options) { o.Credential = baseten.Credential{} },
		"no address":         func(o *baseten.Options) { o.Endpoints.Management = nil },
		"was not named":      func(o *baseten.Options) { o.Endpoints.Management = mustURL(t, "https://evil.example") },
		"certificate":        func(o *baseten.Options) { o.CAFile = "/no/such/file" },
		"no PEM certificate": func(o *baseten.Options) { o.CAFile = emptyFile(t) },
	} {
		o := w.Options(w.Admin)
		change(&o)
		if _, err := baseten.New(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	o := w.Options(w.Admin)
	o.Endpoints.Inference = mustURL(t, "https://evil.example")
	if _, err := baseten.NewProbe(o, 0); err == nil || !strings.Contains(err.Error(), "was not named") {
		t.Errorf("probe: %v", err)
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAuditLog(t *testing.T) {
	w := basetentest.NewWorld(t)
	ci := w.Org.AddKey(basetentest.KeySpec{Name: "ci", CreatedBy: "admin@example.com", Created: basetentest.Noon.Add(-9 * time.Hour)})
	w.Org.AddUser("gone@example.com", "Gone", false)
	w.Org.RemoveUser("gone@example.com", basetentest.Noon.Add(-8*time.Hour), "admin@example.com")
	w.Org.AddDeployment(basetentest.Noon.Add(-7*time.Hour), "", ci.Prefix(), "API", "truss")
	w.Org.AddDeployment(basetentest.Noon.Add(-6*time.Hour), "admin@example.com", "", "UI", "")
	list := func(q baseten.AuditQuery) (lines []string) {
		for _, e := range collect(t, w.Client.AuditLog(context.Background(), q), 100) {
			lines = append(lines, strings.TrimSpace(strings.Join([]string{e.EventType, e.Source, e.Actor.String(), e.Data.RemovedUserEmail, e.ClientName}, " ")))
		}
		return lines
	}
	made, removed := "API_KEY_CREATED UI admin@example.com", "USER_REMOVED UI admin@example.com gone@example.com"
	byKey, byUser := "MODEL_DEPLOYED API key ci ("+ci.Prefix()+")  truss", "MODEL_DEPLOYED UI admin@example.com"
	for name, test := range map[string]struct {
		q    baseten.AuditQuery
		want []string
	}{
		"all":          {baseten.AuditQuery{}, []string{byUser, byKey, removed, made, made}},
		"oldest first": {baseten.AuditQuery{OldestFirst: true}, []string{made, made, removed, byKey, byUser}},
		"groups":       {baseten.AuditQuery{Groups: []string{baseten.GroupAPIKeys, baseten.GroupUserManagement}}, []string{removed, made, made}},
		"source":       {baseten.AuditQuery{Sources: []string{"API"}}, []string{byKey}},
		"since":        {baseten.AuditQuery{Start: basetentest.Noon.Add(-8 * time.Hour)}, []string{byUser, byKey, removed}},
	} {
		if diff := cmp.Diff(test.want, list(test.q)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for want, a := range map[string]baseten.AuditActor{
		"key b10_x": {Type: "API_KEY", APIKeyPrefix: "b10_x"}, "a user who was removed": {Type: "TOMBSTONE_USER"}, "Baseten": {Type: "BASETEN_SYSTEM"}, "": {},
	} {
		if got := a.String(); got != want {
			t.Errorf("%+v: %q", a, got)
		}
	}
}

func TestUsage(t *testing.T) {
	w := basetentest.NewWorld(t)
	a, b := w.Org.AddKey(basetentest.KeySpec{Name: "a"}), w.Org.AddKey(basetentest.KeySpec{Name: "b"})
	w.Org.AddUsage(a.Prefix(), "m1", basetentest.Noon.Add(-26*time.Hour), 3)
	w.Org.AddUsage(a.Prefix(), "m2", basetentest.Noon.Add(-25*time.Hour), 4)
	w.Org.AddUsage(b.Prefix(), "m1", basetentest.Noon.Add(-time.Hour), 5)
	w.Org.AddUsage(b.Prefix(), "m1", basetentest.Noon.AddDate(0, 0, -100), 99) // past the retention
	sum := func(q baseten.UsageQuery) map[string]int64 {
		got := map[string]int64{}
		q.Start, q.End = basetentest.Noon.AddDate(0, 0, -120), basetentest.Noon
		for _, bucket := range collect(t, w.Client.ModelAPIUsage(context.Background(), q), 5000) {
			for _, u := range bucket.Results {
				got[strings.TrimSpace(u.APIKeyPrefix+" "+u.Model)] += u.RequestCount
			}
		}
		return got
	}
	for name, test := range map[string]struct {
		q    baseten.UsageQuery
		want map[string]int64
	}{
		"by model":    {baseten.UsageQuery{}, map[string]int64{"m1": 8, "m2": 4}},
		"by key":      {baseten.UsageQuery{GroupBy: []string{"api_key"}}, map[string]int64{a.Prefix(): 7, b.Prefix(): 5}},
		"hours, both": {baseten.UsageQuery{GroupBy: []string{"api_key", "model"}, Width: "1h"}, map[string]int64{a.Prefix() + " m1": 3, a.Prefix() + " m2": 4, b.Prefix() + " m1": 5}},
	} {
		if diff := cmp.Diff(test.want, sum(test.q)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	w.Org.Touch(b.Prefix(), basetentest.Noon.Add(-time.Minute))
	if k := find(t, w.Client, b.Prefix()); !k.LastUsedAt.Equal(basetentest.Noon.Add(-time.Minute)) {
		t.Errorf("last used %s", k.LastUsedAt)
	}
}

// TestVerdictCache: a second run asks nothing about what the first one settled,
// and another organisation's run does not take its word.
func TestVerdictCache(t *testing.T) {
	w := basetentest.NewWorld(t)
	dir := t.TempDir()
	live, foreign := w.Org.AddKey(basetentest.KeySpec{Name: "ci"}), secret.New(fakekey.New(3).B10())
	run := func(client *baseten.Client, probe *baseten.Probe, keys ...secret.Secret) baseten.Result {
		t.Helper()
		w.Server.Forget()
		cache, problems := baseten.OpenCache(dir, w.Clock.Clock())
		if problems != nil {
			t.Fatal(problems)
		}
		res := baseten.NewVerifier(client, probe, cache).Verify(context.Background(), keys)
		if err := cache.Save(); err != nil {
			t.Fatal(err)
		}
		return res
	}
	first := run(w.Client, newProbe(t, w), live, foreign)
	asked := len(w.Server.Requests())
	second := run(w.Client, newProbe(t, w), live, foreign)
	if diff := cmp.Diff(first.Verdicts, second.Verdicts); diff != "" || asked == 0 || len(w.Server.Requests()) != 0 {
		t.Errorf("%d requests, then %d: %s", asked, len(w.Server.Requests()), diff)
	}
	if s := first.Verdicts[live.Digest()].Liveness.State; s != finding.Live {
		t.Errorf("live key: %s", s)
	}
	other := w.As(w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_MANAGE_ALL"}))
	if run(other, nil, live); w.Server.Count("GET", "/v1/api_keys") != 1 {
		t.Error("another credential took the first one's verdict")
	}
	w.Clock.Set(2*time.Hour, 0)
	if run(w.Client, nil, live); w.Server.Count("GET", "/v1/api_keys") != 1 {
		t.Error("a verdict of two hours ago was taken for a live key")
	}
	if run(nil, newProbe(t, w), foreign); len(w.Server.Requests()) != 0 {
		t.Error("a dead key was asked about again after two hours")
	}
	if res := baseten.NewVerifier(nil, nil, nil).Verify(context.Background(), []secret.Secret{live, {}}); len(res.Verdicts) != 1 ||
		res.Verdicts[live.Digest()].Liveness.State != finding.Unchecked {
		t.Errorf("without any method: %+v", res)
	}
}

// TestSystemClock waits for real, a little.
func TestSystemClock(t *testing.T) {
	w := basetentest.NewWorld(t)
	o := w.Options(w.Admin)
	o.Clock = clock.Clock{}
	o.Retry.Base = time.Millisecond
	c, err := baseten.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Unavailable, Times: 3})
	if _, err := c.Me(context.Background()); err != nil {
		t.Error(err)
	}
	w.Server.Inject(basetentest.Fault{Kind: basetentest.RateLimited, After: time.Minute})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := c.Me(ctx); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("a wait that the context ends: %v", err)
	}
}
