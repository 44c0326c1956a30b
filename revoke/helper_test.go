package revoke

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// noon is when tests happen.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fakeClock stands still until somebody sleeps by it.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
	jump  time.Duration // added at every reading
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.jump)
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept += d
	return ctx.Err()
}

func (c *fakeClock) clock() baseten.Clock { return baseten.Clock{Now: c.Now, Sleep: c.Sleep} }

// world is an organisation with a server and an admin's client.
type world struct {
	t      *testing.T
	org    *basetentest.Org
	server *basetentest.Server
	clock  *fakeClock
	admin  secret.Secret
	me     string // the admin's user id
	client *baseten.Client
	dir    string // for journals
	keys   []secret.Secret
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := &fakeClock{now: noon}
	w := &world{t: t, clock: clock, org: basetentest.NewOrg("Test", 8, clock.Now), dir: filepath.Join(t.TempDir(), "state")}
	w.org.Gateway = true
	w.me = w.org.AddUser("admin@example.com", "Admin", true)
	w.admin = w.add(basetentest.KeySpec{Name: "admin", Type: "PERSONAL", Owner: w.me})
	w.server = basetentest.Start(w.org)
	t.Cleanup(w.server.Close)
	w.client = w.as(w.admin)
	return w
}

// add adds a key that is as old as the new format allows, and that the log tells of.
func (w *world) add(s basetentest.KeySpec) secret.Secret {
	if s.Created.IsZero() {
		s.Created = noon.AddDate(0, -1, 0)
	}
	s.CreatedBy = "admin@example.com"
	k := w.org.AddKey(s)
	w.keys = append(w.keys, k)
	return k
}

func (w *world) options(key secret.Secret) baseten.Options {
	env := map[string]string{baseten.EnvManagementURL: w.server.URL, baseten.EnvInferenceURL: w.server.InferenceURL}
	e, err := baseten.ResolveEndpoints("", "", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		w.t.Fatal(err)
	}
	return baseten.Options{Endpoints: e, Credential: baseten.Credential{Key: key}, Clock: w.clock.clock(), Timeout: 200 * time.Millisecond,
		Retry: baseten.RetryPolicy{Jitter: func() float64 { return 0 }}}
}

func (w *world) as(key secret.Secret) *baseten.Client {
	w.t.Helper()
	c, err := baseten.New(w.options(key))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) probe() *baseten.Probe {
	w.t.Helper()
	p, err := baseten.NewProbe(w.options(w.admin), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) survey() *Survey {
	w.t.Helper()
	s, err := TakeSurvey(context.Background(), w.client, w.admin.Prefix())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// plan makes a plan that must not fail.
func (w *world) plan(r Request) *Plan {
	w.t.Helper()
	p, err := NewPlan(w.survey(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// wanted asks for keys that leaked.
func wanted(keys ...secret.Secret) (list []Wanted) {
	for _, k := range keys {
		list = append(list, Wanted{Prefix: k.Prefix(), ID: k.Digest()[:32], Leaked: true, Places: []string{"app.py:3"}})
	}
	return list
}

func (w *world) execute() Options {
	return Options{Client: w.client, Self: w.admin.Prefix(), Credential: w.admin.Prefix() + " from the test", Clock: w.clock.clock()}
}

// alive reports whether the list has a key with a prefix.
func (w *world) alive(prefix string) bool {
	w.t.Helper()
	w.server.Heal()
	keys, err := w.client.Keys(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range keys {
		if k.Prefix == prefix {
			return true
		}
	}
	return false
}

// hidden fails when any part of a secret half of 8 characters is in a text.
func hidden(t *testing.T, what, text string, keys ...secret.Secret) {
	t.Helper()
	for _, k := range keys {
		_, half, _ := strings.Cut(k.Reveal(), ".")
		for i := 0; i+8 <= len(half); i++ {
			if strings.Contains(text, half[i:i+8]) {
				t.Errorf("%s shows a part of the secret half of %s", what, k.Prefix())
				return
			}
		}
	}
}

// hiddenIn fails when a file below a folder holds a part of a secret half, or can
// be read by others.
func hiddenIn(t *testing.T, dir string, keys ...secret.Secret) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		hidden(t, path, string(data), keys...)
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && filepath.Separator == '/' {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// journals returns the files of a folder.
func journals(t *testing.T, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

// impatient returns the admin's client with short timeouts and few attempts.
func (w *world) impatient() *baseten.Client {
	w.t.Helper()
	o := w.options(w.admin)
	o.Timeout, o.Retry.Attempts = 60*time.Millisecond, 2
	c, err := baseten.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
