package scanner

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/secret"
)

// hits are what a walk found.
type hits struct {
	keys     []*candidate       // each with its places, in order; see arrange
	comments []finding.Location // that accept nothing
	// trussFiles are the .trussrc files and the trusses' config.yaml that were read, sorted.
	trussFiles []string
	problems   []finding.Problem
}

// A candidate is a key with the places where it was seen.
type candidate struct {
	digest     string
	key        secret.Secret
	format     finding.Format
	confidence finding.Confidence
	// matched is the confidence before it is lowered for keys in pictures alone:
	// they are asked for, so what is listed goes by how a key looks.
	matched finding.Confidence
	places  []place
}

// A place is one location of a key.
type place struct {
	offset int64 // orders the places of one file
	silent bool  // nothing near the key names an owner
	at     finding.Location
}

// gather walks a source and gathers what the detector finds in its blobs.
func gather(ctx context.Context, src source.Source, p *Progress, c Comments) (hits, error) {
	g := &gatherer{ctx: ctx, progress: p, commentsIn: c, keys: map[string]*candidate{}}
	defer context.AfterFunc(ctx, func() { time.AfterFunc(atEnd, func() { g.stop.Store(true) }) })()
	err := src.Walk(ctx, g)
	for _, k := range g.keys {
		g.found.keys = append(g.found.keys, k)
	}
	g.found.keys = arrange(g.found.keys)
	g.droppedPlaces += thin(g.found.keys)
	g.found.problems = append(g.found.problems, g.remaining()...)
	slices.Sort(g.found.trussFiles)
	g.found.trussFiles = slices.Compact(g.found.trussFiles)
	for _, limit := range []struct {
		n    int
		text string
	}{
		{g.droppedKeys, fmt.Sprintf("%d matches of further keys are not listed: the report holds %d distinct keys at most", g.droppedKeys, maxKeys)},
		{g.droppedPlaces, furtherPlaces(g.droppedPlaces)},
		{g.droppedTrussFiles, fmt.Sprintf("%d further files of truss are not judged: %d are at most", g.droppedTrussFiles, maxTruss)},
		{g.droppedProblems, fmt.Sprintf("%d further problems are not listed", g.droppedProblems)},
	} {
		if limit.n > 0 {
			g.found.problems = append(g.found.problems, finding.Problem{Error: limit.text})
		}
	}
	return g.found, err
}

// arrange fixes the order of the candidates by their first places, and of the places
// of each; it drops candidates without a place. It is idempotent.
func arrange(keys []*candidate) []*candidate {
	keys = slices.DeleteFunc(keys, func(k *candidate) bool { return len(k.places) == 0 })
	for _, k := range keys {
		k.arrange()
	}
	slices.SortFunc(keys, func(a, b *candidate) int {
		return cmp.Or(comparePlaces(&a.places[0], &b.places[0]), strings.Compare(a.digest, b.digest))
	})
	return keys
}

// arrange puts the places in order. The same place may come twice, in a window and as part
// of the whole, which knows more of it.
func (k *candidate) arrange() {
	slices.SortFunc(k.places, func(a, b place) int { return cmp.Or(comparePlaces(&a, &b), b.known()-a.known()) })
	k.places = slices.CompactFunc(k.places, func(a, b place) bool { return comparePlaces(&a, &b) == 0 })
}

// known returns how much is known of a place.
func (p place) known() int {
	n := 0
	if p.at.Cell != nil {
		n++
	}
	if p.at.LineHash != "" {
		n++
	}
	return n
}

// comparePlaces orders what is on disk now before what is only in history, then by
// path and place.
func comparePlaces(a, b *place) int {
	inHistory := func(l *finding.Location) int {
		if l.Blob != "" && !l.AtHead {
			return 1
		}
		return 0
	}
	order := cmp.Or( // most places differ in these
		cmp.Compare(inHistory(&a.at), inHistory(&b.at)),
		strings.Compare(a.at.Path, b.at.Path),
		strings.Compare(a.at.Member, b.at.Member),
		cmp.Compare(a.offset, b.offset),
	)
	if order != 0 {
		return order
	}
	return cmp.Or(
		cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column),
		strings.Compare(a.at.Commit, b.at.Commit),
		strings.Compare(a.at.Blob, b.at.Blob),
		strings.Compare(a.at.Object, b.at.Object),
		strings.Compare(strings.Join(a.at.Decoded, " "), strings.Join(b.at.Decoded, " ")),
		strings.Compare(a.at.Repository, b.at.Repository),
	)
}

// A gatherer is the Sink of a scan. It scans blobs in the goroutine that brings them;
// only hits, which are rare, take the lock.
type gatherer struct {
	ctx        context.Context
	progress   *Progress
	commentsIn Comments

	mu    sync.Mutex
	found hits                  // but for the keys
	keys  map[string]*candidate // by digest
	// undecoded are the blobs whose encodings were not all taken off.
	undecoded map[container]bool
	// remainders are the files in which something was only counted.
	remainders map[container]*remainder

	// judged is how many matches were judged beyond what each blob has for itself, in
	// all, and windows in the files whose windows come now.
	judged  atomic.Int64
	windows map[container]int
	stop    atomic.Bool // the context ended a while ago

	droppedKeys, droppedPlaces, droppedProblems, droppedTrussFiles int
}

// Problem implements source.Sink.
func (g *gatherer) Problem(p finding.Problem) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.found.problems) < maxProblems {
		g.found.problems = append(g.found.problems, p)
	} else {
		g.droppedProblems++
	}
	return g.ctx.Err()
}

// Blob implements source.Sink.
func (g *gatherer) Blob(b *source.Blob) (n int, err error) {
	g.count(b)
	g.meet(b)
	g.inName(b)
	var c *cursor
	truss := b.At.Context
	inside := newOutline(b)
	left := g.markers(b, inside)
	quota, ours := g.quota(b)
	probe := b.Window != nil && b.Window.Probe
	gaveUp := rules.FindWithin(&quota, name(b.At), b.Data, inside.fresh(b), func(m rules.Match) bool {
		if m.Start < quota.Own.Start || m.Start >= quota.Own.End {
			if len(left) > 0 { // the comment may be of this window all the same
				_, i := allow(b.Data, m.Start, b.At)
				left.used(i)
			}
			return true
		}
		if c == nil {
			b.Settle()
			c = newCursor(b)
			if b.At.Context == "" && isTruss(b) {
				truss = "truss-config"
			}
		}
		n++
		p := place{offset: int64(m.Start), silent: m.Silent, at: b.At}
		p.at.Context = truss
		if b.Window != nil {
			p.offset += b.Window.Offset
		}
		p.at.Decoded = append(slices.Clip(b.At.Decoded), m.Decoded...)
		if cell := inside.cell(m.Start); cell != nil {
			p.at.Cell = cell
		}
		c.place(&p.at, m)
		left.used(c.marker)
		picture := len(p.at.Decoded) > 0 && p.at.Decoded[0] == source.Recognised
		if picture { // it has no lines
			p.offset = 0
			p.at.Line, p.at.Column, p.at.EndLine, p.at.EndColumn = 0, 0, 0, 0
			p.at.UTF16Column, p.at.UTF16EndColumn = 0, 0
		}
		g.hit(m, p, picture)
		return !g.stop.Load() || n < mostAtEnd // what is at hand is still reported
	})
	g.spent(b, quota.Used, ours)
	if gaveUp >= 0 {
		g.gaveUp(b, gaveUp)
	}
	if !probe || n == 0 { // else the whole comes
		g.counted(b, &quota)
		g.unused(b, inside, left)
	}
	g.progress.Hits.Add(int64(n))
	return n, g.ctx.Err()
}

// own is the part of a blob whose matches are its.
func own(b *source.Blob) finding.Span {
	if b.Window != nil {
		return b.Window.Own
	}
	return finding.Span{End: len(b.Data)}
}

// problemIn is a problem with a blob.
func problemIn(b *source.Blob) finding.Problem {
	return finding.Problem{Path: cmp.Or(b.At.Path, b.At.Repository), Member: b.At.Member, Object: b.At.Blob, Repository: b.At.Repository}
}

// gaveUp reports, once for each file, where the budget for decoding did not suffice.
func (g *gatherer) gaveUp(b *source.Blob, offset int) {
	b.Settle()
	c := newCursor(b)
	c.move(offset)
	at := containerOf(b.At)
	g.mu.Lock()
	known := g.undecoded[at]
	if g.undecoded == nil {
		g.undecoded = map[container]bool{}
	}
	if len(g.undecoded) < maxProblems {
		g.undecoded[at] = true
	}
	g.mu.Unlock()
	if known {
		return
	}
	p := problemIn(b)
	p.Error = fmt.Sprintf("from line %d on, not all encodings were taken off: they lie more than %d deep in each other, or unpack to more than %d times their size",
		c.Line+1, rules.DecodeDepth, rules.DecodeFactor)
	_ = g.Problem(p)
}

// hit adds a match to the candidate of its key.
func (g *gatherer) hit(m rules.Match, p place, picture bool) {
	digest := m.Secret.Digest()
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.keys[digest]
	if k == nil {
		if len(g.keys) == maxKeys {
			g.droppedKeys++
			return
		}
		k = &candidate{digest: digest, key: m.Secret, format: m.Format}
		g.keys[digest] = k
	}
	k.matched = max(k.matched, m.Confidence)
	if !picture { // characters may be misread
		k.confidence = max(k.confidence, m.Confidence)
	}
	if k.places = append(k.places, p); len(k.places) == 4*maxPlaces {
		g.droppedPlaces += k.thin(maxPlaces)
	}
}

// meet keeps the path of a .trussrc that a folder scan met: one in the home or a truss is
// marked as such, one in an archive or in history is not a file.
func (g *gatherer) meet(b *source.Blob) {
	at := &b.At
	if at.Exposure != "" || at.Member != "" || at.Blob != "" || b.Again || b.Window != nil && !b.Window.Last {
		return
	}
	if !(strings.HasSuffix(at.Path, ".trussrc") && path.Base(at.Path) == ".trussrc" || strings.HasSuffix(at.Path, "config.yaml") && isTruss(b)) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.found.trussFiles) < maxTruss {
		g.found.trussFiles = append(g.found.trussFiles, at.Path)
	} else {
		g.droppedTrussFiles++
	}
}

// isTruss reports whether a blob is by its name and text the config.yaml of a truss. The
// name of an object in history is not known yet.
func isTruss(b *source.Blob) bool {
	if b.At.Member != "" || b.At.Path != "" && path.Base(b.At.Path) != "config.yaml" {
		return false
	}
	return bytes.HasPrefix(b.Data, []byte("model_name:")) || bytes.Contains(b.Data, []byte("\nmodel_name:"))
}

// count adds the blob to what was read: members and variables count for their
// bytes alone, windows once for each file.
func (g *gatherer) count(b *source.Blob) {
	if b.Again {
		return
	}
	part := own(b)
	g.progress.Bytes.Add(int64(part.End - part.Start - b.Before))
	if b.At.Member != "" || strings.HasPrefix(b.At.Path, source.EnvironmentPath) || b.Window != nil && !b.Window.Last {
		return
	}
	if b.At.Blob != "" {
		g.progress.Objects.Add(1)
	} else {
		g.progress.Files.Add(1)
	}
}

// name is what a blob goes by for the detector: the innermost file name counts as
// context, and so does the path that leads to it.
func name(at finding.Location) string {
	if at.Member == "" {
		return at.Path
	}
	return at.Path + "!" + at.Member
}

// Progress counts what was read so far, over all targets that share it. Its fields may
// be read at any time.
type Progress struct {
	Files, Objects, Bytes, Hits atomic.Int64
}

// A container names a blob whose members were scanned too.
type container struct {
	repository, path, blob string
	object, member         string
}

func containerOf(at finding.Location) container {
	return container{at.Repository, at.Path, at.Blob, at.Object, at.Member}
}

// markers looks for comments in a blob that is a text of its own.
func (g *gatherer) markers(b *source.Blob, inside *outline) (all markers) {
	file := b.At.Blob == "" && b.At.Member == "" && b.At.Object == "" && !strings.HasPrefix(b.At.Path, "<")
	index := b.At.Object == "blob" && b.At.Member == ""
	if !(g.commentsIn == CommentsInFiles && file || g.commentsIn == CommentsInIndex && index) || b.Again || b.Fresh != nil {
		return nil
	}
	from, to := 0, len(b.Data)
	if b.Window != nil {
		from, to = b.Window.Own.Start, b.Window.Own.End
	}
	if bytes.IndexByte(b.Data[:min(len(b.Data), sniffed)], 0) >= 0 {
		return nil // no text, or UTF-16
	}
	for range maxComments {
		if from = nextMarker(b.Data, from); from < 0 || from >= to {
			break
		}
		if isComment(b, inside, from) {
			all = append(all, from)
		}
		from += len(allowMarker)
	}
	return all
}

// unused keeps the comments that no match has used.
func (g *gatherer) unused(b *source.Blob, inside *outline, left markers) {
	if len(left) == 0 {
		return
	}
	c := newCursor(b)
	for _, i := range left {
		at := b.At
		c.move(i)
		at.Line, at.Column = c.Line+1, c.Column+1
		at.EndLine, at.EndColumn = at.Line, at.Column+len(allowMarker)
		if c.Column16 != c.Column {
			at.UTF16Column, at.UTF16EndColumn = c.Column16+1, c.Column16+1+len(allowMarker)
		}
		at.Cell = inside.cell(i)
		c.lineHash(&at)
		g.mu.Lock()
		if len(g.found.comments) < maxUnused {
			g.found.comments = append(g.found.comments, at)
		}
		g.mu.Unlock()
	}
}
