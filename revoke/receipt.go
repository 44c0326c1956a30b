package revoke

import (
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
func (e *Entry) take(r record) {
	at := r.At
	switch r.Step {
	case stepSent, stepGone:
		e.deleted, e.gone = true, e.gone || r.Step == stepGone
	case stepAbsent:
		e.absent, e.done = true, true
	case stepProbed:
		e.probed = true
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
	r := &Receipt{Version: 1, Endpoint: e.plan.Endpoint, Credential: e.o.Credential, Planned: e.plan.Made, Finished: e.o.Clock.Now().UTC(),
		Journal: e.journal.path, Refused: e.plan.Refused, Unmatched: e.plan.Unmatched}
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
