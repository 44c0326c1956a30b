package baseten_test

import (
	"context"
	"iter"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// The suite says what the program relies on. It runs against basetentest, and
// against the real service when BASETEN_CONFORMANCE_API_KEY holds an admin's key:
// there it only reads.
const envConformance = "BASETEN_CONFORMANCE_API_KEY"

func TestConformanceOfFake(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Org.AddModel("demo")
	w.Org.AddTeam("research")
	w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
	w.Org.Grow(basetentest.Seed{Users: 7, Keys: 60, Audit: 500, UsageDays: 40})
	w.Org.Trouble()
	options := w.Options(w.Admin)
	options.Transport = specified(t)
	client, err := baseten.New(options)
	if err != nil {
		t.Fatal(err)
	}
	conformsReading(t, client, basetentest.Noon)
	conformsRefusing(t, w.As(secret.New(fakekey.New(99).B10())))
	conformsWriting(t, client)
}

func TestConformanceOfBaseten(t *testing.T) {
	key := os.Getenv(envConformance)
	if key == "" {
		t.Skipf("set %s to an admin's key to run the suite against the real service, reading only", envConformance)
	}
	endpoints, err := baseten.ResolveEndpoints("", "", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	as := func(key secret.Secret) *baseten.Client {
		c, err := baseten.New(baseten.Options{Endpoints: endpoints, Credential: baseten.Credential{Key: key}, UserAgent: "b10lint/conformance"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	conformsReading(t, as(secret.New(key)), time.Now())
	conformsRefusing(t, as(secret.New(fakekey.New(uint64(time.Now().UnixNano())).B10())))
}

// conformsReading makes each reading call.
func conformsReading(t *testing.T, c *baseten.Client, now time.Time) {
	ctx := context.Background()
	t.Run("me", func(t *testing.T) {
		me, err := c.Me(ctx)
		if err != nil || me.UserID == "" {
			t.Fatalf("me: %+v, %v", me, err)
		}
	})
	t.Run("keys", func(t *testing.T) {
		keys, err := c.Keys(ctx)
		if err != nil || len(keys) == 0 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		seen := map[string]bool{}
		for _, k := range keys {
			if k.Prefix == "" || k.Type == "" || seen[k.Prefix] {
				t.Errorf("entry without prefix or type, or twice: %+v", k)
			}
			seen[k.Prefix] = true
			if (k.Type == baseten.Personal) != (k.Owner != nil) {
				t.Errorf("%s: an owner is for personal keys and only for them", k.Prefix)
			}
		}
	})
	t.Run("teams", func(t *testing.T) {
		teams, err := c.Teams(ctx, "")
		if err != nil || !slices.ContainsFunc(teams, func(t baseten.Team) bool { return t.Default && t.ID != "" }) {
			t.Fatalf("no default team: %+v, %v", teams, err)
		}
	})
	t.Run("models", func(t *testing.T) {
		if n, err := c.CountModels(ctx, "b10lint-no-such-model"); err != nil || n != 0 {
			t.Fatalf("%d models of a name that is not there, %v", n, err)
		}
	})
	t.Run("users", func(t *testing.T) {
		if users := collect(t, c.Users(ctx), 50); len(users) == 0 || users[0].UserID == "" {
			t.Fatalf("users: %+v", users)
		}
	})
	t.Run("audit log", func(t *testing.T) { conformsAudit(t, c) })
	t.Run("usage", func(t *testing.T) {
		q := baseten.UsageQuery{Start: now.Add(-40 * 24 * time.Hour), End: now, GroupBy: []string{"api_key", "model"}}
		buckets := collect(t, c.ModelAPIUsage(ctx, q), 1000)
		if len(buckets) < 40 || len(buckets) > 42 {
			t.Fatalf("%d buckets for 40 days", len(buckets))
		}
		for i, b := range buckets[1:] {
			if !b.StartTime.Equal(buckets[i].EndTime.Time) {
				t.Errorf("bucket %d starts at %s, the one before ends at %s", i+1, b.StartTime, buckets[i].EndTime)
			}
		}
	})
	t.Run("gateway", func(t *testing.T) {
		for g, err := range c.GatewayGroups(ctx) {
			if baseten.StatusOf(err) == http.StatusForbidden {
				t.Skip("the workspace does not use the gateway")
			}
			if err != nil || g.ID == "" {
				t.Fatalf("group %+v, %v", g, err)
			}
			for _, k := range collect(t, c.GatewayKeys(ctx, g.ID), 10) {
				if k.Prefix == "" {
					t.Errorf("group %s has a key without a prefix", g.ID)
				}
			}
		}
	})
}

func conformsAudit(t *testing.T, c *baseten.Client) {
	q := baseten.AuditQuery{Groups: []string{baseten.GroupAPIKeys}}
	entries := collect(t, c.AuditLog(context.Background(), q), 250)
	for i, e := range entries {
		if e.EventType != baseten.EventKeyCreated && e.EventType != baseten.EventKeyDeleted {
			t.Errorf("event %q is not of the group asked for", e.EventType)
		}
		if e.Data.Prefix == "" || e.Created.IsZero() || e.Actor.Type == "" {
			t.Errorf("entry lacks prefix, time or actor: %+v", e)
		}
		if i > 0 && e.Created.After(entries[i-1].Created.Time) {
			t.Errorf("entry %d is newer than the one before it", i)
		}
	}
}

// conformsRefusing calls with a key that nobody made.
func conformsRefusing(t *testing.T, c *baseten.Client) {
	t.Run("unknown key", func(t *testing.T) {
		if _, err := c.Me(context.Background()); baseten.StatusOf(err) != http.StatusUnauthorized {
			t.Errorf("me with an unknown key: %v", err)
		}
		if _, err := c.Keys(context.Background()); baseten.StatusOf(err) != http.StatusUnauthorized {
			t.Errorf("keys with an unknown key: %v", err)
		}
	})
}

// conformsWriting makes a key, finds it, removes it, and finds it gone.
func conformsWriting(t *testing.T, c *baseten.Client) {
	ctx := context.Background()
	teams, err := c.Teams(ctx, "research")
	if err != nil || len(teams) != 1 {
		t.Fatalf("teams: %v, %v", teams, err)
	}
	for _, k := range []baseten.NewKey{
		{Type: baseten.WorkspaceInvoke, Name: "conform-default"},
		{Type: baseten.WorkspaceManageAll, Name: "conform-team", TeamID: teams[0].ID},
		{Type: baseten.Personal},
	} {
		t.Run("write "+string(k.Type), func(t *testing.T) {
			made, err := c.CreateKey(ctx, k)
			if err != nil || made.Prefix() == "" {
				t.Fatalf("create: %v, %v", made, err)
			}
			if got := find(t, c, made.Prefix()); got == nil || got.Name != k.Name || got.Type != k.Type ||
				(k.TeamID != "" && got.TeamName != "research") {
				t.Fatalf("listed as %+v, made as %+v", got, k)
			}
			if err := c.DeleteKey(ctx, made.Prefix()); err != nil {
				t.Fatal(err)
			}
			if got := find(t, c, made.Prefix()); got != nil {
				t.Errorf("still listed: %+v", got)
			}
			if err := c.DeleteKey(ctx, made.Prefix()); baseten.StatusOf(err) != http.StatusNotFound {
				t.Errorf("second delete: %v", err)
			}
		})
	}
	for g, err := range c.GatewayGroups(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		prefix := collect(t, c.GatewayKeys(ctx, g.ID), 1)[0].Prefix
		if err := c.DeleteGatewayKey(ctx, g.ID, prefix); err != nil {
			t.Fatal(err)
		}
		if left := collect(t, c.GatewayKeys(ctx, g.ID), 1); len(left) != 0 {
			t.Errorf("gateway key still listed: %+v", left)
		}
	}
}

func find(t *testing.T, c *baseten.Client, prefix string) *baseten.Key {
	t.Helper()
	keys, err := c.Keys(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Prefix == prefix {
			return &k
		}
	}
	return nil
}

// collect takes up to n items of a sequence and fails on an error.
func collect[T any](t *testing.T, seq iter.Seq2[T, error], n int) []T {
	t.Helper()
	var items []T
	for item, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if items = append(items, item); len(items) == n {
			break
		}
	}
	return items
}
