// Package source says what a source of bytes is: a Source hands Blobs to a Sink and
// reports what it could not read. It does no I/O of its own and knows nothing of what
// is searched for. The rooms below it are the sources: disk (folders, files, streams),
// git (object stores on this machine), workstation (the known places of a home),
// truss (what truss push uploads), target (whatever a path stands for: files and
// histories), and unpack (decorators: archives, pictures).
package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

// A Blob is a piece of input. It and its Data are only valid during the call that
// hands it over; Data must not be written to.
type Blob struct {
	// At names the place: Path, and Member, Object, Blob, Repository, Exposure
	// where the source knows them. Line and Column are worked out by the scanner.
	At   finding.Location
	Data []byte
	// Fresh are the ranges that have not been handed over before, in order; nil
	// means all of Data. What lies outside was scanned as part of another blob.
	Fresh []finding.Span
	// Window is set when Data is a part of something larger.
	Window *Window
	// Again is set when the same bytes were handed over before in another form, in
	// windows or in part. Places that are found twice count once.
	Again bool
	// Before is how many bytes of Data windows handed over before, where they did not
	// reach the end. They are counted once.
	Before int
	// Open gives the whole content again for readers that need to seek, or that
	// were shown only a window. Nil when Data is the whole and all there is.
	Open func() (Content, error)
	// Name, when set, works out At.Blob, which is provisional until then: an object
	// that comes over a connection has no id before its content is hashed.
	Name func() string
}

// Settle makes At.Blob final. Whoever keeps At calls it first.
func (b *Blob) Settle() {
	if b.Name != nil {
		b.At.Blob, b.Name = b.Name(), nil
	}
}

// A Window places a part of a large input in the whole.
type Window struct {
	Offset int64 // of Data[0] in the whole
	Line   int   // 0-based line of Data[0]
	Column int   // 0-based column of Data[0] in that line, in characters
	// Column16 is Column in UTF-16 units.
	Column16 int
	// Wide says how the whole is written; Offset and Own.Start are even in UTF-16.
	Wide Wide
	// Own is the part of Data whose matches, by where they start, this window
	// answers for; the neighbours answer for the rest.
	Own finding.Span
	// Last is set on the final window.
	Last bool
	// Probe is set where the whole is handed over as soon as a window has a match: one
	// is enough.
	Probe bool
}

// Content is the whole of an input, readable at any place.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// A Sink takes blobs and problems. Its methods may be called from many
// goroutines at once. Blob returns how many matches it made of the blob. An
// error means that the run is over and the source must return it.
type Sink interface {
	Blob(*Blob) (hits int, err error)
	Problem(finding.Problem) error
}

// A Target is what a scan is of: a source by the name that the user gave it. It is the
// unit of a report.
type Target struct {
	Name   string
	Source Source
}

// A Hit is a location where something was found. Key is the same for the same key, and
// empty for what is not a key.
type Hit struct {
	At  finding.Location
	Key string
}

// A Source is where bytes come from. Locate and Coverage are nil for a source that
// cannot answer; a decorator copies the struct and wraps what it changes.
type Source struct {
	// Walk hands everything that the source has to a Sink. What it cannot read it
	// reports as a Problem, and continues; an error means that it could not work at
	// all, that the context ended, or that the Sink asked it to stop. When Walk
	// returns, none of its goroutines is left.
	Walk func(ctx context.Context, to Sink) error
	// Locate says more of locations where something was found: the commits of a blob,
	// whether git tracks a file. It returns, for each hit it is given, the locations
	// that it stands for, in a fixed order. It is called once, after Walk. An error
	// that is a LocateError lists what could not be found out; the locations that come
	// with it hold.
	Locate func(ctx context.Context, hits []Hit) ([][]finding.Location, error)
	// Coverage says, after Walk, what was read of each repository.
	Coverage func() []finding.Coverage
}

// EnvironmentPath is what the path of a variable of the process starts with.
const EnvironmentPath = "env:"

// Recognised is what Location.Decoded begins with for text that was read off a
// picture.
const Recognised = "ocr"

// A LocateError lists the places of which not everything could be found out. What
// was returned with it is complete and errs on the side of caution.
type LocateError []finding.Problem

// Error names the first.
func (e LocateError) Error() string { return e[0].Path + ": " + e[0].Error }

// Reason returns the plain words of an error, without the path that a Problem
// carries beside them.
func Reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// Unreadable returns the Problem of a place that is there and cannot be read.
func Unreadable(name string, err error) finding.Problem {
	var pe *fs.PathError
	if errors.As(err, &pe) { // the path is the Problem's
		err = pe.Err
	}
	p := finding.Problem{Path: filepath.ToSlash(name), Error: err.Error()}
	if errors.Is(err, fs.ErrPermission) {
		p.Hint = "run as a user who may read it"
	}
	return p
}

// Told reports whether a list has a Problem of the same place and words.
func Told(problems []finding.Problem, p finding.Problem) bool {
	return slices.ContainsFunc(problems, func(q finding.Problem) bool { return q.Path == p.Path && q.Error == p.Error })
}

// RuleFinding returns a finding that is not about a key, at places whose exposure
// is set. The fingerprint follows from the rule and the subject.
func RuleFinding(rule finding.Rule, severity finding.Severity, subject, message string, at ...finding.Location) finding.Finding {
	sum := sha256.Sum256([]byte(rule.ID + "\x00" + subject))
	f := finding.Finding{
		Rule: rule.ID, Severity: severity, Confidence: finding.HighConfidence,
		Fingerprint: hex.EncodeToString(sum[:16]), Message: message, Advice: rule.Remedy, Locations: at,
	}
	for _, l := range at {
		if l.Exposure.Rank() > f.Exposure.Rank() {
			f.Exposure = l.Exposure
		}
	}
	return f
}
