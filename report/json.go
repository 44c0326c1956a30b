package report

import (
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
	Targets  []finding.Target  `json:"targets,omitempty"`
	Findings []finding.Finding `json:"findings"`
	Problems []finding.Problem `json:"problems"`
	Summary  *finding.Summary  `json:"summary"`
}

type runJSON struct {
	finding.Run
	ElapsedMS int64 `json:"elapsed_ms"`
}

// event is one line of the jsonl format; exactly one of its fields is set.
type event struct {
	Start   *startJSON       `json:"start,omitempty"`
	Finding *finding.Finding `json:"finding,omitempty"`
	Problem *finding.Problem `json:"problem,omitempty"`
	Summary *summaryJSON     `json:"summary,omitempty"`
}

type startJSON struct {
	Schema string       `json:"schema"`
	Tool   finding.Tool `json:"tool"`
	Run    finding.Run  `json:"run"`
	// Targets is as in the document.
	Targets []finding.Target `json:"targets,omitempty"`
}

type summaryJSON struct {
	finding.Summary
	ElapsedMS int64 `json:"elapsed_ms"`
}

func renderJSON(r finding.Report, _ Options) ([]byte, error) {
	r = normal(r)
	run := runJSON{r.Run, r.Summary.Elapsed.Milliseconds()}
	return encode(document{Schema, r.Run.Tool, run, r.Targets, r.Findings, r.Problems, &r.Summary}, "  ")
}

func renderJSONL(r finding.Report, _ Options) ([]byte, error) {
	r = normal(r)
	events := []event{{Start: &startJSON{Schema, r.Run.Tool, r.Run, r.Targets}}}
	for i := range r.Findings {
		events = append(events, event{Finding: &r.Findings[i]})
	}
	for i := range r.Problems {
		events = append(events, event{Problem: &r.Problems[i]})
	}
	events = append(events, event{Summary: &summaryJSON{r.Summary, r.Summary.Elapsed.Milliseconds()}})
	var out []byte
	for _, e := range events {
		line, err := encode(e, "")
		if err != nil {
			return nil, err
		}
		out = append(out, line...)
	}
	return out, nil
}

// normal returns r as JSON holds it: lists are arrays, times are UTC and such as
// RFC 3339 can write, and names that JSON cannot hold have their bytes beside
// them. r and what it points to stay as they are.
func normal(r finding.Report) finding.Report {
	if r.Run.Targets == nil {
		r.Run.Targets = []string{}
	}
	if t := saneTime(&r.Run.Started); t != nil {
		r.Run.Started = *t
	} else {
		r.Run.Started = time.Time{}
	}
	r.Findings = normalFindings(r.Findings)
	r.Problems = append([]finding.Problem{}, r.Problems...)
	for i := range r.Problems {
		p := &r.Problems[i]
		p.RawPath, p.RawMember = raw(p.Path), raw(p.Member)
	}
	normalSummary(&r.Summary)
	r.Targets = slices.Clone(r.Targets)
	for i := range r.Targets {
		normalSummary(&r.Targets[i].Summary)
	}
	return r
}

func normalSummary(s *finding.Summary) {
	if len(s.Resolved) > 0 {
		s.Resolved = normalFindings(s.Resolved)
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
}

func normalFindings(findings []finding.Finding) []finding.Finding {
	findings = append([]finding.Finding{}, findings...)
	for i := range findings {
		f := &findings[i]
		f.Locations = append([]finding.Location{}, f.Locations...)
		for j := range f.Locations {
			l := &f.Locations[j]
			l.Date, l.RawPath, l.RawMember = saneTime(l.Date), raw(l.Path), raw(l.Member)
		}
		if f.Liveness != nil {
			v := *f.Liveness
			v.At, f.Liveness = saneTime(v.At), &v
		}
		if f.Key != nil {
			k := normalKey(*f.Key)
			f.Key = &k
		}
		if f.Outcome != nil {
			o := *f.Outcome
			o.At, f.Outcome = saneTime(o.At), &o
		}
	}
	return findings
}

func normalKey(k finding.Key) finding.Key {
	for _, t := range []**time.Time{&k.CreatedAt, &k.LastUsedAt, &k.RevokedAt, &k.CreatedBefore, &k.CreatedAfter, &k.NoUseSince} {
		*t = saneTime(*t)
	}
	return k
}

// raw returns the bytes of a name that is not valid UTF-8, else nil.
func raw(name string) []byte {
	if utf8.ValidString(name) {
		return nil
	}
	return []byte(name)
}
