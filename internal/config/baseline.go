package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// baselineSchema names the form of a baseline.
const baselineSchema = "b10lint-baseline/v1"

// A Baseline is a list of findings that were there when it was made and are
// accepted for now. It holds no secret and no place.
type Baseline struct {
	File string
	// Entries are in order of their fingerprints.
	Entries []BaselineEntry
}

// A BaselineEntry is one accepted finding.
type BaselineEntry struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Prefix      string `json:"prefix,omitempty"`
	Reason      string `json:"reason"`
	Owner       string `json:"owner,omitempty"`
	Added       string `json:"added"`           // YYYY-MM-DD
	Until       string `json:"until,omitempty"` // YYYY-MM-DD, the last day
}

type baselineFile struct {
	Schema   string          `json:"schema"`
	Accepted []BaselineEntry `json:"accepted"`
}

var fullFingerprint = regexp.MustCompile(`^(sha256:)?[0-9a-f]{16,64}$`)

// LoadBaseline reads a baseline. The error is fs.ErrNotExist if there is none, else
// an *Error.
func LoadBaseline(name string) (*Baseline, error) {
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	return ParseBaseline(name, data)
}

// ParseBaseline reads the content of a baseline. It is strict: what is not known,
// an entry without a reason and anything behind the end are errors. Any bytes are
// safe.
func ParseBaseline(name string, data []byte) (*Baseline, error) {
	fail := func(at int64, format string, args ...any) (*Baseline, error) {
		head := data[:min(max(at, 0), int64(len(data)))]
		line, column := bytes.Count(head, []byte{'\n'})+1, len(head)-bytes.LastIndexByte(head, '\n')
		return nil, &Error{name, line, column, fmt.Sprintf(format, args...), "b10lint baseline writes this file"}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var file baselineFile
	if err := d.Decode(&file); err != nil {
		at, text := d.InputOffset(), longRun.ReplaceAllString(err.Error(), "****")
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = syntax.Offset
		} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			at, text = kind.Offset, "a value is of the wrong type" // the library's words repeat the value
		}
		return fail(at, "not a baseline: %s", text)
	}
	if file.Schema != baselineSchema {
		return fail(0, "not a baseline: its schema is not %q", baselineSchema)
	}
	end := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fail(end, "there is more after the end of the baseline")
	}
	for i, e := range file.Accepted {
		if err := e.check(); err != nil {
			return fail(0, "accepted[%d]: %s", i, err)
		}
	}
	b := &Baseline{File: name, Entries: file.Accepted}
	b.sort()
	for i := 1; i < len(b.Entries); i++ {
		if b.Entries[i].Fingerprint == b.Entries[i-1].Fingerprint {
			return fail(0, "the fingerprint %s is there twice", b.Entries[i].Fingerprint)
		}
	}
	return b, nil
}

func (e *BaselineEntry) check() error {
	switch {
	case !fullFingerprint.MatchString(e.Fingerprint):
		return errors.New("the fingerprint is not 16 to 64 hexadecimal digits in lower case")
	case !ruleForm.MatchString(e.Rule):
		return errors.New("the rule is not a rule")
	case e.Prefix != "" && !prefixForm.MatchString(e.Prefix):
		return errors.New("the prefix is not the part of a key before its dot")
	case strings.TrimSpace(e.Reason) == "":
		return errors.New("the reason is missing")
	}
	for _, day := range []string{e.Added, cmp.Or(e.Until, e.Added)} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return errors.New("a date is not of the form 2027-01-31")
		}
	}
	return nil
}

func (b *Baseline) sort() {
	slices.SortFunc(b.Entries, func(x, y BaselineEntry) int { return strings.Compare(x.Fingerprint, y.Fingerprint) })
}

// Encode returns the content of the file, the same bytes for the same entries.
func (b *Baseline) Encode() ([]byte, error) {
	b.sort()
	data, err := json.MarshalIndent(baselineFile{baselineSchema, append([]BaselineEntry{}, b.Entries...)}, "", "  ")
	return append(data, '\n'), err
}

// An Update is what a new look found for a baseline.
type Update struct{ Added, Kept, Gone, Dropped int }

// Merge adds the findings that are not in the baseline, each as entry words it,
// and keeps the words of those that are. With prune, entries that were not found
// again are dropped, unless their rule is one that the run did not report on.
func (b *Baseline) Merge(findings []finding.Finding, entry BaselineEntry, prune bool, reports func(rule string) bool) (u Update) {
	found := map[string]finding.Finding{}
	for _, f := range findings {
		found[f.Fingerprint] = f
	}
	var kept []BaselineEntry
	for _, e := range b.Entries {
		_, again := found[e.Fingerprint]
		delete(found, e.Fingerprint)
		switch {
		case again:
			u.Kept++
		case prune && reports(e.Rule):
			u.Dropped++
			continue
		default:
			u.Gone++
		}
		kept = append(kept, e)
	}
	for _, f := range found {
		e := entry
		e.Fingerprint, e.Rule, e.Prefix = f.Fingerprint, f.Rule, f.Prefix
		kept = append(kept, e)
		u.Added++
	}
	b.Entries = kept
	b.sort()
	return u
}
