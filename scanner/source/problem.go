package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/b10lint/b10lint/finding"
)

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
