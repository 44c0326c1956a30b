package revoke

import (
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/shell"
)

// The states of a key after a run.
const (
	Revoked      = "revoked"
	AlreadyGone  = "already-gone"
	Unconfirmed  = "accepted-not-confirmed" // Baseten accepted the delete, and the list could not be read again
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
	// Credential is what the run went by whose delete was answered.
	Credential string `json:"credential,omitempty"`
	// Unproved is set where the key itself was to be asked with, and the answer did not
	// show that it is dead.
	Unproved bool `json:"unproved,omitempty"`

	deleted, gone, absent, there, probed, done bool
}

// take takes a record of the journal over.
func (e *Entry) take(r record, by string) {
	at := r.At
	switch r.Step {
	case stepIntend: // also anew, where an earlier delete had no effect
		e.deleted, e.gone, e.there = false, false, false
		return
	case stepSent, stepGone:
		e.deleted, e.gone, e.Credential = true, r.Step == stepGone, by
	case stepAbsent:
		e.absent, e.done = true, true
	case stepProbed:
		e.probed = strings.HasPrefix(r.Detail, string(finding.Dead))
		e.Unproved = !e.probed
	case stepFailed:
		e.State, e.Error, e.At, e.done = Failed, r.Detail, &at, false
		return
	default:
		return
	}
	e.settle(e.done)
	e.At = &at
	e.Evidence = append(e.Evidence, r.Detail)
}

// settle marks a key that was deleted; done, that nothing is left to be done for it.
func (e *Entry) settle(done bool) {
	e.done, e.Error, e.State = done, "", Revoked
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
	Person     string    `json:"person,omitempty"` // whose credential made the plan
	Tool       string    `json:"tool,omitempty"`   // name and version of the program, set by its caller
	Planned    time.Time `json:"planned"`
	Finished   time.Time `json:"finished"`
	Journal    string    `json:"journal"`
	Entries    []Entry   `json:"keys"`
	Refused    []Left    `json:"refused,omitempty"`
	Kept       []Left    `json:"kept,omitempty"` // they are not leaked
	Forged     []Left    `json:"forged,omitempty"`
	Unmatched  []Left    `json:"unmatched,omitempty"`
	// Resume is the command that finishes the rest; empty when nothing is left.
	Resume string `json:"resume,omitempty"`
	// Chain ties the receipt to its journal; nil where there is none. Sum is the SHA-256
	// of all else that it says, which WriteJSON sets.
	Chain *Chain `json:"chain,omitempty"`
	Sum   string `json:"sum"`
}

func (e *Execution) receipt() *Receipt {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &Receipt{Version: 1, Endpoint: e.plan.Endpoint, Credential: e.o.Credential, Planned: e.plan.Made, Finished: e.o.Clock.Now().UTC(),
		Journal: e.journal.path, Person: e.plan.Person, Refused: e.plan.Refused, Kept: e.plan.Kept, Forged: e.plan.Forged, Unmatched: e.plan.Unmatched}
	for i := range e.plan.Items {
		entry := *e.entries[e.plan.Items[i].Prefix]
		switch {
		case entry.done || entry.State == NotAttempted:
		case entry.deleted && !entry.there:
			entry.State = Unconfirmed
		default:
			entry.State = Failed
		}
		r.Entries = append(r.Entries, entry)
	}
	if records := e.journal.records; len(records) > 0 {
		r.Chain = &Chain{Records: len(records), Head: records[len(records)-1].sum}
	}
	if r.Open() > 0 {
		r.Resume = "b10lint revoke --resume " + shell.Quote(r.Journal)
	}
	return r
}

// Open counts the keys that are not done with.
func (r *Receipt) Open() (n int) {
	for _, e := range r.Entries {
		if e.State == Failed || e.State == NotAttempted || e.State == Unconfirmed {
			n++
		}
	}
	return n
}

// Unproved counts the revoked keys that should have been asked with, and of which no
// answer shows that they are dead.
func (r *Receipt) Unproved() (n int) {
	for _, e := range r.Entries {
		if e.Unproved {
			n++
		}
	}
	return n
}

// Receipt returns the receipt of a plan that was not carried out, and why.
func (p *Plan) Receipt(credential, why string, at time.Time) *Receipt {
	r := &Receipt{Version: 1, Endpoint: p.Endpoint, Credential: credential, Person: p.Person, Planned: p.Made, Finished: at.UTC(), Refused: p.Refused,
		Kept: p.Kept, Forged: p.Forged, Unmatched: p.Unmatched}
	for _, it := range p.Items {
		r.Entries = append(r.Entries, Entry{Item: it, State: NotAttempted, Error: why})
	}
	return r
}
