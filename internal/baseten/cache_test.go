package baseten

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	clock := clock.Clock{Now: func() time.Time { return now }}
	key := secret.New(fakekey.New(1).B10())
	verdict := func(s finding.LiveState) finding.Verdict {
		at := now
		return finding.Verdict{Liveness: finding.Liveness{State: s, By: ByProbe, At: &at, Detail: "d"}, Key: &finding.Key{Name: "n"}}
	}
	c, problems := OpenCache(dir, clock)
	if problems != nil {
		t.Fatal(problems)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a cache without verdicts was written")
	}
	c.put("s", key.Digest(), verdict(finding.Live))
	c.put("other", key.Digest(), verdict(finding.Dead))
	c.put("third", key.Digest(), verdict(finding.Unknown))
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, cacheFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, half, _ := strings.Cut(key.Reveal(), "."); strings.Contains(string(data), half) || strings.Contains(string(data), key.Digest()) {
		t.Error("the file holds the key or its plain digest")
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", info.Mode())
	}
	for _, step := range []struct {
		after      time.Duration
		live, dead bool
	}{{0, true, true}, {time.Hour - time.Second, true, true}, {time.Hour, false, true}, {24 * time.Hour, false, false}} {
		start := now
		now = now.Add(step.after)
		again, problems := OpenCache(dir, clock)
		_, live := again.get("s", key.Digest())
		got, dead := again.get("other", key.Digest())
		_, unknown := again.get("third", key.Digest())
		if live != step.live || dead != step.dead || unknown || problems != nil {
			t.Errorf("after %s: live %v, dead %v, unknown %v, %v", step.after, live, dead, unknown, problems)
		}
		now = start
		if dead {
			if diff := cmp.Diff(verdict(finding.Dead), got); diff != "" {
				t.Error(diff)
			}
		}
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

func TestDamagedCache(t *testing.T) {
	for name, text := range map[string]string{
		"torn": `{"version":1,"entries":{"a`, "empty": "", "another version": `{"version":9}`, "another form": `[]`, "binary": "\x00\xff",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, cacheFile)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, problems := OpenCache(dir, clock.Clock{})
			if len(problems) != 1 || !problems[0].Warning || problems[0].Path != path {
				t.Fatalf("problems: %+v", problems)
			}
			c.put("s", "d", finding.Verdict{Liveness: finding.Liveness{State: finding.Dead}})
			if err := c.Save(); err != nil {
				t.Fatal(err)
			}
			if again, problems := OpenCache(dir, clock.Clock{}); problems != nil || len(again.entries) != 1 {
				t.Errorf("not written anew: %v", problems)
			}
		})
	}
}

// TestForgedCache: entries that outlive what we would ever write are not believed.
func TestForgedCache(t *testing.T) {
	dir := t.TempDir()
	text := `{"version":1,"entries":{"` + cacheID("s", "d") + `":{"until":"2099-01-01T00:00:00Z","verdict":{"liveness":{"state":"dead"}}}}}`
	if err := os.WriteFile(filepath.Join(dir, cacheFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ := OpenCache(dir, clock.Clock{})
	if _, ok := c.get("s", "d"); ok {
		t.Error("a verdict good until 2099 was taken")
	}
}

// FuzzCache: no file makes reading it panic or gives a verdict past its time.
func FuzzCache(f *testing.F) {
	f.Add([]byte(`{"version":1,"entries":{"a":{"until":"2026-11-21T12:00:00Z","verdict":{"liveness":{"state":"live"}}}}}`)) // well formed
	f.Add([]byte(`{"version":1,"entries":{"a":{"until":"9999-99-99"}}}`))                                                   // a date that is none
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, cacheFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		c, _ := OpenCache(dir, clock.Clock{})
		for _, e := range c.entries {
			if !e.Until.After(now) || !definite(e.Verdict.Liveness.State) {
				t.Errorf("kept %+v", e)
			}
		}
	})
}
