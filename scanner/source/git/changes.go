package git

import (
	"slices"
	"strings"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// maxChains bounds the keys times paths that are distinguished, maxPaths those of one
// key, and maxSteps the entries that are read for it: trees can be made that
// hold one blob under more paths than there is room for.
const (
	maxChains = 1 << 17
	maxPaths  = 10_000
	maxSteps  = 1 << 27
	maxPath   = 1 << 16
)

// A chain is one key at one path: where it came from and what became of it.
type chain struct {
	key     int32
	path    string
	intros  []change
	removed []removal
}

// A change is a commit that brought a key to a path, with the blob it came in.
type change struct{ commit, blob int32 }

// A removal is a commit without a key that some parents have there. lacking are
// the others.
type removal struct {
	commit  int32
	lacking []int32
}

// A chainKey distinguishes chains.
type chainKey struct {
	key  int32
	path string
}

// A tracer finds the changes of all commits.
type tracer struct {
	*record
	keysOf [][]int32 // the keys that each blob holds
	placed []bool    // the blobs that some commit has
	chains []*chain
	index  map[chainKey]int32
	paths  map[int32]int // of each key
	path   []byte
	steps  int
	full   bool // a limit was reached
}

// trace compares each commit with its parents. A key is introduced at a path when
// the commit has it there and no parent has; it is removed when a parent has it
// there and the commit has not.
func (t *tracer) trace() {
	t.index, t.paths = map[chainKey]int32{}, map[int32]int{}
	var parents []int32
	for n := range int32(len(t.ids)) {
		parents = parents[:0]
		for _, p := range t.of(n) {
			parents = append(parents, t.tree[p])
		}
		t.introduced(n, t.tree[n], parents)
		for i, p := range parents {
			t.removed(n, t.tree[n], p, i)
		}
	}
}

// enter puts a name on the path.
func (t *tracer) enter(name int32) (back int) {
	back = len(t.path)
	if back > 0 {
		t.path = append(t.path, '/')
	}
	t.path = append(t.path, t.text[name]...)
	return back
}

func (t *tracer) spent() bool {
	t.steps++
	t.full = t.full || t.steps > maxSteps || len(t.path) > maxPath
	return t.full
}

// introduced walks what tree has and no parent has.
func (t *tracer) introduced(commit, tree int32, parents []int32) {
	if tree < 0 {
		return
	}
	for _, e := range t.edges[tree] {
		if t.spent() {
			return
		}
		before := make([]int32, 0, 4)
		same := false
		for _, p := range parents {
			c := t.child(p, e.name)
			same = same || c == e.to
			before = append(before, c)
		}
		if same {
			continue
		}
		back := t.enter(e.name)
		if e.to >= 0 {
			t.introduced(commit, e.to, before)
		} else {
			t.placed[^e.to] = true
			for _, key := range t.keysOf[^e.to] {
				if !slices.ContainsFunc(before, func(c int32) bool { return t.holds(c, key) }) {
					if c := t.chain(key); c != nil {
						c.intros = append(c.intros, change{commit, ^e.to})
					}
				}
			}
		}
		t.path = t.path[:back]
	}
}

// removed walks what the i-th parent has and tree has not.
func (t *tracer) removed(commit, tree, parent int32, i int) {
	if parent < 0 {
		return
	}
	for _, e := range t.edges[parent] {
		if t.spent() {
			return
		}
		now := t.child(tree, e.name)
		if now == e.to {
			continue
		}
		back := t.enter(e.name)
		if e.to >= 0 {
			t.removed(commit, now, e.to, i)
		} else {
			for _, key := range t.keysOf[^e.to] {
				if !t.holds(now, key) {
					t.remove(commit, key, i)
				}
			}
		}
		t.path = t.path[:back]
	}
}

func (t *tracer) remove(commit, key int32, parent int) {
	c := t.chain(key)
	if c == nil {
		return
	}
	last := len(c.removed) - 1
	if last < 0 || c.removed[last].commit != commit {
		c.removed = append(c.removed, removal{commit, append([]int32(nil), t.of(commit)...)})
		last++
	}
	r, had := &c.removed[last], t.of(commit)[parent]
	if i := slices.Index(r.lacking, had); i >= 0 {
		r.lacking = slices.Delete(r.lacking, i, i+1)
	}
}

// holds reports whether a child of a tree is a blob with a key.
func (t *tracer) holds(child, key int32) bool {
	return child < 0 && child != none && slices.Contains(t.keysOf[^child], key)
}

// chain is that of a key at the path the walk is at; nil when there are too many.
func (t *tracer) chain(key int32) *chain {
	k := chainKey{key, string(t.path)}
	if i, ok := t.index[k]; ok {
		return t.chains[i]
	}
	if t.paths[key]++; len(t.chains) == maxChains || t.paths[key] > maxPaths {
		t.full = true
		return nil
	}
	t.index[k] = int32(len(t.chains))
	t.chains = append(t.chains, &chain{key: key, path: k.path})
	return t.chains[len(t.chains)-1]
}

// lookup is what is at a path of a tree: a tree, ^blob, or none.
func (t *tracer) lookup(tree int32, path string) int32 {
	at := tree
	for at >= 0 && path != "" {
		var name string
		name, path, _ = strings.Cut(path, "/")
		n, ok := t.names[name]
		if !ok {
			return none
		}
		at = t.child(at, n)
	}
	return at
}

// peel follows tags to what they name in the end.
func (l *record) peel(id pack.ID) pack.ID {
	for range maxTags {
		t, ok := l.tags[id]
		if !ok {
			break
		}
		id = t.Object
	}
	return id
}
