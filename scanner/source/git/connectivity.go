package git

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/scanner/source"
)

// A connectivity checks that whatever objects, references and indexes refer to is
// in the store. Of a tree that is a delta only what the delta brought is looked
// at: the rest was when the tree it was made from was handed over.
type connectivity struct {
	r        *repository
	promisor map[string]bool // packs whose absent objects a server keeps
	empty    pack.ID         // the tree without entries, which git need not store
	received bool            // the ids of trees and blobs are not known
	hash     int             // length of ids

	linked atomic.Bool // a tree has a submodule

	mu     sync.Mutex
	absent map[pack.ID]bool // to whether it is promised
	loose  []pack.ID        // referred to from a pack, and in none
}

// object checks what one object refers to. The error is of a malformed object.
func (c *connectivity) object(o *pack.Object) error {
	switch o.Kind {
	case pack.Commit:
		info, err := pack.ParseCommit(o.Data)
		if err != nil {
			return err
		}
		if !c.received {
			c.need(info.Tree, o.Pack)
		}
		if !c.r.shallow[o.ID] {
			for _, p := range info.Parents {
				c.need(p, o.Pack)
			}
		}
	case pack.Tag:
		info, err := pack.ParseTag(o.Data)
		if err != nil {
			return err
		}
		if !c.received || info.Kind == pack.Commit || info.Kind == pack.Tag {
			c.need(info.Object, o.Pack)
		}
	case pack.Tree:
		return c.tree(o)
	}
	return nil
}

// tree checks the entries that are fresh.
func (c *connectivity) tree(o *pack.Object) error {
	hash, fresh, end := c.hash, o.Fresh, 0
	for e, err := range pack.TreeEntries(o.Data, hash) {
		if err != nil {
			return err
		}
		// The name is followed by a NUL and the id; the mode before it does not
		// matter, as a change of it alone refers to nothing new.
		for o.Data[end] != ' ' {
			end++
		}
		end += 1 + len(e.Name) + 1 + hash
		if o.Fresh != nil {
			for len(fresh) > 0 && fresh[0].End < end-hash {
				fresh = fresh[1:]
			}
			if len(fresh) == 0 {
				return nil
			}
			if fresh[0].Start > end {
				continue
			}
		}
		switch {
		case e.IsCommit() && !c.linked.Load():
			c.linked.Store(true)
		case !e.IsCommit() && !c.received:
			c.need(e.ID, o.Pack)
		}
	}
	return nil
}

// need notes an object that something in a pack (or, for "", something else)
// refers to.
func (c *connectivity) need(id pack.ID, by string) {
	if id == c.empty || id.IsZero() || !c.received && c.r.Packed(id) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.received {
		c.loose = append(c.loose, id)
		return
	}
	if promised, known := c.absent[id]; known {
		c.absent[id] = promised || c.promisor[by]
		return
	}
	if !c.r.Has(id) {
		c.absent[id] = c.promisor[by]
	} else if by != "" {
		c.loose = append(c.loose, id)
	}
}

// namedPromises is how many promised objects a report names: of a partial clone
// that left all content on the server there are hundreds of thousands.
const namedPromises = 1000

// missing reports what references, indexes and objects refer to and is not there. What
// a partial clone was promised is counted and makes the run incomplete too: it was not
// scanned. It returns the submodules in indexes.
func (h *History) missing(c *connectivity, to source.Sink) (links []string, err error) {
	for _, ref := range c.r.refs {
		if id, err := pack.ParseID(ref.ID); err == nil {
			c.need(id, "")
		}
	}
	for _, err := range c.r.indexed(func(e indexEntry) {
		switch {
		case e.isGitlink():
			links = append(links, e.path)
		case !e.intentToAdd:
			c.need(e.id, "")
		}
	}) {
		if err := to.Problem(finding.Problem{Path: h.shown, Error: err.Error()}); err != nil {
			return nil, err
		}
	}
	var promises []pack.ID
	for id, promised := range c.absent {
		if promised {
			promises = append(promises, id)
		} else {
			h.cov.Missing = append(h.cov.Missing, id.String())
		}
	}
	slices.Sort(h.cov.Missing)
	for _, id := range h.cov.Missing {
		err := to.Problem(finding.Problem{Path: h.shown, Object: id,
			Error: "is referred to and not in the object store", Hint: "git fsck shows what refers to it; restore it from another clone"})
		if err != nil {
			return nil, err
		}
	}
	if len(promises) == 0 {
		return links, nil
	}
	slices.SortFunc(promises, pack.ID.Compare)
	h.cov.Promised = len(promises)
	for _, id := range promises[:min(len(promises), namedPromises)] {
		h.cov.PromisedIDs = append(h.cov.PromisedIDs, id.String())
	}
	const shown = 3
	names := strings.Join(h.cov.PromisedIDs[:min(len(promises), shown)], ", ")
	if more := len(promises) - shown; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	were := "objects were"
	if len(promises) == 1 {
		were = "object was"
	}
	return links, to.Problem(finding.Problem{Path: h.shown,
		Error: fmt.Sprintf("is a partial clone: %d %s left on the server and not scanned: %s", len(promises), were, names),
		Hint:  "scan a full clone: git clone without --filter"})
}
