package baseten_test

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// noon is when tests happen.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fakeClock stands still until somebody sleeps by it, and remembers the sleeps.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *fakeClock { return &fakeClock{now: noon} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *fakeClock) Slept() (n int, total time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		total += d
	}
	return len(c.slept), total
}

func (c *fakeClock) clock() baseten.Clock { return baseten.Clock{Now: c.Now, Sleep: c.Sleep} }

// world is an organisation with a server and an admin's client.
type world struct {
	org    *basetentest.Org
	server *basetentest.Server
	clock  *fakeClock
	admin  secret.Secret
	client *baseten.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := newClock()
	org := basetentest.NewOrg("Test", 7, clock.Now)
	id := org.AddUser("admin@example.com", "Admin", true)
	w := &world{org: org, clock: clock}
	w.admin = org.AddKey(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: id})
	w.server = basetentest.Start(org)
	t.Cleanup(w.server.Close)
	w.client = w.as(t, w.admin)
	return w
}

// options are those of a client of this world.
func (w *world) options(t *testing.T, key secret.Secret) baseten.Options {
	t.Helper()
	env := map[string]string{baseten.EnvManagementURL: w.server.URL, baseten.EnvInferenceURL: w.server.InferenceURL}
	e, err := baseten.ResolveEndpoints("", "", lookup(env))
	if err != nil {
		t.Fatal(err)
	}
	return baseten.Options{Endpoints: e, Credential: baseten.Credential{Key: key}, UserAgent: "b10lint/test",
		Clock: w.clock.clock(), Timeout: 10 * time.Second, Retry: baseten.RetryPolicy{Jitter: func() float64 { return 0 }}}
}

func (w *world) as(t *testing.T, key secret.Secret) *baseten.Client {
	t.Helper()
	c, err := baseten.New(w.options(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lookup(env map[string]string) baseten.Lookup {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// newTLS serves h over TLS with a certificate that nobody trusts yet.
func newTLS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func writeCA(t *testing.T, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
