package git

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
)

// A Scope bounds a scan to what some commits introduce: keys that are at a place
// where none of the commit's parents has them. The zero value is everything. At
// most one field may be set, but for Except and Outgoing, which go with Updates.
type Scope struct {
	// Since is a revision or a date: what is reachable from any reference and not
	// from it, or was committed later.
	Since string
	// Range is A..B or A...B, as in git rev-list.
	Range string
	// Updates are references that are being moved. What Except leads to, as whole
	// names of references or their beginnings, is not new.
	Updates []Update
	Except  []string
	// Outgoing says that the updates have not left this machine yet.
	Outgoing bool
	// Staged is what the index would commit. IndexFile is read in place of the
	// repository's own index, as git does with GIT_INDEX_FILE.
	Staged    bool
	IndexFile string
}

// An Update is a reference on its way from one object to another. An id that is
// all zeros, or empty, is not an object.
type Update struct{ Old, New, Ref string }

// IsAll reports whether the scope is everything.
func (s Scope) IsAll() bool {
	return s.Since == "" && s.Range == "" && len(s.Updates) == 0 && !s.Staged
}

// String says what the scope holds.
func (s Scope) String() string {
	switch {
	case s.Since != "":
		return "what came since " + s.Since
	case s.Range != "":
		return "the range " + s.Range
	case s.Staged:
		return "what is staged"
	case len(s.Updates) > 0:
		return fmt.Sprintf("what %d updated references bring", len(s.Updates))
	}
	return ""
}

// errShallow says that a shallow clone lacks what is needed to know.
var errShallow = errors.New("the shallow clone lacks the commits that are needed to tell what is new")

const deepen = "fetch-depth: 0 in the checkout step of a workflow, or git fetch --unshallow"

func (h *History) walkScope(ctx context.Context, r *repository, to source.Sink) error {
	h.cov.Scope = h.opts.Scope.String()
	if h.opts.Scope.Staged {
		return h.walkStaged(ctx, r, to)
	}
	s := &selector{r: r, reader: r.Reader(), commits: map[pack.ID]*painted{}}
	err := s.choose(h.opts.Scope)
	h.only = map[pack.ID]bool{}
	if err != nil {
		p := finding.Problem{Path: h.shown, Error: err.Error()}
		if len(r.shallow) > 0 {
			p.Hint = deepen
		}
		return to.Problem(p)
	}
	d := newDiffer(r)
	for _, id := range s.selected {
		h.only[id] = true
		d.want[id] = true
		c := s.commits[id]
		var parents []pack.ID
		for _, p := range c.parents {
			if n := s.commits[p]; n != nil {
				parents = append(parents, n.tree)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d.diff(c.tree, parents)
	}
	for _, id := range s.tags {
		d.want[id] = true
	}
	return h.hand(ctx, r, d.want, append(s.problems, d.problems...), to)
}

// hand hands over the problems met so far, and single objects, whole.
func (h *History) hand(ctx context.Context, r *repository, want map[pack.ID]bool, problems []pack.Problem, to source.Sink) error {
	for _, p := range problems {
		if err := h.problem(to, p); err != nil {
			return err
		}
	}
	ids := slices.SortedFunc(maps.Keys(want), pack.ID.Compare)
	jobs := h.opts.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	h.cov.Kinds = map[string]finding.ObjectCount{}
	g, ctx := errgroup.WithContext(ctx)
	for part := range slices.Chunk(ids, max(1, (len(ids)+jobs-1)/jobs)) {
		g.Go(func() error {
			reader := r.Reader()
			for _, id := range part {
				kind, data, err := reader.Object(id)
				if err != nil {
					err = h.problem(to, pack.Problem{ID: id, Path: h.shown, Err: err})
				} else if _, err = to.Blob(&source.Blob{At: h.at(id, kind), Data: data}); err == nil {
					h.mu.Lock()
					n := h.cov.Kinds[kind.String()]
					n.Seen, n.Scanned = n.Seen+1, n.Scanned+1
					h.cov.Kinds[kind.String()] = n
					h.mu.Unlock()
				}
				if err = cmp.Or(err, ctx.Err()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// The sides that a commit is reachable from.
const (
	wanted uint8 = 1 << iota
	unwanted
)

// A painted commit knows from which side it was reached.
type painted struct {
	id, tree pack.ID
	parents  []pack.ID
	date     int64
	flags    uint8
	queued   bool
}

// A selector chooses the commits of a scope.
type selector struct {
	r         *repository
	reader    *pack.Reader
	commits   map[pack.ID]*painted
	queue     queue[*painted] // the newest first
	selected  []pack.ID
	tags      []pack.ID // on the way to what is wanted
	problems  []pack.Problem
	symmetric bool // both sides are wanted, but not what they share
	after     int64
}

func (s *selector) choose(scope Scope) error {
	s.after = -1 << 62
	s.queue.before = func(a, b *painted) bool { return a.date > b.date }
	switch {
	case len(scope.Updates) > 0:
		for _, u := range scope.Updates {
			if id, err := pack.ParseID(u.New); err != nil || strings.Trim(u.New, "0") == "" {
				continue // the reference goes away
			} else if !s.r.Has(id) {
				return fmt.Errorf("%s: object %s is not here", u.Ref, u.New)
			}
			s.tip(u.New, wanted)
			if id, err := pack.ParseID(u.Old); err == nil && s.r.Has(id) {
				s.tip(u.Old, unwanted)
			}
		}
		for _, ref := range s.r.refs {
			if slices.ContainsFunc(scope.Except, func(p string) bool { return strings.HasPrefix(ref.Name, p) }) {
				s.tip(ref.ID, unwanted)
			}
		}
	case scope.Range != "":
		a, b, ok := strings.Cut(scope.Range, "..")
		if !ok {
			return fmt.Errorf("range %q: want A..B or A...B", scope.Range)
		}
		b, s.symmetric = strings.CutPrefix(b, ".")
		from, err := s.resolve(cmp.Or(a, "HEAD"))
		if err != nil {
			return err
		}
		s.tip(from.String(), unwanted)
		to, err := s.resolve(cmp.Or(b, "HEAD"))
		if err != nil {
			return err
		}
		s.tip(to.String(), wanted)
	default:
		if when, ok := parseDate(scope.Since, time.Now()); ok {
			s.after = when.Unix()
		} else if id, err := s.resolve(scope.Since); err != nil {
			return err
		} else {
			s.tip(id.String(), unwanted)
		}
		for _, ref := range s.r.refs {
			s.tip(ref.ID, wanted)
		}
		if !s.r.head.IsZero() {
			s.tip(s.r.head.String(), wanted)
		}
	}
	return s.paint()
}

// tip starts painting at an object, through tags.
func (s *selector) tip(hex string, flag uint8) {
	id, err := pack.ParseID(hex)
	for range maxTags {
		if err != nil {
			return
		}
		var kind pack.Kind
		var data []byte
		if kind, data, err = s.reader.Object(id); err != nil {
			s.problems = append(s.problems, pack.Problem{ID: id, Err: err})
			return
		}
		switch kind {
		case pack.Commit:
			s.reach(id, flag)
			return
		case pack.Tag:
			if flag == wanted && s.after == -1<<62 {
				s.tags = append(s.tags, id)
			}
			var t pack.TagInfo
			t, err = pack.ParseTag(data)
			id = t.Object
		default:
			return // a reference to a blob or a tree has no commits
		}
	}
}

// reach paints a commit, and queues it when that is news.
func (s *selector) reach(id pack.ID, flag uint8) {
	c, known := s.commits[id]
	if !known {
		if kind, data, err := s.reader.Object(id); err == nil && kind == pack.Commit {
			info, _ := pack.ParseCommit(data)
			c = &painted{id: id, tree: info.Tree, parents: info.Parents}
			if !info.Committer.When.IsZero() {
				c.date = info.Committer.When.Unix()
			}
		} else {
			s.problems = append(s.problems, pack.Problem{ID: id, Err: pack.ErrNotFound})
		}
		s.commits[id] = c
	}
	if c == nil || c.flags&flag == flag {
		return
	}
	c.flags |= flag
	if !c.queued {
		c.queued = true
		heap.Push(&s.queue, c)
	}
}

// interesting reports whether a commit may yet be selected.
func (s *selector) interesting(c *painted) bool {
	if s.symmetric {
		return c.flags != wanted|unwanted
	}
	return c.flags == wanted && c.date > s.after
}

// slop is how many commits are read beyond the last interesting one, for
// clocks that were wrong; git looks at as many.
const slop = 5

// paint goes from the newest commit to older ones, until all that is left was
// reached from the other side. A clock that was far behind can make it select more
// than git would, never less.
func (s *selector) paint() error {
	oldest, left := int64(1<<62), slop
	for s.queue.Len() > 0 && left > 0 {
		c := heap.Pop(&s.queue).(*painted)
		c.queued = false
		if s.interesting(c) {
			oldest, left = min(oldest, c.date), slop
		}
		if c.date <= s.after && !s.symmetric {
			continue
		}
		if !s.r.shallow[c.id] {
			for _, p := range c.parents {
				s.reach(p, c.flags)
			}
		}
		if c.date < oldest && !slices.ContainsFunc(s.queue.items, s.interesting) {
			left--
		}
	}
	for id, c := range s.commits {
		if c == nil || c.flags == 0 || !s.interesting(c) {
			continue
		}
		if s.r.shallow[id] {
			return errShallow
		}
		s.selected = append(s.selected, id)
	}
	s.selected = sortedIDs(s.selected)
	return nil
}
