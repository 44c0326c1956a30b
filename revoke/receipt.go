package revoke

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/shell"
)

// The states of a key after a run.
const (
	Revoked      = "revoked"
	AlreadyGone  = "already-gone"
	Failed       = "failed"
	NotAttempted = "not-attempted"
)

// An Entry is what became of one key.
type Entry struct {
	Item
	State    string     `json:"state"`
	At       *time.Time `json:"at,omitempty"` // of the last step
	Evidence []string   `json:"evidence,omitempty"`
	Error    string     `json:"error,omitempty"`

	deleted, gone, absent, probed, done bool
}

// take takes a record of the journal over.
func (e *Entry) take(r Record) {
	at := r.At
	switch r.Step {
	case StepSent, StepGone:
		e.deleted, e.gone = true, e.gone || r.Step == StepGone
	case StepAbsent:
		e.absent, e.done = true, true
	case StepProbed:
		e.probed = true
	case StepFailed:
		e.State, e.Error, e.At, e.done = Failed, r.Detail, &at, false
		return
	default:
		return
	}
	e.State = Revoked
	if e.gone {
		e.State = AlreadyGone
	}
	e.At, e.Error = &at, ""
	e.Evidence = append(e.Evidence, r.Detail)
}

// settle marks a key that nothing is left to be done for.
func (e *Entry) settle() {
	e.done, e.Error, e.State = true, "", Revoked
	if e.gone {
		e.State = AlreadyGone
	}
}

// A Receipt names what was revoked, when, by which credential and with what
// evidence. It holds prefixes and no secret half.
type Receipt struct {
	Version    int       `json:"b10lint_receipt"`
	Endpoint   string    `json:"endpoint"`
	Credential string    `json:"credential"`
	Planned    time.Time `json:"planned"`
	Finished   time.Time `json:"finished"`
	Journal    string    `json:"journal"`
	Entries    []Entry   `json:"keys"`
	Refused    []Left    `json:"refused,omitempty"`
	Unmatched  []Left    `json:"unmatched,omitempty"`
	// Resume is the command that finishes the rest; empty when nothing is left.
	Resume string `json:"resume,omitempty"`
}

func (e *Execution) receipt() *Receipt {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &Receipt{Version: 1, Endpoint: e.plan.Endpoint, Credential: e.o.Credential, Planned: e.plan.Made, Finished: now(e.o.Clock),
		Journal: e.journal.Path(), Refused: e.plan.Refused, Unmatched: e.plan.Unmatched}
	for i := range e.plan.Items {
		entry := *e.entries[e.plan.Items[i].Prefix]
		if !entry.done && entry.State != NotAttempted {
			entry.State = Failed // deleted and not confirmed, too
		}
		r.Entries = append(r.Entries, entry)
	}
	if r.Open() > 0 {
		r.Resume = "b10lint revoke --resume " + shell.Quote(r.Journal)
	}
	return r
}

// Open counts the keys that are not done with.
func (r *Receipt) Open() (n int) {
	for _, e := range r.Entries {
		if e.State == Failed || e.State == NotAttempted {
			n++
		}
	}
	return n
}

// WriteJSON writes the receipt as JSON.
func (r *Receipt) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes the receipt for people.
func (r *Receipt) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	for _, e := range r.Entries {
		fmt.Fprintf(b, "%-13s %s\n", e.State, e.Facts.line())
		if e.At != nil {
			fmt.Fprintf(b, "              %s\n", e.At.UTC().Format(time.RFC3339))
		}
		for _, x := range e.Evidence {
			fmt.Fprintf(b, "              %s\n", show(x))
		}
		if e.Error != "" {
			fmt.Fprintf(b, "              %s\n", show(e.Error))
		}
	}
	writeLeft(b, "kept", r.Refused)
	writeLeft(b, "not matched", r.Unmatched)
	fmt.Fprintf(b, "\n%s\ncredential: %s\njournal: %s\n", r.count(), show(r.Credential), show(r.Journal))
	if r.Resume != "" {
		fmt.Fprintf(b, "to finish the rest: %s\n", show(r.Resume))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Receipt) count() string {
	var parts []string
	for _, state := range []string{Revoked, AlreadyGone, Failed, NotAttempted} {
		n := 0
		for _, e := range r.Entries {
			if e.State == state {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(state, "-", " ")))
		}
	}
	if parts == nil {
		return "no key was to be revoked"
	}
	return strings.Join(parts, ", ")
}

// WriteMarkdown writes the receipt for a ticket.
func (r *Receipt) WriteMarkdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Revocation of Baseten API keys\n\n%s.\n\n", r.count())
	fmt.Fprintf(b, "- Finished: %s\n- Endpoint: %s\n- Credential: %s\n- Journal: %s\n\n", r.Finished.UTC().Format(time.RFC3339),
		cell(r.Endpoint), cell(r.Credential), cell(r.Journal))
	b.WriteString("| Key | Name | Type | Owner | State | When | Evidence |\n|---|---|---|---|---|---|---|\n")
	for _, e := range r.Entries {
		when := ""
		if e.At != nil {
			when = e.At.UTC().Format(time.RFC3339)
		}
		evidence := strings.Join(e.Evidence, "; ")
		if e.Error != "" {
			evidence = e.Error
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", cell(e.Prefix), cell(e.Name), cell(e.Type), cell(e.Owner), e.State, when, cell(evidence))
	}
	for _, left := range [][]Left{r.Refused, r.Unmatched} {
		for _, l := range left {
			fmt.Fprintf(b, "| %s | | | | not planned | | %s |\n", cell(l.What), cell(l.Reason))
		}
	}
	if r.Resume != "" {
		fmt.Fprintf(b, "\nTo finish the rest: `%s`\n", strings.ReplaceAll(show(r.Resume), "`", "'"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell makes a word fit for a Markdown table.
func cell(s string) string {
	var b strings.Builder
	for _, r := range show(s) {
		if strings.ContainsRune("\\|`*_<>[]#&~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
