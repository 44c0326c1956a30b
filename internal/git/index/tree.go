package index

import (
	"bytes"
	"strconv"
)

// A Tree is a folder whose tree object the index remembers.
type Tree struct {
	Name    string
	Entries int    // of the index, in it and below
	ID      []byte // nil when something in it or below has changed
	Dirs    []*Tree
}

// maxDepth is how deep folders may be in each other.
const maxDepth = 4096

// tree reads "name\x00entries dirs\nid" and then the folders in it. There is no id
// where the number of entries is negative.
func (x *index) tree(b []byte, depth int) (t *Tree, rest []byte, ok bool) {
	name, b, ok1 := bytes.Cut(b, []byte{0})
	head, b, ok2 := bytes.Cut(b, []byte{'\n'})
	count, dirs, ok3 := bytes.Cut(head, []byte{' '})
	entries, err1 := strconv.Atoi(string(count))
	subs, err2 := strconv.Atoi(string(dirs))
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || depth > maxDepth {
		return nil, nil, false
	}
	t = &Tree{Name: string(name), Entries: entries}
	if entries >= 0 {
		if len(b) < x.hashSize {
			return nil, nil, false
		}
		t.ID, b = b[:x.hashSize:x.hashSize], b[x.hashSize:]
	}
	for range subs {
		sub, after, ok := x.tree(b, depth+1)
		if !ok {
			return nil, nil, false
		}
		t.Dirs, b = append(t.Dirs, sub), after
	}
	return t, b, true
}
