package report

import (
	"fmt"
	"io"

	"github.com/b10lint/b10lint/finding"
)

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
}

type summaryJSON struct {
	finding.Summary
	ElapsedMS int64 `json:"elapsed_ms"`
}

type jsonlWriter struct{ w io.Writer }

func newJSONL(w io.Writer, _ Options) finding.Handler { return &jsonlWriter{w} }

func (j *jsonlWriter) Start(r finding.Run) error {
	return j.event(event{Start: &startJSON{Schema, r.Tool, normalRun(r)}})
}

func (j *jsonlWriter) Finding(f finding.Finding) error {
	f = normal(f)
	return j.event(event{Finding: &f})
}

func (j *jsonlWriter) Problem(p finding.Problem) error {
	p = normalProblem(p)
	return j.event(event{Problem: &p})
}

func (j *jsonlWriter) Finish(s finding.Summary) error {
	return j.event(event{Summary: &summaryJSON{normalSummary(s), s.Elapsed.Milliseconds()}})
}

func (j *jsonlWriter) event(e event) error {
	data, err := encode(e, "")
	if err != nil {
		return fmt.Errorf("encoding the jsonl report: %w", err)
	}
	return write(j.w, "jsonl", data)
}
