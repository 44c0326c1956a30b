package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// maxValue bounds what Replay holds of its input at once: a whole json report,
// or one line of a jsonl one.
const maxValue = 512 << 20

// Replay reads a report in the format json or jsonl, told apart by content, and
// passes its events to h in the order of a run. Fields that are not known are
// passed over; another schema version, a value of the wrong type, events out of
// order, a missing summary and anything after it are errors that give the offset
// in bytes. It holds at most 512 MiB of input at once; a larger json report, or
// line of a jsonl one, is an error. An error of h ends it and is returned as it is.
//
// The run carries no rules: JSON reports do not hold the catalogue.
func Replay(r io.Reader, h finding.Handler) error { return replay(r, h, maxValue) }

func replay(r io.Reader, h finding.Handler, limit int64) error {
	in := &reader{in: &budget{r: r, limit: limit, left: limit}}
	in.dec = json.NewDecoder(in.in)
	first, err := in.value()
	if errors.Is(err, io.EOF) {
		return errors.New("the report is empty")
	}
	if err != nil {
		return err
	}
	var kind struct {
		Schema, Start json.RawMessage
	}
	if err := in.decode(first, &kind); err != nil {
		return err
	}
	switch {
	case kind.Start != nil:
		return in.lines(first, h)
	case kind.Schema != nil:
		return in.whole(first, h)
	}
	return in.errorf("this is no b10lint report: it begins with neither %q nor %q", "schema", "start")
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
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
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
	err := in.dec.Decode(&raw)
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		in.at = syntax.Offset
	}
	if err != nil {
		return nil, in.errorf("%w", err)
	}
	in.at = in.dec.InputOffset() - int64(len(raw))
	return raw, nil
}

// decode unmarshals raw, which begins at in.at.
func (in *reader) decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		in.at += kind.Offset
	}
	if err != nil {
		return in.errorf("%w", err)
	}
	return nil
}

func (in *reader) end() error {
	_, err := in.value()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	return in.errorf("there is more after the end of the report")
}

func (in *reader) whole(raw []byte, h finding.Handler) error {
	var schema struct{ Schema string }
	if err := in.decode(raw, &schema); err != nil {
		return err
	}
	if err := in.known(schema.Schema); err != nil {
		return err
	}
	var doc document
	if err := in.decode(raw, &doc); err != nil {
		return err
	}
	if doc.Summary == nil {
		return in.errorf("the report has no summary")
	}
	for i, f := range doc.Findings {
		if !isRuleID(f.Rule) {
			return in.errorf("findings[%d]: %q is no rule ID", i, cut(f.Rule, 80))
		}
	}
	if err := in.end(); err != nil {
		return err
	}
	doc.Run.Tool = doc.Tool
	doc.Summary.Elapsed = milliseconds(doc.Run.ElapsedMS)
	return emit(h, doc)
}

func emit(h finding.Handler, doc document) error {
	if err := h.Start(doc.Run.Run); err != nil {
		return err
	}
	for _, f := range doc.Findings {
		if err := h.Finding(restore(f)); err != nil {
			return err
		}
	}
	for _, p := range doc.Problems {
		if err := h.Problem(restoreProblem(p)); err != nil {
			return err
		}
	}
	return h.Finish(*doc.Summary)
}

func (in *reader) lines(raw []byte, h finding.Handler) error {
	var first event
	if err := in.decode(raw, &first); err != nil {
		return err
	}
	if first.Start == nil {
		return in.errorf("the first line holds no start")
	}
	if err := in.known(first.Start.Schema); err != nil {
		return err
	}
	first.Start.Run.Tool = first.Start.Tool
	if err := h.Start(first.Start.Run); err != nil {
		return err
	}
	for {
		raw, err := in.value()
		if errors.Is(err, io.EOF) {
			return in.errorf("the report ends without a summary: the run that wrote it did not finish")
		}
		if err != nil {
			return err
		}
		done, err := in.line(raw, h)
		if err != nil {
			return err
		}
		if done {
			return in.end()
		}
	}
}

func (in *reader) line(raw []byte, h finding.Handler) (done bool, err error) {
	var e event
	if err := in.decode(raw, &e); err != nil {
		return false, err
	}
	switch {
	case e.Start != nil:
		return false, in.errorf("a second start")
	case e.Finding != nil && !isRuleID(e.Finding.Rule):
		return false, in.errorf("%q is no rule ID", cut(e.Finding.Rule, 80))
	case e.Finding != nil:
		return false, h.Finding(restore(*e.Finding))
	case e.Problem != nil:
		return false, h.Problem(restoreProblem(*e.Problem))
	case e.Summary != nil:
		e.Summary.Elapsed = milliseconds(e.Summary.ElapsedMS)
		return true, h.Finish(e.Summary.Summary)
	}
	return false, in.errorf("the line %s is no event", cut(visible(string(bytes.TrimSpace(raw))), 40))
}

// isRuleID reports whether s is words of letters and digits, joined by "-", "_"
// or ".", of at most 100 bytes. Writers put IDs into URLs and identifiers.
func isRuleID(s string) bool {
	if len(s) > 100 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("-_.", rune(s[i]))) {
			return false
		}
	}
	return s != ""
}

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

func restore(f finding.Finding) finding.Finding {
	for i := range f.Locations {
		l := &f.Locations[i]
		l.Path, l.RawPath = name(l.Path, l.RawPath), nil
		l.Member, l.RawMember = name(l.Member, l.RawMember), nil
	}
	return f
}

func restoreProblem(p finding.Problem) finding.Problem {
	p.Path, p.RawPath = name(p.Path, p.RawPath), nil
	p.Member, p.RawMember = name(p.Member, p.RawMember), nil
	return p
}

func name(text string, raw []byte) string {
	if len(raw) > 0 {
		return string(raw)
	}
	return text
}
