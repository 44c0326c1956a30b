package revoke

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// world is an organisation with a server, an admin's client and a folder.
type world struct {
	*basetentest.World
	t    *testing.T
	dir  string // for journals
	keys []secret.Secret
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: basetentest.NewWorld(t), t: t, dir: filepath.Join(t.TempDir(), "state")}
	w.Org.Gateway = true
	w.keys = append(w.keys, w.Admin)
	w.Client = w.as(w.Admin)
	return w
}

// add adds a key that is as old as the new format allows, and that the log tells of.
func (w *world) add(s basetentest.KeySpec) secret.Secret {
	if s.Created.IsZero() {
		s.Created = basetentest.Noon.AddDate(0, -1, 0)
	}
	s.CreatedBy = "admin@example.com"
	k := w.Org.AddKey(s)
	w.keys = append(w.keys, k)
	return k
}

func (w *world) options(key secret.Secret) baseten.Options {
	o := w.Options(key)
	o.Timeout = 200 * time.Millisecond
	return o
}

func (w *world) as(key secret.Secret) *baseten.Client { return w.New(w.options(key)) }

func (w *world) probe() *baseten.Probe {
	w.t.Helper()
	p, err := baseten.NewProbe(w.options(w.Admin), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) survey() *Survey {
	w.t.Helper()
	s, err := TakeSurvey(context.Background(), w.Client, w.Admin.Prefix())
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
		list = append(list, Wanted{Prefix: k.Prefix(), ID: k.Digest()[:32], Leaked: true, Places: []string{"app.py:3"}, Proof: ByProbe})
	}
	return list
}

func (w *world) execute() Options {
	return Options{Client: w.Client, Self: w.Admin.Prefix(), Credential: w.Admin.Prefix() + " from the test", Clock: w.Clock.Clock()}
}

// alive reports whether the list has a key with a prefix.
func (w *world) alive(prefix string) bool {
	w.t.Helper()
	w.Server.Heal()
	keys, err := w.Client.Keys(context.Background())
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
	o := w.options(w.Admin)
	o.Timeout, o.Retry.Attempts = 60*time.Millisecond, 2
	return w.New(o)
}

// slept is how long the clock was slept by.
func (w *world) slept() time.Duration {
	_, total := w.Clock.Slept()
	return total
}
