package drill_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/drill"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

func client(t *testing.T, b *drill.Baseten, key secret.Secret) *baseten.Client {
	t.Helper()
	e, err := baseten.ResolveEndpoints("", "", func(string) (string, bool) { return drill.URL, true })
	if err != nil {
		t.Fatal(err)
	}
	c, err := baseten.New(baseten.Options{Endpoints: e, Credential: baseten.Credential{Key: key}, Transport: b})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The stand-in has the organisation's keys, lets in what it made up and nothing else, and
// is as it was left when it is opened again; its file holds no secret half.
func TestDrill(t *testing.T) {
	ctx, path, now := context.Background(), filepath.Join(t.TempDir(), "organisation.json"), time.Now()
	mine := fakekey.New(77).B10()
	prefix := secret.New(mine).Prefix()
	b, err := drill.New(path, "yours", &baseten.Inventory{Keys: []baseten.Key{{Prefix: prefix, Name: "mine", Type: baseten.WorkspaceInvoke}},
		History: map[string]baseten.KeyHistory{prefix: {Type: "X", CreatedBy: "dev@example.com", Created: baseten.Time{Time: now}}}}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, b, secret.New(mine)).Keys(ctx); !baseten.IsUnauthorized(err) {
		t.Errorf("a real key: %v", err)
	}
	made, err := client(t, b, b.Admin).CreateKey(ctx, baseten.NewKey{Type: baseten.WorkspaceInvoke, Name: "successor"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client(t, b, b.Leaked).DeleteKey(ctx, b.Leaked.Prefix()); err != nil {
		t.Fatal(err)
	}
	again, err := drill.Open(path)
	if err != nil || again.Name != "yours" {
		t.Fatal(err)
	}
	if _, err := client(t, again, b.Leaked).Keys(ctx); !baseten.IsUnauthorized(err) {
		t.Errorf("the revoked key: %v", err)
	}
	keys, err := client(t, again, made).Keys(ctx)
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
		if k.Name == "mine" && (!k.LastUsedAt.IsZero() || k.LastUsedAt.Null()) {
			t.Errorf("a last use that the API does not give: %+v", k.LastUsedAt)
		}
	}
	if got := strings.Join(names, " "); err != nil || got != "mine drill-admin drill-backup successor" {
		t.Errorf("%s, %v", got, err)
	}
	inv, err := baseten.Gather(ctx, client(t, again, b.Admin), baseten.SourceKeys, baseten.SourceEvents, baseten.SourceActions, baseten.SourceUsage)
	if err != nil || inv.History[b.Leaked.Prefix()].Gone != true || len(inv.Deeds(b.Leaked.Prefix())) < 4 || len(inv.Descendants(b.Leaked.Prefix())) != 1 {
		t.Errorf("%v %+v", err, inv.History)
	}
	text, err := os.ReadFile(path)
	for _, k := range []secret.Secret{b.Admin, b.Leaked, made} {
		if _, half, _ := strings.Cut(k.Reveal(), "."); err != nil || strings.Contains(string(text), half) {
			t.Errorf("the file holds the secret half of %s: %v", k.Prefix(), err)
		}
	}
	for _, damage := range []string{"", "{}", "[]", `{"b10lint_drill":2}`} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := drill.Open(path); err == nil {
			t.Errorf("%q was taken", damage)
		}
	}
}
