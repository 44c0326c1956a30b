package git

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
)

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

// The sides that a commit is reachable from.
const (
	wanted uint8 = 1 << iota
	unwanted
)

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
// clocks that were wrong; git reads as many.
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
