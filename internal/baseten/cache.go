package baseten

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/clock"
)

// How long a verdict is good for. A revoked key cannot come back, but another
// service's may have been taken for one; a live key can be revoked at any time.
const (
	liveFor = time.Hour
	deadFor = 24 * time.Hour
)

const (
	cacheFile    = "verdicts.json"
	cacheVersion = 1
	maxCacheFile = 64 << 20
)

// A Cache keeps verdicts in a folder between runs. It holds no key: entries are
// found by a SHA-256 over the key's digest and what the verdict is about, so that
// neither another organisation's nor another host's verdict is ever taken.
// Unknown verdicts are not kept. It is not safe for use by several goroutines.
type Cache struct {
	path    string
	clock   clock.Clock
	entries map[string]cached
	dirty   bool
}

type cached struct {
	Until   time.Time       `json:"until"`
	Verdict finding.Verdict `json:"verdict"`
}

type cacheContent struct {
	Version int               `json:"version"`
	Entries map[string]cached `json:"entries"`
}

// OpenCache reads the cache in a folder, which need not be there yet. A file
// that is damaged, or too large, is left out of account and replaced by the next
// Save; the warning says so.
func OpenCache(dir string, by clock.Clock) (*Cache, []finding.Problem) {
	c := &Cache{path: filepath.Join(dir, cacheFile), clock: by.OrSystem(), entries: map[string]cached{}}
	content, err := readCache(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, []finding.Problem{{Path: c.path, Error: "verdict cache: " + err.Error(),
			Hint: "it is ignored and will be replaced", Warning: true}}
	}
	now := c.clock.Now()
	for id, e := range content.Entries {
		if now.Before(e.Until) && e.Until.Sub(now) <= deadFor && definite(e.Verdict.Liveness.State) {
			c.entries[id] = e
		}
	}
	c.dirty = len(c.entries) != len(content.Entries)
	return c, nil
}

func readCache(path string) (cacheContent, error) {
	var content cacheContent
	info, err := os.Stat(path)
	if err != nil {
		return content, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxCacheFile {
		return content, fmt.Errorf("not a file of at most %d bytes", maxCacheFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return content, err
	}
	if json.Unmarshal(data, &content) != nil {
		return content, errors.New("damaged: not the JSON that was written")
	}
	if content.Version != cacheVersion {
		return content, fmt.Errorf("version %d is not known", content.Version)
	}
	return content, nil
}

func definite(s finding.LiveState) bool {
	return s == finding.Live || s == finding.Restricted || s == finding.Dead
}

func cacheID(scope, digest string) string {
	sum := sha256.Sum256([]byte(scope + "\n" + digest))
	return hex.EncodeToString(sum[:])
}

func (c *Cache) get(scope, digest string) (finding.Verdict, bool) {
	e, ok := c.entries[cacheID(scope, digest)]
	if !ok || !c.clock.Now().Before(e.Until) {
		return finding.Verdict{}, false
	}
	return e.Verdict, true
}

func (c *Cache) put(scope, digest string, v finding.Verdict) {
	if !definite(v.Liveness.State) {
		return
	}
	good := liveFor
	if v.Liveness.State == finding.Dead {
		good = deadFor
	}
	c.entries[cacheID(scope, digest)] = cached{Until: c.clock.Now().Add(good).UTC(), Verdict: v}
	c.dirty = true
}

// Save writes what has changed, readable by the user alone. The file is replaced
// in one step: an interruption leaves the old one.
func (c *Cache) Save() error {
	if !c.dirty {
		return nil
	}
	data, err := json.Marshal(cacheContent{cacheVersion, c.entries})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return fmt.Errorf("verdict cache: %w", err)
	}
	if err := atomicfile.WriteFile(c.path, data, atomicfile.Mode{Perm: 0o600, Force: true}); err != nil {
		return fmt.Errorf("verdict cache: %w", err)
	}
	c.dirty = false
	return nil
}
