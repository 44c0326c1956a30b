//go:build unix

package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
)

// A damage breaks a repository that has one pack, and says which objects, or names
// of files, the report must name.
type damage struct {
	name string
	hurt func(t *testing.T, dir string) []string
}

// Each kind of damage is looked at alone and beside a key that is still there: the
// run ends, names what it could not read, and says so with its exit status.
func TestDamagedRepositories(t *testing.T) {
	for _, d := range []damage{
		{"a loose object is gone", loseLoose},
		{"a byte of a pack is another", flipPacked},
		{"a pack is cut short", cutPack},
		{"an index of a pack has another id", flipIndexID},
		{"an index of a pack has another offset", flipIndexOffset},
		{"an index of a pack is cut short", cutIndex},
		{"an index of a pack is garbage", garbageIndex},
		{"a pack is gone, and its index is not", losePack},
	} {
		for _, planted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, key %v", d.name, planted), func(t *testing.T) { testDamage(t, d, planted) })
		}
	}
}

func testDamage(t *testing.T, d damage, planted bool) {
	dir, key := damagedRepo(t, planted)
	named := d.hurt(t, dir)
	r := scanJSON(t, "--history-only", dir)
	want := 3
	if planted {
		want = 1
		if len(r.Findings) != 1 || !strings.HasPrefix(key, r.Findings[0].Prefix+".") || r.Findings[0].Locations[0].Path == "" {
			t.Errorf("findings %+v", r.Findings)
		}
	}
	if r.status != want || r.Summary.Complete {
		t.Errorf("exit status %d, want %d; complete %v", r.status, want, r.Summary.Complete)
	}
	for _, name := range named {
		if !r.names(name) {
			t.Errorf("%s is not named: %+v", name, r.Problems)
		}
	}
}

// damagedRepo makes the repository: files that do not compress, edited a few times,
// in one pack; then a commit whose objects are loose.
func damagedRepo(t *testing.T, planted bool) (dir, key string) {
	m := fakekey.New(78)
	dir = filepath.Join(t.TempDir(), "repo")
	gittest.Run(t, ".", "init", "-q", "-b", "main", dir)
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		gittest.Run(t, dir, "add", name)
		gittest.Run(t, dir, "commit", "-q", "-m", name)
	}
	for i := range 12 {
		put(fmt.Sprintf("f%d", i%4), randomText(m, 200))
	}
	gittest.Run(t, dir, "tag", "packed")
	gittest.Run(t, dir, "gc", "-q")
	put("loose", "loose")
	key = m.B10()
	if planted {
		put("key.env", key)
	}
	return dir, key
}

func loseLoose(t *testing.T, dir string) []string {
	id := gittest.Run(t, dir, "rev-parse", "HEAD:loose")
	if err := os.Remove(filepath.Join(dir, ".git/objects", id[:2], id[2:])); err != nil {
		t.Fatal(err)
	}
	return []string{id}
}

// A packed is an object in the pack, and where it begins.
type packed struct {
	id     string
	offset int
}

// blobsIn are the blobs of the pack in the order in which they lie there.
func blobsIn(t *testing.T, dir string) (all []packed) {
	for line := range strings.Lines(gittest.Run(t, dir, "verify-pack", "-v", onlyPack(t, dir)+".idx")) {
		if f := strings.Fields(line); len(f) >= 5 && f[1] == "blob" {
			offset, err := strconv.Atoi(f[4])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, packed{f[0], offset})
		}
	}
	slices.SortFunc(all, func(a, b packed) int { return a.offset - b.offset })
	if len(all) < 10 {
		t.Fatalf("%d blobs in the pack", len(all))
	}
	return all
}

// edit changes a file that git made read only.
func edit(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flipPacked(t *testing.T, dir string) []string {
	b := blobsIn(t, dir)[5]
	edit(t, onlyPack(t, dir)+".pack", func(d []byte) []byte { d[b.offset+1000] ^= 0x10; return d })
	return []string{b.id}
}

func cutPack(t *testing.T, dir string) (ids []string) {
	blobs := blobsIn(t, dir)
	edit(t, onlyPack(t, dir)+".pack", func(d []byte) []byte { return d[:blobs[6].offset+500] })
	for _, b := range blobs[6:] {
		ids = append(ids, b.id)
	}
	return ids
}

// The layout of a pack index of version 2, SHA-1: a header, a table of 256 counts,
// then the ids, a checksum for each, an offset for each.
const idsAt = 8 + 256*4

// indexed is the n-th id of an index, and how many there are.
func indexed(d []byte, n int) (id string, count int) {
	return hex.EncodeToString(d[idsAt+20*n : idsAt+20*(n+1)]), int(binary.BigEndian.Uint32(d[idsAt-4:]))
}

// flipIndexID changes a bit in the table of ids: what had the id is not to be found
// under it any more.
func flipIndexID(t *testing.T, dir string) (ids []string) {
	edit(t, onlyPack(t, dir)+".idx", func(d []byte) []byte {
		id, _ := indexed(d, 10)
		ids = []string{id}
		d[idsAt+20*10+19] ^= 0x10
		return d
	})
	return ids
}

func flipIndexOffset(t *testing.T, dir string) (ids []string) {
	edit(t, onlyPack(t, dir)+".idx", func(d []byte) []byte {
		id, n := indexed(d, 10)
		ids = []string{id}
		d[idsAt+24*n+4*10+3] ^= 0x01
		return d
	})
	return ids
}

func cutIndex(t *testing.T, dir string) []string {
	edit(t, onlyPack(t, dir)+".idx", func(d []byte) []byte { return d[:len(d)/2] })
	return []string{".idx"}
}

func garbageIndex(t *testing.T, dir string) []string {
	edit(t, onlyPack(t, dir)+".idx", func(d []byte) []byte { return []byte(strings.Repeat("nonsense", len(d)/8)) })
	return []string{".idx"}
}

// losePack names what the loose objects, and a reference, lead to: what else was in
// the pack nobody can know.
func losePack(t *testing.T, dir string) []string {
	id := gittest.Run(t, dir, "rev-parse", "packed")
	if err := os.Remove(onlyPack(t, dir) + ".pack"); err != nil {
		t.Fatal(err)
	}
	return []string{id}
}

// An index that is only gone costs nothing: the pack is read in order.
func TestPackWithoutIndexIsReadWhole(t *testing.T) {
	dir, _ := damagedRepo(t, true)
	before := scanJSON(t, "--history-only", dir)
	if err := os.Remove(onlyPack(t, dir) + ".idx"); err != nil {
		t.Fatal(err)
	}
	r := scanJSON(t, "--history-only", dir)
	if r.status != 1 || !r.Summary.Complete || !cmp.Equal(r.coverage(t).Kinds, before.coverage(t).Kinds) {
		t.Errorf("exit status %d, %+v, %+v", r.status, r.Problems, r.Summary)
	}
}

// What a partial clone left on the server, and what it fetched and lost, is named.
func TestPromisedObjectsAreNamed(t *testing.T) {
	origin, _ := damagedRepo(t, true)
	gittest.Run(t, origin, "config", "uploadpack.allowFilter", "true")
	gittest.Run(t, origin, "config", "uploadpack.allowAnySHA1InWant", "true")
	dir := filepath.Join(t.TempDir(), "clone")
	gittest.Run(t, ".", "clone", "-q", "--filter=blob:limit=1k", "--no-checkout", "file://"+origin, dir)
	left := strings.Fields(gittest.Run(t, dir, "rev-list", "--objects", "--all", "--missing=print"))
	left = slices.DeleteFunc(left, func(id string) bool { return !strings.HasPrefix(id, "?") })
	for i := range left {
		left[i] = left[i][1:]
	}
	slices.Sort(left)
	here, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*"))
	check := func(what string, want []string) {
		t.Helper()
		r := scanJSON(t, "--history-only", dir)
		c := r.coverage(t)
		if r.status != 1 || r.Summary.Complete || len(want) == 0 || c.Promised != len(want) || !slices.Equal(c.PromisedIDs, want) || len(c.Missing) != 0 || !r.names(want[0]) {
			t.Errorf("%s: exit status %d, %+v; want %v, got %+v", what, r.status, r.Problems, want, c)
		}
	}
	check("as cloned", left)
	gittest.Run(t, dir, "cat-file", "-p", left[0]) // fetches it
	check("with one more", left[1:])
	all, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*"))
	for _, name := range all {
		if slices.Contains(here, name) {
			continue
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	check("with that lost again", left)
}
