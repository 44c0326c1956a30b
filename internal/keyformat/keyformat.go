// Package keyformat is the table of Baseten's key formats: what the detector looks
// for, what a probe makes a look-alike of, what an inventory lists.
//
// A new format is a row of All and a name in package finding. The detector finds a
// format with a mark at its mark and one without at its dot; what its vector code
// takes for granted of a row is in rules/sweep.go, and a test there compares the two.
package keyformat

import (
	"strings"
	"time"
)

// Alphabet is what the halves of a key are drawn from.
const Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// The confidences, as package finding has them: this package imports nothing of ours.
const (
	Low = iota
	Medium
	High
)

// A Format is the grammar of one kind of key: Mark, Prefix characters, a dot, the
// secret half.
type Format struct {
	Name   string // as finding.Format writes it
	Title  string // what a message calls such a key
	Mark   string // what every key begins with; empty for none
	Prefix int    // characters of Alphabet between the mark and the dot
	// MinSecret and MaxSecret bound the characters after the dot: of Alphabet, and of
	// "-_" too where Dashes is set.
	MinSecret, MaxSecret int
	Dashes               bool
	// Alone is the confidence of the form by itself, Named that beside Baseten's name.
	Alone, Named int
	// Account says that the management API makes, lists and deletes such keys.
	Account bool
	// Since is when Baseten began to make such keys; zero when that is not known.
	Since time.Time
}

// The formats. B10 and Legacy are documented by Baseten; the grammar of Federated,
// the gateway's, is known from third parties only.
var (
	B10 = Format{Name: "b10", Title: "Baseten API key", Mark: "b10_", Prefix: 8, MinSecret: 32, MaxSecret: 32,
		Alone: High, Named: High, Account: true, Since: time.Date(2026, 10, 1, 15, 0, 0, 0, time.UTC)}
	Federated = Format{Name: "federated", Title: "Baseten gateway key", Mark: "sky_", Prefix: 12, MinSecret: 16, MaxSecret: 256, Dashes: true,
		Alone: Low, Named: Medium}
	Legacy = Format{Name: "legacy", Title: "Baseten API key in the legacy format", Prefix: 8, MinSecret: 32, MaxSecret: 32,
		Alone: Low, Named: High, Account: true}
)

// All returns every format, those with a mark first: a key has the first that fits.
func All() []Format { return []Format{B10, Federated, Legacy} }

// Of returns the format of a key, or of its public part alone: by its mark, or
// without one by the length of that part.
func Of(key string) (f Format, ok bool) {
	prefix, _, _ := strings.Cut(key, ".")
	for _, f := range All() {
		if f.Mark != "" && strings.HasPrefix(prefix, f.Mark) || f.Mark == "" && len(prefix) == f.Prefix {
			return f, true
		}
	}
	return Format{}, false
}

// Has reports whether the whole of key follows the grammar.
func (f Format) Has(key string) bool {
	prefix, secret, dot := strings.Cut(key, ".")
	prefix, mark := strings.CutPrefix(prefix, f.Mark)
	if f.Dashes {
		secret = strings.NewReplacer("-", "0", "_", "0").Replace(secret)
	}
	return dot && mark && len(prefix) == f.Prefix && len(secret) >= f.MinSecret && len(secret) <= f.MaxSecret &&
		strings.Trim(prefix+secret, Alphabet) == ""
}
