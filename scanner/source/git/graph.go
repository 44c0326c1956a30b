package git

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// A graph is the commits of a repository, reachable or not, numbered so that
// parents come before children and, where that leaves a choice, by date and id.
type graph struct {
	ids     []pack.ID
	number  map[pack.ID]int32
	tree    []int32 // in the forest; none if no key is below
	start   []int32 // into parents
	parents []int32
	dates   []int64
}

func (g *graph) of(n int32) []int32 { return g.parents[g.start[n]:g.start[n+1]] }

// A commitLink is a commit as it is read.
type commitLink struct {
	id, tree pack.ID
	parents  []pack.ID
	date     int64
}

// A record is what locating works with.
type record struct {
	graph
	*forest
	tags map[pack.ID]pack.TagInfo // without message
}

// load reads all commits, tags and trees once.
func load(ctx context.Context, r *repository, jobs int, blobs []pack.ID) (*record, error) {
	l := &record{forest: newForest(r.HashSize(), blobs), tags: map[pack.ID]pack.TagInfo{}}
	var mu sync.Mutex
	var links []commitLink
	_, err := r.Sweep(ctx, func(o *pack.Object) (int, error) {
		switch {
		case o.Window != nil:
		case o.Kind == pack.Tree:
			l.add(o.ID, o.Data)
		case o.Kind == pack.Commit:
			c, _ := pack.ParseCommit(o.Data)
			link := commitLink{o.ID, c.Tree, c.Parents, 0}
			if !c.Committer.When.IsZero() {
				link.date = c.Committer.When.Unix()
			}
			mu.Lock()
			links = append(links, link)
			mu.Unlock()
		default:
			if t, err := pack.ParseTag(o.Data); err == nil {
				t.Message, t.Name = nil, nil
				mu.Lock()
				l.tags[o.ID] = t
				mu.Unlock()
			}
		}
		return 0, nil
	}, pack.SweepOptions{Jobs: jobs, Kinds: pack.KindSet(pack.Commit, pack.Tag, pack.Tree)})
	if err != nil {
		return nil, err
	}
	l.prune()
	l.arrange(links)
	return l, nil
}

// arrange numbers the commits.
func (l *record) arrange(links []commitLink) {
	slices.SortFunc(links, func(a, b commitLink) int { return a.id.Compare(b.id) })
	at := make(map[pack.ID]int32, len(links))
	for i, c := range links {
		at[c.id] = int32(i)
	}
	waits := make([]int32, len(links))
	children := make([][]int32, len(links))
	for i := range links {
		for _, p := range links[i].parents {
			if j, ok := at[p]; ok {
				waits[i]++
				children[j] = append(children[j], int32(i))
			}
		}
	}
	ready := &queue[int32]{before: func(a, b int32) bool { // the oldest first
		return cmp.Or(cmp.Compare(links[a].date, links[b].date), cmp.Compare(a, b)) < 0
	}}
	for i, n := range waits {
		if n == 0 {
			ready.items = append(ready.items, int32(i))
		}
	}
	heap.Init(ready)
	order := make([]int32, 0, len(links))
	done := make([]bool, len(links))
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int32)
		order, done[i] = append(order, i), true
		for _, c := range children[i] {
			if waits[c]--; waits[c] == 0 {
				heap.Push(ready, c)
			}
		}
	}
	for i := range links { // of commits that go round in circles, in a broken store
		if !done[i] {
			order = append(order, int32(i))
		}
	}
	rank := make([]int32, len(links))
	for n, i := range order {
		rank[i] = int32(n)
	}
	l.number = make(map[pack.ID]int32, len(links))
	for n, i := range order {
		c := &links[i]
		l.ids = append(l.ids, c.id)
		l.number[c.id] = int32(n)
		l.tree = append(l.tree, l.root(c.tree))
		l.dates = append(l.dates, c.date)
		l.start = append(l.start, int32(len(l.parents)))
		for _, p := range c.parents {
			// A parent that is not here is none; one that comes later is a circle.
			if j, ok := at[p]; ok && rank[j] < int32(n) {
				l.parents = append(l.parents, rank[j])
			}
		}
	}
	l.start = append(l.start, int32(len(l.parents)))
}

// A queue hands out first what comes before the rest; see container/heap.
type queue[T any] struct {
	items  []T
	before func(a, b T) bool
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (q *queue[T]) Len() int           { return len(q.items) }
func (q *queue[T]) Less(i, j int) bool { return q.before(q.items[i], q.items[j]) }
func (q *queue[T]) Swap(i, j int)      { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue[T]) Push(x any)         { q.items = append(q.items, x.(T)) }
func (q *queue[T]) Pop() any {
	last := len(q.items) - 1
	x := q.items[last]
	q.items = q.items[:last]
	return x
}

// ancestors marks the commits that tips lead to, tips included.
func (g *graph) ancestors(tips []int32) []bool {
	mark := make([]bool, len(g.ids))
	for _, t := range tips {
		mark[t] = true
	}
	for n := int32(len(g.ids)) - 1; n >= 0; n-- {
		if mark[n] {
			for _, p := range g.of(n) {
				mark[p] = true
			}
		}
	}
	return mark
}
