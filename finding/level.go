package finding

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says how bad a finding is. The zero value is Info.
type Severity int8

// The severities, least first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = []string{"info", "low", "medium", "high", "critical"}

// String returns the lower-case word for s.
func (s Severity) String() string { return word(severityNames, int(s)) }

// MarshalText returns the lower-case word for s.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts the words that String returns, in any case.
func (s *Severity) UnmarshalText(text []byte) error {
	i, err := parseWord("severity", severityNames, string(text))
	*s = Severity(i)
	return err
}

// Confidence says how sure we are that a match is a Baseten key.
type Confidence int8

// The confidences, least first.
const (
	LowConfidence Confidence = iota
	MediumConfidence
	HighConfidence
)

var confidenceNames = []string{"low", "medium", "high"}

// String returns the lower-case word for c.
func (c Confidence) String() string { return word(confidenceNames, int(c)) }

// MarshalText returns the lower-case word for c.
func (c Confidence) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts the words that String returns, in any case.
func (c *Confidence) UnmarshalText(text []byte) error {
	i, err := parseWord("confidence", confidenceNames, string(text))
	*c = Confidence(i)
	return err
}

// Format is the grammar that a key follows.
type Format string

// The formats. B10 is b10_ + 8 + dot + 32 letters and digits, made since
// 2026-10-01 15:00 UTC; Legacy is the same without b10_; Federated is the
// gateway's sky_ form.
const (
	B10       Format = "b10"
	Legacy    Format = "legacy"
	Federated Format = "federated"
)

// Exposure says how far a key got.
type Exposure string

// The exposures, widest first.
const (
	Committed Exposure = "committed" // in a repository's history, or in a file that git tracks
	Shipped   Exposure = "shipped"   // in an archive, an image or a truss upload set
	Unpushed  Exposure = "unpushed"  // in a commit of this clone that, as far as the clone knows, no other has
	Staged    Exposure = "staged"    // in what the next commit would bring, or in its message
	Untracked Exposure = "untracked" // in a work tree, not in git and not ignored
	Plain     Exposure = "plain"     // in a folder that is not a repository
	Dangling  Exposure = "dangling"  // in an object of this clone that no commit or reference leads to
	Home      Exposure = "home"      // in a known place on the workstation
	Ignored   Exposure = "ignored"   // in a git-ignored local file
)

// Rank orders exposures: the wider, the larger. An unknown one ranks 0.
func (e Exposure) Rank() int {
	return slices.Index([]Exposure{Ignored, Home, Dangling, Plain, Untracked, Staged, Unpushed, Shipped, Committed}, e) + 1
}

// LiveState is the verdict on a key.
type LiveState string

// The verdicts. Restricted is a live key that may not call what was asked. Forged is
// text with the prefix of a live key and a secret half that is not that key's.
// Unknown means that someone was asked and no safe conclusion could be drawn.
const (
	Unchecked  LiveState = "unchecked"
	Live       LiveState = "live"
	Restricted LiveState = "restricted"
	Dead       LiveState = "dead"
	Forged     LiveState = "forged"
	Unknown    LiveState = "unknown"
)

func word(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("invalid(%d)", i)
	}
	return names[i]
}

func parseWord(kind string, names []string, text string) (int, error) {
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, text) }); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s %q is not one of %s", kind, text, strings.Join(names, ", "))
}
