package git

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/notebook"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// cacheForm changes with the form of the files in a cache.
const cacheForm = "2"

// maxNeeds bounds the loose objects that one entry may depend on.
const maxNeeds = 10_000

// A packEntry is what a cache keeps of one pack: which of its objects have to be
// read again. It holds ids of objects and nothing of what they contain; the
// keys come from the repository itself each time.
type packEntry struct {
	// Beside are the packs it was read together with. When one is gone, an object
	// may have lost its sound copy.
	Beside []string `json:"beside"`
	// Again are the objects that held something, or are archives or pictures.
	Again []string `json:"again"`
	// Needs are objects that the pack refers to and no pack had.
	Needs []string `json:"needs"`
}

// A packCache is a folder of such entries. A nil one remembers nothing.
type packCache struct {
	h     *History
	names map[string]string // of the packs in the store: path to name
	again []pack.ID
	needs []pack.ID // of the packs that are not read
}

// openCache reads what is known of the packs of r, and gives the paths of those
// that need not be read. Entries that are damaged or do not fit are excluded, and
// the damaged ones removed.
func (h *History) openCache(r *repository, to source.Sink) (*packCache, []string, error) {
	if h.opts.Cache == "" || h.opts.Version == "" {
		return nil, nil, nil
	}
	c := &packCache{h: h, names: map[string]string{}}
	for _, p := range r.Packs() {
		if name, err := packName(p.Path, r.HashSize()); err == nil && !p.Unindexed {
			c.names[p.Path] = name
		}
	}
	here := slices.Sorted(maps.Values(c.names))
	var skip []string
	for _, path := range slices.Sorted(maps.Keys(c.names)) {
		e, err := c.read(c.names[path])
		if err != nil {
			if err := to.Problem(finding.Problem{Path: filepath.ToSlash(h.opts.Cache), Warning: true,
				Error: "an entry of the cache was dropped: " + err.Error()}); err != nil {
				return nil, nil, err
			}
		}
		if e != nil && c.fits(e, r, here) {
			skip = append(skip, path)
		}
	}
	c.again = sortedIDs(c.again)
	return c, skip, nil
}

// packName is the pack's file name and its last bytes, which are its checksum.
func packName(name string, hashSize int) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	sum := make([]byte, hashSize)
	if _, err := f.ReadAt(sum, info.Size()-int64(hashSize)); err != nil {
		return "", err
	}
	return filepath.Base(name) + ":" + hex.EncodeToString(sum), nil
}

// file is where the entry of a pack is: the name says for which form of entries, which
// detector and which pack it holds.
func (c *packCache) file(name string) string {
	sum := sha256.Sum256([]byte(cacheForm + "\x00" + c.h.opts.Version + "\x00" + name))
	return filepath.Join(c.h.opts.Cache, "pack-"+hex.EncodeToString(sum[:16]))
}

// read gives an entry; nil when there is none. A file is the entry's checksum, a
// line feed, and the entry.
func (c *packCache) read(name string) (*packEntry, error) {
	data, err := os.ReadFile(c.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sum, body, _ := bytes.Cut(data, []byte{'\n'})
	want := sha256.Sum256(body)
	var e packEntry
	if string(sum) != hex.EncodeToString(want[:]) || json.Unmarshal(body, &e) != nil {
		_ = os.Remove(c.file(name))
		return nil, errors.New(filepath.Base(c.file(name)) + " is damaged")
	}
	return &e, nil
}

// fits reports whether an entry holds for the store as it is now, and notes what
// is to be read again. here is sorted.
func (c *packCache) fits(e *packEntry, r *repository, here []string) bool {
	for _, b := range e.Beside {
		if _, ok := slices.BinarySearch(here, b); !ok {
			return false
		}
	}
	var ids []pack.ID
	for _, text := range slices.Concat(e.Again, e.Needs) {
		id, err := pack.ParseID(text)
		if err != nil || !r.Has(id) {
			return false
		}
		ids = append(ids, id)
	}
	c.again = append(c.again, ids[:len(e.Again)]...)
	c.needs = append(c.needs, ids[len(e.Again):]...)
	return true
}

// worthAnother reports whether an object without a match of its own must be looked
// at in each run, because matches may be in what it packs or shows.
func (c *packCache) worthAnother(o *pack.Object) bool {
	return c != nil && (o.Window != nil || packsMore(o))
}

// packsMore reports whether an object may hold more than its own bytes.
func packsMore(o *pack.Object) bool {
	return archive.Sniff(o.Data, o.Data) || unpack.IsPicture(o.Data) || notebook.LooksLike(o.Data)
}

// store writes the entries of all packs, unless something could not be read.
func (c *packCache) store(r *repository, again []pack.ID, conn *connectivity, sound bool) error {
	if c == nil || !sound || len(conn.absent) > 0 {
		return nil
	}
	needs := sortedIDs(append(c.needs, conn.loose...))
	if len(needs) > maxNeeds {
		return nil
	}
	if err := os.MkdirAll(c.h.opts.Cache, 0o700); err != nil {
		return err
	}
	e := packEntry{Beside: slices.Sorted(maps.Values(c.names)), Again: []string{}, Needs: []string{}}
	for _, id := range needs {
		e.Needs = append(e.Needs, id.String())
	}
	in := map[string][]string{}
	for _, id := range again {
		for _, path := range r.HeldBy(id) {
			in[path] = append(in[path], id.String())
		}
	}
	for path, name := range c.names {
		e.Again = in[path]
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		data := hex.EncodeToString(sum[:]) + "\n" + string(body)
		if err := atomicfile.WriteFile(c.file(name), []byte(data), atomicfile.Mode{Perm: 0o600, Force: true}); err != nil {
			return err
		}
	}
	return nil
}
