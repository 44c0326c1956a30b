package git

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/pack"
	"github.com/b10lint/b10lint/internal/git/refs"
	"github.com/b10lint/b10lint/scanner/source"
)

// Locate gives the locations of keys in objects of this repository. For each key and each path that ever held it there is
// one place: with the commit that introduced it (the first one, where several did)
// and, if HEAD has it, the line where it is at HEAD; else the line where it was
// introduced. Blobs that brought nothing new yield no place of their own. All
// commits and trees are read once, however many places there are.
func (h *History) Locate(ctx context.Context, hits []source.Hit) ([][]finding.Location, error) {
	r, err := h.open(nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if h.opts.Scope.Staged {
		return h.locateStaged(hits), nil
	}
	if hits, err = h.settled(ctx, r, hits); err != nil {
		return nil, err
	}
	q := newQuestion(hits)
	l, err := load(ctx, r, h.opts.Jobs, q.blobs)
	if err != nil {
		return nil, err
	}
	t := &tracer{record: l, keysOf: q.keysOf, placed: make([]bool, len(q.blobs))}
	t.trace()
	a := &answer{h: h, r: r, tracer: t, q: q, reader: r.Reader(), commits: map[pack.ID]pack.CommitInfo{}}
	a.resolve()
	out := make([][]finding.Location, len(hits))
	// Without the references it is unknown what none of them leads to.
	blind := slices.ContainsFunc(r.errs, func(err error) bool { return errors.Is(err, refs.ErrReftable) })
	for i := range hits {
		out[i] = a.locate(hits[i])
		for j := range out[i] {
			l := &out[i][j]
			l.Unreachable = l.Unreachable && !blind
			if l.Unreachable && l.Commit == "" && l.Object == "blob" {
				l.Exposure = finding.Dangling
			}
		}
	}
	switch {
	case t.full:
		return out, errors.New("the trees contain keys under more paths than can be listed; some locations are missing")
	case a.thinned > 0:
		return out, source.LocateError{{Path: h.shown, Error: fmt.Sprintf(
			"%d further paths of keys are not listed: at most %d of one key are, and %d of all", a.thinned, maxListed, maxListedAll)}}
	}
	return out, nil
}

// A question is what is asked: which blobs hold which keys.
type question struct {
	blobs   []pack.ID
	number  map[pack.ID]int32
	keys    map[string]int32
	keysOf  [][]int32
	commits []pack.ID // with keys in their messages
}

func newQuestion(hits []source.Hit) *question {
	q := &question{number: map[pack.ID]int32{}, keys: map[string]int32{}}
	for _, hit := range hits {
		id, err := pack.ParseID(hit.At.Blob)
		switch {
		case err != nil:
		case hit.At.Object == "commit":
			q.commits = append(q.commits, id)
		case hit.At.Object == "blob":
			q.blobs = append(q.blobs, id)
		}
	}
	q.blobs, q.commits = sortedIDs(q.blobs), sortedIDs(q.commits)
	for i, id := range q.blobs {
		q.number[id] = int32(i)
	}
	q.keysOf = make([][]int32, len(q.blobs))
	for _, hit := range hits {
		id, _ := pack.ParseID(hit.At.Blob)
		if b, ok := q.number[id]; ok && hit.At.Object == "blob" {
			if k := q.key(hit.Key); !slices.Contains(q.keysOf[b], k) {
				q.keysOf[b] = append(q.keysOf[b], k)
			}
		}
	}
	return q
}

func (q *question) key(key string) int32 {
	k, ok := q.keys[key]
	if !ok {
		k = int32(len(q.keys))
		q.keys[key] = k
	}
	return k
}

// An answer turns chains into places.
type answer struct {
	*tracer
	h       *History
	r       *repository
	q       *question
	reader  *pack.Reader
	commits map[pack.ID]pack.CommitInfo

	thinned  int   // chains that are not listed
	head     int32 // commit; none if there is none
	fromHead []bool
	fromRefs []bool
	tips     []tip
	remotes  bool                  // the clone knows what other repositories have
	ofBlob   map[change][]*keyPath // by key (in commit) and blob
	messages map[pack.ID]*keyPath
	others   map[int32][]finding.Location // of blobs that no commit has
}

// A tip is a reference that leads to a commit.
type tip struct {
	name   string
	commit int32
	local  bool // others have the reference only when they are given it
}

// A keyPath is a chain with all that is reported of it.
type keyPath struct {
	*chain
	first   change // the introduction that is named
	shown   int32  // the blob whose lines are shown
	atHead  bool
	refs    []string
	sent    bool  // one of refs is not local
	removal int32 // commit; none
}

func (a *answer) resolve() {
	a.head = none
	if n, ok := a.number[a.r.head]; ok {
		a.head = n
	}
	var tips []int32
	for _, ref := range a.r.refs {
		a.remotes = a.remotes || strings.HasPrefix(ref.Name, "refs/remotes/")
		id, _ := pack.ParseID(ref.ID)
		if n, ok := a.number[a.peel(id)]; ok {
			a.tips = append(a.tips, tip{ref.Short(), n, local(ref.Name)})
			tips = append(tips, n)
		}
	}
	a.fromRefs = a.ancestors(tips)
	if a.head != none {
		a.fromHead = a.ancestors([]int32{a.head})
	} else {
		a.fromHead = make([]bool, len(a.ids))
	}
	a.ofBlob, a.messages = map[change][]*keyPath{}, map[pack.ID]*keyPath{}
	var all []*keyPath
	for _, c := range a.thin(slices.DeleteFunc(a.chains, func(c *chain) bool { return !a.listed(c) })) {
		d := a.choose(c)
		all = append(all, d)
		at := change{d.key, d.shown}
		a.ofBlob[at] = append(a.ofBlob[at], d)
	}
	for _, id := range a.q.commits {
		if n, ok := a.number[id]; ok {
			c := change{n, none}
			d := &keyPath{chain: &chain{intros: []change{c}}, first: c, removal: none}
			a.messages[id] = d
			all = append(all, d)
		}
	}
	for part := range slices.Chunk(all, 64) {
		a.reach(part)
	}
	for _, list := range a.ofBlob {
		slices.SortFunc(list, func(x, y *keyPath) int { return strings.Compare(x.path, y.path) })
	}
	a.findOthers()
}

// local reports whether a reference is one that a clone makes itself and no command sends
// unasked: a branch, a detached head, the stash, notes.
func local(ref string) bool {
	for _, p := range []string{"refs/heads/", "refs/stash", "refs/notes/", "stash@", "HEAD", "worktrees/"} {
		if strings.HasPrefix(ref, p) {
			return true
		}
	}
	return false
}

// exposure says how far a commit got. Whether another repository has it, only a clone
// that follows one can know.
func (a *answer) exposure(d *keyPath) finding.Exposure {
	if !d.sent && (a.h.opts.Scope.Outgoing || a.remotes && len(d.refs) > 0) {
		return finding.Unpushed
	}
	return finding.Committed
}

// listed reports whether a chain is to be listed.
func (a *answer) listed(c *chain) bool {
	if only := a.h.only; only != nil {
		c.intros = slices.DeleteFunc(slices.Clone(c.intros), func(x change) bool { return !only[a.ids[x.commit]] })
	}
	return len(c.intros) > 0 && !a.h.opts.Filter.Skip(path.Join(a.h.below, c.path))
}

// maxListed bounds the paths of one key that are listed, and maxListedAll those of all, of
// which each key has an equal share and the last as well.
const (
	maxListed    = 1000
	maxListedAll = 20_000
	minListed    = 10
)

// thin skips chains beyond these bounds: of each key the first paths stay, and the
// last one.
func (a *answer) thin(chains []*chain) []*chain {
	if len(chains) <= maxListed {
		return chains
	}
	slices.SortFunc(chains, func(x, y *chain) int { return cmp.Or(cmp.Compare(x.key, y.key), strings.Compare(x.path, y.path)) })
	most := maxListed
	if len(chains) > maxListedAll {
		most = min(most, max(minListed, maxListedAll/max(1, len(a.q.keys))))
	}
	var kept []*chain
	for len(chains) > 0 {
		n := 1
		for n < len(chains) && chains[n].key == chains[0].key {
			n++
		}
		of := chains[:n]
		if chains = chains[n:]; n > most {
			a.thinned += n - most
			of = append(of[:most-1:most-1], of[n-1])
		}
		kept = append(kept, of...)
	}
	return kept
}

// choose decides what is reported of a chain.
func (a *answer) choose(c *chain) *keyPath {
	d := &keyPath{chain: c, first: c.intros[0], removal: none}
	for _, x := range c.intros {
		if a.fromRefs[x.commit] {
			d.first = x
			break
		}
	}
	d.shown = d.first.blob
	if a.head != none {
		if blob := a.lookup(a.tree[a.head], c.path); a.holds(blob, c.key) {
			d.atHead, d.shown = true, ^blob
		}
	}
	return d
}

// reach works out for up to 64 chains which references lead to them and which
// commit took them away.
func (a *answer) reach(part []*keyPath) {
	bits := make([]uint64, len(a.ids))
	for i, d := range part {
		for _, x := range d.intros {
			bits[x.commit] |= 1 << i
		}
	}
	for n := range int32(len(a.ids)) { // parents come before their children
		for _, p := range a.of(n) {
			bits[n] |= bits[p]
		}
	}
	for i, d := range part {
		for _, t := range a.tips {
			if bits[t.commit]&(1<<i) != 0 {
				d.refs, d.sent = append(d.refs, t.name), d.sent || !t.local
			}
		}
		if !d.atHead {
			d.removal = a.removal(d, func(n int32) bool { return bits[n]&(1<<i) != 0 })
		}
	}
}

// removal is the commit that took a key away: on the way to HEAD if one did there,
// else on the way to another reference; the last one. A merge counts unless one of
// its parents had lost the key before.
func (a *answer) removal(d *keyPath, had func(int32) bool) int32 {
	best, rank := none, -1
	for _, x := range d.removed {
		if only := a.h.only; only != nil && !only[a.ids[x.commit]] || slices.ContainsFunc(x.lacking, had) {
			continue
		}
		r := 0
		switch {
		case a.fromHead[x.commit]:
			r = 2
		case a.fromRefs[x.commit]:
			r = 1
		}
		if r >= rank {
			best, rank = x.commit, r
		}
	}
	return best
}

// locate answers for one hit.
func (a *answer) locate(hit source.Hit) []finding.Location {
	at := hit.At
	id, err := pack.ParseID(at.Blob)
	if err != nil {
		return []finding.Location{at} // a file beside the objects
	}
	switch at.Object {
	case "commit":
		if a.h.only != nil && !a.h.only[id] {
			return nil
		}
		if d := a.messages[id]; d != nil {
			at.Refs, at.Exposure = d.refs, a.exposure(d)
		}
		at.Unreachable = len(at.Refs) == 0
		a.introducedBy(&at, id)
		a.inMessage(&at, id)
		return []finding.Location{at}
	case "tag":
		return []finding.Location{a.tag(at, id)}
	}
	blob := a.q.number[id]
	if list := a.ofBlob[change{a.q.key(hit.Key), blob}]; len(list) > 0 {
		out := make([]finding.Location, 0, len(list))
		for _, d := range list {
			at.Path = a.h.shownPath(d.path)
			at.Blob = a.q.blobs[d.shown].String()
			a.introducedBy(&at, a.ids[d.first.commit])
			at.Refs, at.AtHead, at.Unreachable, at.RemovedIn = d.refs, d.atHead, len(d.refs) == 0, ""
			at.Exposure = a.exposure(d)
			if d.removal != none {
				at.RemovedIn = a.ids[d.removal].String()
			}
			out = append(out, at)
		}
		return out
	}
	if a.placed[blob] || a.h.only != nil {
		return nil // the chains of its keys are reported with other blobs
	}
	if list := a.others[blob]; len(list) > 0 {
		out := make([]finding.Location, 0, len(list))
		for _, o := range list {
			l := at
			l.Object, l.Path, l.Refs = o.Object, o.Path, o.Refs
			if l.Object == "index" {
				l.Exposure = finding.Staged
			}
			out = append(out, l)
		}
		return out
	}
	at.Unreachable = !a.full // else it may have been further on
	return []finding.Location{at}
}

// inMessage counts the lines of a location in a commit or tag from the first of the
// message, as people do. What is above the message has no line.
func (a *answer) inMessage(at *finding.Location, id pack.ID) {
	_, data, err := a.reader.Object(id)
	if err != nil || at.Line == 0 {
		return
	}
	above := 0
	if end := bytes.Index(data, []byte("\n\n")); end >= 0 {
		above = bytes.Count(data[:end+2], []byte("\n"))
	}
	if at.Line > above {
		at.Line, at.EndLine = at.Line-above, at.EndLine-above
		return
	}
	at.Line, at.Column, at.EndLine, at.EndColumn, at.UTF16Column, at.UTF16EndColumn = 0, 0, 0, 0, 0, 0
}

// introducedBy fills in what a commit says of itself.
func (a *answer) introducedBy(at *finding.Location, id pack.ID) {
	at.Commit = id.String()
	c, ok := a.commits[id]
	if !ok {
		if _, data, err := a.reader.Object(id); err == nil {
			c, _ = pack.ParseCommit(data)
			c.Message = nil
		}
		a.commits[id] = c
	}
	signed(at, c.Author)
}

func signed(at *finding.Location, s pack.Signature) {
	at.Author = strings.TrimSpace(s.Name)
	if s.Email != "" {
		at.Author = strings.TrimSpace(at.Author + " <" + s.Email + ">")
	}
	if !s.When.IsZero() {
		when := s.When.UTC()
		at.Date = &when
	}
}

// tag answers for the message of an annotated tag: the references that name it,
// or a tag of it.
func (a *answer) tag(at finding.Location, id pack.ID) finding.Location {
	signed(&at, a.tags[id].Tagger)
	a.inMessage(&at, id)
	for _, ref := range a.r.refs {
		next, _ := pack.ParseID(ref.ID)
		for range maxTags {
			if next == id {
				at.Refs = append(at.Refs, ref.Short())
				break
			}
			t, ok := a.tags[next]
			if !ok {
				break
			}
			next = t.Object
		}
	}
	at.Unreachable = len(at.Refs) == 0
	return at
}

// findOthers finds the blobs that no commit has and something else leads to: an index,
// or a reference to a blob or a tree.
func (a *answer) findOthers() {
	a.others = map[int32][]finding.Location{}
	add := func(blob int32, at finding.Location) {
		if !a.placed[blob] && !a.h.opts.Filter.Skip(path.Join(a.h.below, at.Path)) {
			if at.Path != "" {
				at.Path = a.h.shownPath(at.Path)
			}
			a.others[blob] = append(a.others[blob], at)
		}
	}
	// What cannot be read of an index, the walk has reported.
	_ = a.r.indexed(func(e indexEntry) {
		if b, ok := a.q.number[e.id]; ok {
			add(b, finding.Location{Object: "index", Path: e.path})
		}
	})
	for _, ref := range a.r.refs {
		id, _ := pack.ParseID(ref.ID)
		id = a.peel(id)
		if b, ok := a.q.number[id]; ok {
			add(b, finding.Location{Object: "blob", Refs: []string{ref.Short()}})
		} else if root := a.root(id); root != none {
			a.leaves(root, func(p string, blob int32) {
				add(blob, finding.Location{Object: "blob", Path: p, Refs: []string{ref.Short()}})
			})
		}
	}
}

// leaves walks a tree that no commit has.
func (t *tracer) leaves(tree int32, fn func(path string, blob int32)) {
	for _, e := range t.edges[tree] {
		if t.spent() {
			return
		}
		back := t.enter(e.name)
		if e.to >= 0 {
			t.leaves(e.to, fn)
		} else {
			fn(string(t.path), ^e.to)
		}
		t.path = t.path[:back]
	}
}
