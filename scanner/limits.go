package scanner

import (
	"fmt"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// Limits that keep hostile input from taking the time and the memory: files can be made
// that hold millions of made-up keys. Reaching one is a Problem.
const (
	// maxJudged is how many matches of one blob are judged, and allJudged of all, beside
	// one in each judgedStep bytes and the first fewJudged of each. What it takes to
	// judge and report one is what it takes to search judgedStep bytes; those behind are
	// only counted.
	judgedStep = 4 << 10
	fewJudged  = 8
	// When the context ends, what is at hand is still searched for atEnd, and then so many
	// of its matches are still reported.
	atEnd     = 100 * time.Millisecond
	mostAtEnd = 1000

	maxPlaces   = 1000   // of one key
	allPlaces   = 20_000 // of all keys, but for a few of each
	fewPlaces   = 10
	maxTruss    = 10_000 // files
	maxUnused   = 10_000 // comments
	maxProblems = 10_000
)

// Three of the limits are variables, for a corpus of more keys than a scan judges.
var maxJudged, allJudged, maxKeys = 10_000, 50_000, 50_000

// quota is how many matches of a blob are judged, and how many of them the blob has for
// itself.
func (g *gatherer) quota(b *source.Blob) (q rules.Quota, ours int) {
	q = rules.Quota{Own: own(b), Stop: &g.stop}
	if b.Window != nil && b.Window.Probe {
		q.Most = 1
		return q, 1
	}
	more := maxJudged
	if b.Window != nil {
		g.mu.Lock()
		more -= g.windows[containerOf(b.At)]
		g.mu.Unlock()
	}
	ours = max(fewJudged, (q.Own.End-q.Own.Start)/judgedStep)
	q.Most = ours + max(0, min(more, allJudged-int(g.judged.Load())))
	return q, ours
}

// spent takes what was judged of a blob from what there is for its file and the scan.
func (g *gatherer) spent(b *source.Blob, n, ours int) {
	over := max(0, n-ours)
	g.judged.Add(int64(over))
	if b.Window == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.windows == nil {
		g.windows = map[container]int{}
	}
	if at := containerOf(b.At); b.Window.Last {
		delete(g.windows, at)
	} else if over > 0 {
		g.windows[at] += over
	}
}

// thin leaves no more than most places of a key, in order: the last one, the first one of
// each file as far as that goes, and the first ones. It returns how many it dropped. What
// is left depends on the places alone, also when it is done in steps.
func (k *candidate) thin(most int) (dropped int) {
	k.arrange()
	if len(k.places) <= most {
		return 0
	}
	dropped = len(k.places) - most
	last := len(k.places) - 1
	rank := func(i int) int {
		if i == 0 || i == last {
			return 0
		}
		if a, b := &k.places[i-1].at, &k.places[i].at; a.Path != b.Path || a.Repository != b.Repository {
			return 1
		}
		return 2
	}
	kept := make([]place, 0, most)
	take := make([]bool, len(k.places))
	left := most
	for r := range 3 {
		for i := range k.places {
			if left > 0 && rank(i) == r {
				take[i] = true
				left--
			}
		}
	}
	for i, p := range k.places {
		if take[i] {
			kept = append(kept, p)
		}
	}
	k.places = kept
	return dropped
}

// thin bounds the places of each key and of all. It returns how many it dropped.
func thin(keys []*candidate) (dropped int) {
	all := 0
	for _, k := range keys {
		all += min(len(k.places), maxPlaces)
	}
	most := maxPlaces
	if all > allPlaces {
		most = min(most, max(fewPlaces, allPlaces/len(keys)))
	}
	for _, k := range keys {
		dropped += k.thin(most)
	}
	return dropped
}

func furtherPlaces(n int) string {
	return fmt.Sprintf("%d further places are not listed: the report holds %d places of one key at most, and %d of all keys", n, maxPlaces, allPlaces)
}

// A remainder is what was only counted in one file.
type remainder struct {
	p       finding.Problem
	line, n int
}

// counted adds what was only counted in a blob, of which a file may be many.
func (g *gatherer) counted(b *source.Blob, q *rules.Quota) {
	if q.Further == 0 {
		return
	}
	c := newCursor(b)
	c.move(q.First)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.remainders == nil {
		g.remainders = map[container]*remainder{}
	}
	at := containerOf(b.At)
	of := g.remainders[at]
	switch {
	case of != nil:
		of.line, of.n = min(of.line, c.Line+1), of.n+q.Further
	case len(g.remainders) == maxProblems:
		g.droppedProblems++
	default:
		g.remainders[at] = &remainder{problemIn(b), c.Line + 1, q.Further}
	}
}

// remaining is a problem for each file in which something was only counted.
func (g *gatherer) remaining() (all []finding.Problem) {
	for _, of := range g.remainders {
		of.p.Error = fmt.Sprintf("from line %d on, %d strings of the form of a key were counted, not judged: of one file %d are judged, of a scan %d, and one in each %d KiB",
			of.line, of.n, maxJudged, allJudged, judgedStep>>10)
		of.p.Hint = "split the file and scan the parts one by one"
		all = append(all, of.p)
	}
	return all
}
