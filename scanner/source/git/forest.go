package git

import (
	"cmp"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// A forest is what is kept of all trees while keys are located: the folders in
// each, and those entries that are blobs with a key. Trees are numbered as they
// are met.
type forest struct {
	mu    sync.Mutex
	hash  int
	node  map[pack.ID]int32
	edges [][]edge // by tree
	names map[string]int32
	text  []string          // of the names
	blobs map[pack.ID]int32 // the blobs that are looked for
	first [1 << 16 / 64]uint64
}

// An edge is an entry of a tree. to is a tree, or ^to a blob.
type edge struct{ name, to int32 }

func newForest(hash int, blobs []pack.ID) *forest {
	f := &forest{hash: hash, node: map[pack.ID]int32{}, names: map[string]int32{}, blobs: map[pack.ID]int32{}}
	for i, id := range blobs {
		f.blobs[id] = int32(i)
		b := id.Bytes()
		at := uint(b[0])<<8 | uint(b[1])
		f.first[at/64] |= 1 << (at % 64)
	}
	return f
}

// nodeOf gives the number of a tree; mu is held.
func (f *forest) nodeOf(id pack.ID) int32 {
	n, ok := f.node[id]
	if !ok {
		n = int32(len(f.edges))
		f.node[id] = n
		f.edges = append(f.edges, nil)
	}
	return n
}

func (f *forest) nameOf(name []byte) int32 {
	n, ok := f.names[string(name)]
	if !ok {
		n = int32(len(f.text))
		f.text = append(f.text, string(name))
		f.names[f.text[n]] = n
	}
	return n
}

// add takes in a tree. A malformed one counts up to where it is malformed; the
// sweep has reported it.
func (f *forest) add(id pack.ID, data []byte) {
	var kept [64]pack.TreeEntry
	entries := kept[:0]
	for e, err := range pack.TreeEntries(data, f.hash) {
		if err != nil {
			break
		}
		if e.IsTree() {
			entries = append(entries, e)
			continue
		}
		a, b := e.ID.First() // the bit of these says quickly that a blob is none of those looked for
		at := uint(a)<<8 | uint(b)
		if f.first[at/64]&(1<<(at%64)) == 0 {
			continue
		}
		if _, ok := f.blobs[e.ID]; ok && !e.IsCommit() {
			entries = append(entries, e)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodeOf(id)
	if f.edges[n] != nil || len(entries) == 0 {
		return
	}
	edges := make([]edge, 0, len(entries))
	for _, e := range entries {
		if e.IsTree() {
			edges = append(edges, edge{f.nameOf(e.Name), f.nodeOf(e.ID)})
		} else {
			edges = append(edges, edge{f.nameOf(e.Name), ^f.blobs[e.ID]})
		}
	}
	f.edges[n] = edges
}

// prune keeps only the edges that lead to a blob with a key, sorted by name.
func (f *forest) prune() {
	// The names are numbered in their order, so that nothing depends on the order in
	// which the trees came.
	old := f.text
	f.text = slices.Sorted(slices.Values(old))
	for i, name := range f.text {
		f.names[name] = int32(i)
	}
	for _, edges := range f.edges {
		for i := range edges {
			edges[i].name = f.names[old[edges[i].name]]
		}
	}
	const unknown, open, no, yes = 0, 1, 2, 3
	state := make([]uint8, len(f.edges))
	leads := func(e edge) bool { return e.to < 0 || state[e.to] == yes }
	type frame struct {
		node int32
		next int
	}
	var stack []frame
	for root := range f.edges {
		if state[root] != unknown {
			continue
		}
		stack = append(stack[:0], frame{node: int32(root)})
		state[root] = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			edges := f.edges[top.node]
			if top.next < len(edges) {
				to := edges[top.next].to
				top.next++
				// An open tree is one above this one, which only a broken store has.
				if to >= 0 && state[to] == unknown {
					state[to] = open
					stack = append(stack, frame{node: to})
				}
				continue
			}
			kept := edges[:0]
			for _, e := range edges {
				if leads(e) {
					kept = append(kept, e)
				}
			}
			state[top.node] = no
			if f.edges[top.node] = nil; len(kept) > 0 {
				slices.SortFunc(kept, func(a, b edge) int { return cmp.Compare(a.name, b.name) })
				f.edges[top.node], state[top.node] = slices.Clip(kept), yes
			}
			stack = stack[:len(stack)-1]
		}
	}
}

// root is the number of a tree that leads to a blob with a key; none if it does
// not.
func (f *forest) root(id pack.ID) int32 {
	if n, ok := f.node[id]; ok && f.edges[n] != nil {
		return n
	}
	return none
}

const none int32 = -1 << 31

// child is what a tree has under a name: a tree, ^blob, or none.
func (f *forest) child(node, name int32) int32 {
	if node < 0 {
		return none
	}
	edges := f.edges[node]
	i, ok := slices.BinarySearchFunc(edges, name, func(e edge, n int32) int { return cmp.Compare(e.name, n) })
	if !ok {
		return none
	}
	return edges[i].to
}
