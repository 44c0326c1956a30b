package rules

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/secret"
)

// A Match is one key in one place of the input.
type Match struct {
	// Start and End bound the key in the data: of the encoded run when Decoded is
	// not empty, else of the key itself.
	Start, End int
	Secret     secret.Secret
	Format     finding.Format
	// Decoded lists the encodings that were taken off, outermost first.
	Decoded    []string
	Confidence finding.Confidence
	// Silent reports that neither the line of the key nor the lines around it name an
	// owner of the form. Where the path of the data is learned later, as it is for an
	// object of a git repository, PathSpeaks then has the last word.
	Silent bool
}

// Version changes whenever Find may answer differently for the same input. Caches
// of what was found are valid for one Version only.
const Version = "9"

// Find calls yield for each key in data, in order of Start, until yield returns
// false. path is the name that the data goes by and counts as context.
//
// fresh limits the search to matches that touch one of its ranges, given in order;
// nil means everything. Any bytes are safe; data is only read. Placeholders, names
// and numbers of the form of a key are not matches (see random.go). Encodings are
// looked through to a depth of four. The time is linear in the length of data,
// with a bound on the work for each byte that was encoded.
//
// gaveUp is the first offset at which that bound was reached, so that a key that is
// encoded there or behind may have been missed; it is -1 when nothing was given up. A
// key that is encoded before it was found.
func Find(path string, data []byte, fresh []finding.Span, yield func(Match) bool) (gaveUp int) {
	gaveUp, _ = findAll(path, data, fresh, true, nil, yield)
	return gaveUp
}

// A Quota bounds how many matches are judged, each of which takes as long as searching
// some thousand bytes.
type Quota struct {
	// Own is the part of data whose matches, by where they start, the quota is for. All
	// others are judged.
	Own finding.Span
	// Most is how many are judged, where one that was encoded counts once more for each
	// encoding: its place is worked out through all of them. What has the form of a key
	// and comes behind is counted, without asking whether it is one.
	Most int
	// Used is how much of that was used.
	Used int
	// Stop ends the search early once it is set; what was found until then is handed to
	// yield. Nil is allowed.
	Stop *atomic.Bool
	// Further is how many were counted, and First where the first of them is.
	Further, First int
}

// FindWithin is Find within a quota, in which it counts what it does not judge.
func FindWithin(q *Quota, path string, data []byte, fresh []finding.Span, yield func(Match) bool) (gaveUp int) {
	gaveUp, _ = findAll(path, data, fresh, true, q, yield)
	return gaveUp
}

// FindUnweighed is Find without a path that asks no surroundings of the matches, which
// takes a fraction of the time where there are many: Confidence and Silent are not set.
// It is for masking: from gaveUp on, nothing of the data may be shown.
func FindUnweighed(data []byte, yield func(Match) bool) (gaveUp int) {
	gaveUp, _ = findAll("", data, nil, false, nil, yield)
	return gaveUp
}

// findAll also returns how many bytes it looked at, in all layers and passes.
func findAll(path string, data []byte, fresh []finding.Span, weighed bool, q *Quota, yield func(Match) bool) (gaveUp int, work int64) {
	f := finders.Get().(*finder)
	defer func() {
		*f = finder{} // nothing of this search stays in it
		finders.Put(f)
	}()
	f.unweighed, f.fresh, f.quota = !weighed, fresh, q
	f.input.path, f.input.data, f.input.work = path, data, &f.work
	f.search(&f.input)
	gaveUp, work = f.input.lost-1, f.work
	slices.SortStableFunc(f.found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(len(a.Decoded), len(b.Decoded)))
	})
	for i, m := range f.found {
		// One of the matches before m may be the same key in an overlapping place, two ways
		// to read one run, or be put together of parts or numbers and hold m: what stands behind
		// a joint, or where a long dump is read on, can look like a key with another beginning.
		same := slices.ContainsFunc(f.found[max(0, i-8):i], func(p Match) bool {
			return m.Start < p.End && (m.Secret.Equal(p.Secret) || m.End <= p.End && (slices.Contains(p.Decoded, concatenation) || slices.Contains(p.Decoded, dump)))
		})
		if !same && !yield(m) {
			break
		}
	}
	return gaveUp, work
}

var finders = sync.Pool{New: func() any { return new(finder) }}
