package baseten_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// cast is a set of keys in every state.
type cast struct {
	keys  map[string]secret.Secret
	names []string
}

func (c *cast) add(name string, k secret.Secret) {
	c.keys[name] = k
	c.names = append(c.names, name)
}

func (c *cast) all() []secret.Secret {
	var keys []secret.Secret
	for _, n := range c.names {
		keys = append(keys, c.keys[n])
	}
	return keys
}

func newCast(w *basetentest.World) *cast {
	c := &cast{keys: map[string]secret.Secret{}}
	dev := w.Org.AddUser("dev@example.com", "Dev", false)
	made := basetentest.Noon.AddDate(0, -1, 0)
	old := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	used := basetentest.Noon.Add(-time.Hour)
	c.add("personal", w.Org.AddKey(basetentest.KeySpec{Name: "laptop", Type: "PERSONAL", Owner: dev, Created: made, LastUsed: &used}))
	c.add("legacy", w.Org.AddKey(basetentest.KeySpec{Name: "ci", Type: "WORKSPACE_MANAGE_ALL", Created: old}))
	c.add("invoke", w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_INVOKE", ModelIDs: []string{"abcd1234"}, Created: made}))
	c.add("metrics", w.Org.AddKey(basetentest.KeySpec{Name: "prometheus", Type: "WORKSPACE_EXPORT_METRICS", Created: made}))
	c.add("manage-keys", w.Org.AddKey(basetentest.KeySpec{Name: "minter", Type: "WORKSPACE_MANAGE_API_KEYS", Created: made}))
	c.add("routes", w.Org.AddKey(basetentest.KeySpec{Name: "harness", Type: "ROUTES", Created: made}))
	c.add("revoked", w.Org.AddKey(basetentest.KeySpec{Name: "gone", Created: old, CreatedBy: "dev@example.com"}))
	if err := w.Org.DeleteKey(c.keys["revoked"].Prefix(), "admin@example.com", basetentest.Noon.AddDate(0, 0, -3)); err != nil {
		panic(err)
	}
	group := w.Org.AddGroup("Acme", "")
	c.add("federated", w.Org.AddGatewayKey(group, "acme-prod"))
	brought := secret.New(fakekey.New(5).Word(48))
	w.Org.RegisterGatewayKey(group, "acme-own", brought)
	c.add("registered", brought)
	c.add("foreign", secret.New(fakekey.New(6).B10()))
	c.add("foreign-legacy", secret.New(fakekey.New(6).Legacy()))
	c.add("foreign-federated", secret.New(fakekey.New(6).Federated()))
	return c
}

func (c *cast) states(res baseten.Result) map[string]string {
	got := map[string]string{}
	for name, k := range c.keys {
		v := res.Verdicts[k.Digest()]
		got[name] = string(v.Liveness.State) + " by " + v.Liveness.By
	}
	return got
}

// nothingSent fails when any key of the cast came to the server.
func (c *cast) nothingSent(t *testing.T, w *basetentest.World) {
	t.Helper()
	for name, k := range c.keys {
		if w.Server.Received(k) {
			t.Errorf("the %s key was sent", name)
		}
	}
	if !w.Server.Received(w.Admin) {
		t.Error("the record does not even hold the admin's key: it proves nothing")
	}
}

func TestInventory(t *testing.T) {
	w := basetentest.NewWorld(t)
	c := newCast(w)
	v := baseten.NewVerifier(w.Client, nil, nil)
	res := v.Verify(context.Background(), append(c.all(), c.all()...))
	want := map[string]string{
		"personal": "live by inventory", "legacy": "live by inventory", "invoke": "live by inventory", "metrics": "live by inventory",
		"manage-keys": "live by inventory", "routes": "live by inventory", "revoked": "dead by audit-log",
		"federated": "live by inventory", "registered": "live by inventory", "foreign": "unknown by inventory",
		"foreign-legacy": "unknown by inventory", "foreign-federated": "unknown by inventory",
	}
	if diff := cmp.Diff(want, c.states(res)); diff != "" {
		t.Error(diff)
	}
	if len(res.Problems) != 0 {
		t.Errorf("problems: %+v", res.Problems)
	}
	c.nothingSent(t, w)

	v.Verify(context.Background(), c.all()) // from memory
	if n := w.Server.Count("GET", "/v1/api_keys"); n != 1 {
		t.Errorf("%d list calls", n)
	}
	created, used := basetentest.Noon.AddDate(0, -1, 0), basetentest.Noon.Add(-time.Hour)
	if diff := cmp.Diff(&finding.Key{Name: "laptop", Type: "PERSONAL", Owner: "dev@example.com", CreatedAt: &created, LastUsedAt: &used},
		res.Verdicts[c.keys["personal"].Digest()].Key); diff != "" {
		t.Error(diff)
	}
	gone := res.Verdicts[c.keys["revoked"].Digest()]
	if gone.Key.RevokedBy != "admin@example.com" || gone.Key.CreatedBy != "dev@example.com" || !gone.Key.RevokedAt.Equal(basetentest.Noon.AddDate(0, 0, -3)) ||
		gone.Liveness.Detail != "revoked on 2026-11-18 by admin@example.com" || !gone.Liveness.At.Equal(w.Clock.Now()) {
		t.Errorf("revoked key: %+v %+v", gone.Liveness, gone.Key)
	}
	if k := res.Verdicts[c.keys["federated"].Digest()].Key; k.Group == "" || k.Name != "acme-prod" {
		t.Errorf("federated key: %+v", k)
	}
}

func TestInventoryWithoutGatewayAndAudit(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Org.MultiTeam = true
	service := w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_MANAGE_API_KEYS"})
	foreign := secret.New(fakekey.New(6).B10())
	res := baseten.NewVerifier(w.As(service), nil, nil).Verify(context.Background(), []secret.Secret{foreign, service})
	if v := res.Verdicts[foreign.Digest()]; v.Liveness.State != finding.Unknown || !strings.Contains(v.Liveness.Detail, "audit log could not be read") {
		t.Errorf("foreign: %+v", v.Liveness)
	}
	if v := res.Verdicts[service.Digest()]; v.Liveness.State != finding.Live {
		t.Errorf("service: %+v", v.Liveness)
	}
	if len(res.Problems) != 1 || !res.Problems[0].Warning || !strings.Contains(res.Problems[0].Error, "403") {
		t.Errorf("a refused audit log is a warning: %+v", res.Problems)
	}
}

func TestInventorySharedPrefix(t *testing.T) {
	w := basetentest.NewWorld(t)
	real := w.Org.AddKey(basetentest.KeySpec{Name: "real"})
	fake := secret.New(real.Prefix() + "." + fakekey.New(3).Word(32))
	res := baseten.NewVerifier(w.Client, nil, nil).Verify(context.Background(), []secret.Secret{real, fake})
	for _, k := range []secret.Secret{real, fake} {
		if v := res.Verdicts[k.Digest()]; v.Liveness.State != finding.Live || !strings.Contains(v.Liveness.Detail, "2 different found keys") {
			t.Errorf("%+v", v.Liveness)
		}
	}
}

func newProbe(t *testing.T, w *basetentest.World) *baseten.Probe {
	t.Helper()
	p, err := baseten.NewProbe(w.Options(w.Admin), 5)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProbe(t *testing.T) {
	for _, public := range []bool{false, true} {
		t.Run(fmt.Sprintf("public inference %v", public), func(t *testing.T) {
			w := basetentest.NewWorld(t)
			w.Org.PublicInference = public
			c := newCast(w)
			res := baseten.NewVerifier(nil, newProbe(t, w), nil).Verify(context.Background(), append(c.all(), c.all()...))
			want := map[string]string{
				"personal": "live", "legacy": "live", "invoke": "live", "metrics": "restricted", "manage-keys": "live", "routes": "live",
				"revoked": "dead", "federated": "live", "registered": "live", "foreign": "dead", "foreign-legacy": "dead", "foreign-federated": "dead",
			}
			if public { // what only the inference API knows cannot be told then
				want["invoke"], want["routes"] = "restricted", "restricted"
				want["federated"], want["foreign-federated"] = "unknown", "unknown"
				want["registered"] = "unknown"
			}
			for name := range want {
				want[name] += " by probe"
			}
			if diff := cmp.Diff(want, c.states(res)); diff != "" {
				t.Error(diff)
			}
			checkProbeManners(t, w, c)
			if k := res.Verdicts[c.keys["personal"].Digest()].Key; k == nil || k.Owner != "dev@example.com" {
				t.Errorf("facts of a personal key: %+v", k)
			}
		})
	}
}

// checkProbeManners looks at what was sent: only reading routes, one control for
// each route and form, each key at most once on a route, five a second.
func checkProbeManners(t *testing.T, w *basetentest.World, c *cast) {
	t.Helper()
	allowed := []string{"/v1/users/me", "/v1/models", "/v1/api_keys"}
	seen := map[string]int{}
	controls := map[string]map[string]bool{}
	found := map[string]bool{}
	for _, k := range c.keys {
		found[k.Prefix()] = true
	}
	requests := w.Server.Requests()
	for i, r := range requests {
		if r.Method != http.MethodGet || !slices.Contains(allowed, r.Path) || r.UserAgent != "b10lint/test" {
			t.Errorf("%+v is not a probe's request", r)
		}
		if r.Path == "/v1/models" && r.Service == basetentest.Management && !strings.HasPrefix(r.Query, "name=b10lint-") {
			t.Errorf("models are asked for by a name that is not there, not by %q", r.Query)
		}
		route := fmt.Sprintf("%s %s %s", r.Service, r.Path, r.Scheme)
		seen[route+r.KeyPrefix]++
		if r.KeyPrefix != "" && seen[route+r.KeyPrefix] > 1 {
			t.Errorf("%s was asked %d times with %s", route, seen[route+r.KeyPrefix], r.KeyPrefix)
		}
		form := "b10"
		if !strings.HasPrefix(r.KeyPrefix, "b10_") {
			form = map[int]string{8: "legacy", 16: "federated", 0: "registered"}[len(r.KeyPrefix)]
		}
		if !found[r.KeyPrefix] {
			if controls[route] == nil {
				controls[route] = map[string]bool{}
			}
			if controls[route][form] {
				t.Errorf("second control on %s for %s", route, form)
			}
			controls[route][form] = true
		} else if r.KeyPrefix != "" && !controls[route][form] {
			t.Errorf("%s was asked with a found %s key before any control", route, form)
		}
		if i >= 5 {
			if d := r.At.Sub(requests[i-5].At); d < 999*time.Millisecond {
				t.Errorf("requests %d to %d within %s", i-5, i, d)
			}
		}
	}
}

func TestInventoryThenProbe(t *testing.T) {
	w := basetentest.NewWorld(t)
	c := newCast(w)
	v := baseten.NewVerifier(w.Client, newProbe(t, w), nil)
	res := v.Verify(context.Background(), c.all())
	for name, k := range c.keys {
		foreign := strings.HasPrefix(name, "foreign")
		if w.Server.Received(k) != foreign {
			t.Errorf("%s: sent is %v; only what the inventory does not know is probed", name, !foreign)
		}
		if foreign && res.Verdicts[k.Digest()].Liveness.State != finding.Dead {
			t.Errorf("%s: %+v", name, res.Verdicts[k.Digest()].Liveness)
		}
	}
}

// TestInventoryOf10000 holds the number of calls; BenchmarkInventory
// tells the time.
func TestInventoryOf10000(t *testing.T) {
	w := basetentest.NewWorld(t)
	keys := w.Org.Grow(basetentest.Seed{Users: 20, Keys: 10_600})[:10_000]
	res := baseten.NewVerifier(w.Client, nil, nil).Verify(context.Background(), keys)
	live := 0
	for _, v := range res.Verdicts {
		if v.Liveness.State == finding.Live {
			live++
		}
	}
	if requests := w.Server.Requests(); live != 10_000 || len(requests) != 1 || requests[0].Path != "/v1/api_keys" {
		t.Errorf("%d live keys after %d requests", live, len(requests))
	}
}

func BenchmarkInventory(b *testing.B) {
	org := basetentest.NewOrg("Bench", 1, nil)
	admin := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: org.AddUser("a@example.com", "A", true)})
	keys := org.Grow(basetentest.Seed{Users: 20, Keys: 10_600})[:10_000]
	server := basetentest.Start(org)
	defer server.Close()
	endpoints, err := baseten.ResolveEndpoints(server.URL, "", lookup(nil))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		client, err := baseten.New(baseten.Options{Endpoints: endpoints, Credential: baseten.Credential{Key: admin}})
		if err != nil {
			b.Fatal(err)
		}
		res := baseten.NewVerifier(client, nil, nil).Verify(context.Background(), keys)
		if len(res.Verdicts) != len(keys) || len(res.Problems) > 0 {
			b.Fatal(res.Problems)
		}
	}
}
