// Package rules knows what a Baseten key looks like, how sure one can be, and
// what may be wrong with one. It is pure: no I/O, no network, no clock.
//
// shape.go finds the form, boundary.go says where a token may begin and end,
// random.go tells a drawn secret from a written one, context.go weighs what
// stands around it. Each rule that a report can name has a file of its own.
package rules

import (
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
}

// Version changes whenever Find may answer differently for the same input. Caches
// of what was found are valid for one Version only.
const Version = "1"

// Find calls yield for each key in data, in order of Start, until yield returns
// false. path is the name that the data goes by and counts as context.
//
// fresh limits the search to matches that touch one of its ranges, given in order;
// nil means everything. Any bytes are safe; data is read only; nothing is
// allocated unless there is a match. Placeholders, names and numbers of the form
// of a key are not matches (see random.go).
func Find(path string, data []byte, fresh []finding.Span, yield func(Match) bool) {
	t := text{path: path, data: data}
	each(data, fresh, func(s shape) bool {
		confidence, ok := judge(&t, s)
		if !ok {
			return true
		}
		return yield(Match{
			Start: s.start, End: s.end,
			Secret: secret.New(string(data[s.start:s.end])),
			Format: s.format, Confidence: confidence,
		})
	})
}
