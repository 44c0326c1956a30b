package git

import (
	"crypto/sha1"
	"crypto/sha256"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// A differ finds the blobs by which a tree differs from others, on both sides:
// what is new, and what was there in its place.
type differ struct {
	r        *repository
	reader   *pack.Reader
	seen     map[string]bool // pairs of trees that were compared
	want     map[pack.ID]bool
	problems []pack.Problem
}

func newDiffer(r *repository) differ {
	return differ{r: r, reader: r.Reader(), seen: map[string]bool{}, want: map[pack.ID]bool{}}
}

// diff compares a tree with those of the parents.
func (d *differ) diff(tree pack.ID, parents []pack.ID) {
	key := string(tree.Bytes())
	for _, p := range parents {
		if p == tree {
			return
		}
		key += string(p.Bytes())
	}
	if d.seen[key] {
		return
	}
	d.seen[key] = true
	entries := d.read(tree)
	before := make([]map[string]pack.TreeEntry, 0, len(parents))
	for _, p := range parents {
		m := map[string]pack.TreeEntry{}
		for _, e := range d.read(p) {
			m[string(e.Name)] = e
		}
		before = append(before, m)
	}
	for _, e := range entries {
		if !e.IsCommit() {
			d.entry(e, before)
		}
	}
}

// tree is that of a commit; the zero ID if there is none.
func (d *differ) tree(commit pack.ID) pack.ID {
	if commit.IsZero() {
		return commit
	}
	_, data, err := d.reader.Object(commit)
	if err != nil {
		d.problems = append(d.problems, pack.Problem{ID: commit, Err: err})
		return pack.ID{}
	}
	c, _ := pack.ParseCommit(data)
	return c.Tree
}

func (d *differ) entry(e pack.TreeEntry, before []map[string]pack.TreeEntry) {
	var trees, blobs []pack.ID
	for _, m := range before {
		old, ok := m[string(e.Name)]
		switch {
		case !ok || old.IsCommit():
		case old.ID == e.ID:
			return
		case old.IsTree():
			trees = append(trees, old.ID)
		default:
			blobs = append(blobs, old.ID)
		}
	}
	if e.IsTree() {
		d.diff(e.ID, trees)
		return
	}
	d.want[e.ID] = true
	for _, id := range blobs {
		d.want[id] = true
	}
}

// read gives the entries of a tree. What is not there is a problem, once.
func (d *differ) read(id pack.ID) (entries []pack.TreeEntry) {
	if id.IsZero() || id == emptyTree(d.r.HashSize()) {
		return nil
	}
	_, data, err := d.reader.Object(id)
	if err != nil {
		d.problems = append(d.problems, pack.Problem{ID: id, Err: err})
		return nil
	}
	for e, err := range pack.TreeEntries(data, d.r.HashSize()) {
		if err != nil {
			d.problems = append(d.problems, pack.Problem{ID: id, Err: err})
			break
		}
		entries = append(entries, e)
	}
	return entries
}

func emptyTree(hashSize int) pack.ID {
	if hashSize == sha256.Size {
		s := sha256.Sum256([]byte("tree 0\x00"))
		return pack.IDFromBytes(s[:])
	}
	s := sha1.Sum([]byte("tree 0\x00"))
	return pack.IDFromBytes(s[:])
}
