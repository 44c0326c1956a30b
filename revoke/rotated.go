package revoke

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/shell"
)

// Rotated is what became of a rotation. It holds no secret half.
type Rotated struct {
	Version  int       `json:"b10lint_rotation"`
	State    string    `json:"state"` // "rotated", "unchanged" or "unfinished"
	Old      Facts     `json:"old"`
	New      string    `json:"new,omitempty"` // prefix
	Name     string    `json:"name,omitempty"`
	Sink     SinkSpec  `json:"sink"`
	Checked  bool      `json:"checked"` // the new key was delivered and works
	OldGone  bool      `json:"old_revoked"`
	Finished time.Time `json:"finished"`
	Journal  string    `json:"journal"`
	Error    string    `json:"error,omitempty"`
	Resume   string    `json:"resume,omitempty"`
}

func (r *Rotation) result(err error) *Rotated {
	res := &Rotated{Version: 1, State: "unfinished", Old: r.plan.Old, New: r.next, Name: r.name, Sink: r.plan.Sink, Checked: r.checked,
		OldGone: r.oldGone, Finished: now(r.o.Clock), Journal: r.journal.Path()}
	switch {
	case err == nil && r.oldGone:
		res.State = "rotated"
	case r.ended:
		res.State = "unchanged"
	default:
		res.Resume = "b10lint rotate --resume " + shell.Quote(res.Journal)
	}
	if err != nil {
		res.Error = err.Error()
	}
	return res
}

// WriteJSON writes the result as JSON.
func (r *Rotated) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes the result for people.
func (r *Rotated) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%-11s %s\n", r.State, r.Old.line())
	if r.New != "" {
		fmt.Fprintf(b, "            new key %s  %s\n            delivered to %s\n", show(r.New), show(r.Name), r.Sink)
	}
	if r.OldGone {
		b.WriteString("            the old key is revoked\n")
	} else {
		b.WriteString("            the old key lives\n")
	}
	fmt.Fprintf(b, "journal: %s\n", show(r.Journal))
	if r.Resume != "" {
		fmt.Fprintf(b, "to go on: %s\n", show(r.Resume))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
