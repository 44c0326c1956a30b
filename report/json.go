package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

// Schema names the form of the JSON report. Fields may be added to it; none is
// removed or changes its meaning without a new name.
const Schema = "b10lint/v1"

// document is the JSON report; docs/json.md describes it.
type document struct {
	Schema   string            `json:"schema"`
	Tool     finding.Tool      `json:"tool"`
	Run      runJSON           `json:"run"`
	Findings []finding.Finding `json:"findings"`
	Problems []finding.Problem `json:"problems"`
	Summary  *finding.Summary  `json:"summary"`
}

type runJSON struct {
	finding.Run
	ElapsedMS int64 `json:"elapsed_ms"`
}

type jsonWriter struct {
	collector
	w io.Writer
}

func newJSON(w io.Writer, _ Options) finding.Handler { return &jsonWriter{w: w} }

func (j *jsonWriter) Finish(s finding.Summary) error {
	doc := document{
		Schema:   Schema,
		Tool:     j.run.Tool,
		Run:      runJSON{normalRun(j.run), s.Elapsed.Milliseconds()},
		Findings: make([]finding.Finding, len(j.findings)),
		Problems: make([]finding.Problem, len(j.problems)),
	}
	for i, f := range j.findings {
		doc.Findings[i] = normal(f)
	}
	for i, p := range j.problems {
		doc.Problems[i] = normalProblem(p)
	}
	s = normalSummary(s)
	doc.Summary = &s
	data, err := encode(doc, "  ")
	if err != nil {
		return fmt.Errorf("encoding the json report: %w", err)
	}
	return write(j.w, "json", data)
}

// encode returns v as JSON that is harmless to print, with a newline at the end.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return visibleJSON(b.Bytes()), nil
}

// normal returns f as reports hold it: locations is an array, times are UTC and
// such as RFC 3339 can write, and names that JSON cannot hold have their bytes
// beside them. f and what it points to stay as they are.
func normal(f finding.Finding) finding.Finding {
	places := make([]finding.Location, len(f.Locations))
	for i, l := range f.Locations {
		l.Date = saneTime(l.Date)
		l.RawPath, l.RawMember = raw(l.Path), raw(l.Member)
		places[i] = l
	}
	f.Locations = places
	if f.Liveness != nil {
		v := *f.Liveness
		v.At = saneTime(v.At)
		f.Liveness = &v
	}
	if f.Key != nil {
		k := normalKey(*f.Key)
		f.Key = &k
	}
	if f.Outcome != nil {
		o := *f.Outcome
		o.At = saneTime(o.At)
		f.Outcome = &o
	}
	return f
}

func normalKey(k finding.Key) finding.Key {
	for _, t := range []**time.Time{&k.CreatedAt, &k.LastUsedAt, &k.RevokedAt, &k.CreatedBefore, &k.CreatedAfter, &k.NoUseSince} {
		*t = saneTime(*t)
	}
	return k
}

func normalProblem(p finding.Problem) finding.Problem {
	p.RawPath, p.RawMember = raw(p.Path), raw(p.Member)
	return p
}

func normalRun(r finding.Run) finding.Run {
	if r.Targets == nil {
		r.Targets = []string{}
	}
	if t := saneTime(&r.Started); t != nil {
		r.Started = *t
	} else {
		r.Started = time.Time{}
	}
	return r
}

func normalSummary(s finding.Summary) finding.Summary {
	resolved := s.Resolved
	s.Resolved = nil
	for _, f := range resolved {
		s.Resolved = append(s.Resolved, normal(f))
	}
	s.Inventory = slices.Clone(s.Inventory)
	for i := range s.Inventory {
		k := &s.Inventory[i]
		k.Key, k.LeakedAt = normalKey(k.Key), saneTime(k.LeakedAt)
	}
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		s.Sources[i].Since = saneTime(s.Sources[i].Since)
	}
	return s
}

// raw returns the bytes of a name that is not valid UTF-8, else nil.
func raw(name string) []byte {
	if utf8.ValidString(name) {
		return nil
	}
	return []byte(name)
}
