package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// maxValue bounds what Read holds of its input at once: a whole json report,
// or one line of a jsonl one.
const maxValue = 512 << 20

// Read reads a report in the format json or jsonl, recognised by content. Unknown
// fields are skipped; another schema version, a value of the wrong type, events
// out of order, a missing summary and anything after it are errors that give the
// offset in bytes. A json report, or line of a jsonl one, of more than 512 MiB is an
// error.
//
// The report carries no rules: JSON reports do not hold the catalogue.
func Read(r io.Reader) (finding.Report, error) { return readBounded(r, maxValue) }

func readBounded(r io.Reader, limit int64) (finding.Report, error) {
	in := &reader{in: &budget{r: r, limit: limit, left: limit}}
	in.dec = json.NewDecoder(in.in)
	first, err := in.value()
	if errors.Is(err, io.EOF) {
		return finding.Report{}, errors.New("the report is empty")
	}
	if err != nil {
		return finding.Report{}, err
	}
	var kind struct {
		Schema, Start json.RawMessage
	}
	if err := in.decode(first, &kind); err != nil {
		return finding.Report{}, err
	}
	switch {
	case kind.Start != nil:
		return in.lines(first)
	case kind.Schema != nil:
		return in.whole(first)
	}
	return finding.Report{}, in.errorf("this is not a b10lint report: it begins with neither %q nor %q", "schema", "start")
}

// A budget is a reader that fails after limit bytes; value renews it.
type budget struct {
	r           io.Reader
	limit, left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("more than %s in one piece", size(b.limit))
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

type reader struct {
	in  *budget
	dec *json.Decoder
	at  int64 // where the value in hand begins
}

func (in *reader) errorf(format string, args ...any) error {
	return fmt.Errorf("report, byte %d: %w", in.at, fmt.Errorf(format, args...))
}

// value reads the next JSON value; the error is io.EOF after the last.
func (in *reader) value() (json.RawMessage, error) {
	in.in.left = in.in.limit
	in.at = in.dec.InputOffset()
	var raw json.RawMessage
	if err := in.dec.Decode(&raw); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			in.at = syntax.Offset
		}
		return nil, in.errorf("%w", err)
	}
	in.at = in.dec.InputOffset() - int64(len(raw))
	return raw, nil
}

// decode unmarshals raw, which begins at in.at.
func (in *reader) decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		in.at += kind.Offset
	}
	return in.errorf("%w", err)
}

func (in *reader) end() error {
	_, err := in.value()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return in.errorf("there is more after the end of the report")
}

func (in *reader) whole(raw []byte) (r finding.Report, err error) {
	var schema struct{ Schema string } // first, since another version may have other types
	if err := in.decode(raw, &schema); err != nil {
		return r, err
	}
	if err := in.known(schema.Schema); err != nil {
		return r, err
	}
	var doc document
	if err := in.decode(raw, &doc); err != nil {
		return r, err
	}
	if doc.Summary == nil {
		return r, in.errorf("the report has no summary")
	}
	for i, f := range doc.Findings {
		if !ruleID.MatchString(f.Rule) {
			return r, in.errorf("findings[%d]: %q is not a rule ID", i, cut(f.Rule, 80))
		}
	}
	if err := in.end(); err != nil {
		return r, err
	}
	r = finding.Report{Run: doc.Run.Run, Targets: doc.Targets, Findings: doc.Findings, Problems: doc.Problems, Summary: *doc.Summary}
	r.Run.Tool, r.Summary.Elapsed = doc.Tool, milliseconds(doc.Run.ElapsedMS)
	restore(&r)
	return r, nil
}

func (in *reader) lines(raw []byte) (r finding.Report, err error) {
	var first event
	if err := in.decode(raw, &first); err != nil {
		return r, err
	}
	if first.Start == nil {
		return r, in.errorf("the first line holds no start")
	}
	if err := in.known(first.Start.Schema); err != nil {
		return r, err
	}
	r.Run, r.Run.Tool, r.Targets = first.Start.Run, first.Start.Tool, first.Start.Targets
	for {
		raw, err := in.value()
		if errors.Is(err, io.EOF) {
			return r, in.errorf("the report ends without a summary: the run that wrote it did not finish")
		}
		if err != nil {
			return r, err
		}
		var e event
		if err := in.decode(raw, &e); err != nil {
			return r, err
		}
		switch {
		case e.Start != nil:
			return r, in.errorf("a second start")
		case e.Finding != nil && !ruleID.MatchString(e.Finding.Rule):
			return r, in.errorf("%q is not a rule ID", cut(e.Finding.Rule, 80))
		case e.Finding != nil:
			r.Findings = append(r.Findings, *e.Finding)
		case e.Problem != nil:
			r.Problems = append(r.Problems, *e.Problem)
		case e.Summary != nil:
			r.Summary, r.Summary.Elapsed = e.Summary.Summary, milliseconds(e.Summary.ElapsedMS)
			restore(&r)
			return r, in.end()
		default:
			return r, in.errorf("the line %s is not an event", cut(visible(string(bytes.TrimSpace(raw))), 40))
		}
	}
}

// ruleID is words of letters and digits, joined by "-", "_" or "."; writers put IDs into
// URLs and identifiers.
var ruleID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// known checks the schema version, for which v1 is all there is.
func (in *reader) known(schema string) error {
	if schema == Schema {
		return nil
	}
	return in.errorf("schema %q is not %q: this version of b10lint cannot read it", cut(schema, 80), Schema)
}

func milliseconds(n int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(max(n, 0), most)) * time.Millisecond
}

// restore gives names that JSON cannot hold their bytes back.
func restore(r *finding.Report) {
	name := func(text *string, raw *[]byte) {
		if len(*raw) > 0 {
			*text = string(*raw)
		}
		*raw = nil
	}
	for _, f := range slices.Concat(r.Findings, r.Summary.Resolved) {
		for i := range f.Locations {
			l := &f.Locations[i]
			name(&l.Path, &l.RawPath)
			name(&l.Member, &l.RawMember)
		}
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		name(&p.Path, &p.RawPath)
		name(&p.Member, &p.RawMember)
	}
}
