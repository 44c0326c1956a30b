package revoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/secret"
)

const kindRotate = "b10lint rotate 1"

// maxAttempts bounds how many successors one run makes before it gives up.
const maxAttempts = 3

// The steps of a rotation, in their order.
const (
	stepCreate       step = "intend-create"
	stepCreated      step = "created"
	stepDeliver      step = "intend-deliver"
	stepDelivered    step = "delivered"
	stepChecked      step = "checked"
	stepDiscard      step = "intend-discard" // of a successor that cannot be used
	stepDiscarded    step = "discarded"
	stepRevokeOld    step = "intend-revoke-old"
	stepOldRevoked   step = "old-deleted"
	stepOldConfirmed step = "old-absent"
)

// RotateOptions say how a rotation is carried out.
type RotateOptions struct {
	Client *baseten.Client
	Self   string // prefix of the credential; empty for a login token
	// NewProbe makes what checks with the new key itself that it works, anew for
	// each try; nil goes by the list.
	NewProbe   func() (*baseten.Probe, error)
	Sink       Sink
	Clock      clock.Clock
	Credential string
	// Note is called with what happens, a line at a time; nil is allowed.
	Note func(text string)

	point func(string)
}

// rotationBegun is the first record of a rotation's journal.
type rotationBegun struct {
	Rotation   *RotationPlan `json:"rotation"`
	Credential string        `json:"credential"`
}

// A Rotation puts a successor in a key's place: intend, create, deliver, check,
// revoke, done, each on the disk before the next.
type Rotation struct {
	plan    *RotationPlan
	journal *journal
	o       RotateOptions

	// From the journal.
	name, next                          string // of the successor; next is its prefix
	deliverSent, delivered, checked     bool
	checkedAt                           time.Time
	oldSent, oldDeleted, oldGone, ended bool
	// What only this process knows.
	key      secret.Secret
	here     bool // this process delivered, so the sink may be restored
	waited   bool // grace began in this process: its clock cannot have jumped
	attempts int
	carried  bool // an earlier run deleted the old key and did not see it gone
}

// Journal returns the name of the journal's file.
func (r *Rotation) Journal() string { return r.journal.path }

// BeginRotation makes a rotation's journal in a folder, where it bears the key's
// prefix: of one key there is one rotation at a time. An unfinished one is an
// *UnfinishedError. The sink was asked whether it is ready; nothing is sent yet.
func BeginRotation(ctx context.Context, dir string, p *RotationPlan, o RotateOptions) (*Rotation, error) {
	if !p.Overwrite {
		if err := CheckPlace(o.Sink, p.Old.Prefix); err != nil {
			return nil, err
		}
	}
	if err := o.Sink.Ready(ctx); err != nil {
		return nil, fmt.Errorf("the new key could not be delivered, so none is made: %w", err)
	}
	o.Clock = o.Clock.OrSystem()
	for n := 1; ; n++ {
		name := "rotate-" + url.PathEscape(p.Old.Prefix)
		if n > 1 {
			name += fmt.Sprintf("-%d", n)
		}
		path := filepath.Join(dir, name+".jsonl")
		j, err := newJournal(path, kindRotate, rotationBegun{p, o.Credential}, o.Clock, o.point)
		if errors.Is(err, fs.ErrExist) {
			if err := over(path); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return &Rotation{plan: p, journal: j, o: o}, nil
	}
}

// An UnfinishedError names the journal of a rotation that is not over.
type UnfinishedError struct{ Path string }

// Error says how to go on.
func (e *UnfinishedError) Error() string {
	return "a rotation of this key was begun and is not over: " + e.Path
}

// over returns nil if an earlier journal has come to its end, or never begun.
func over(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	records, _, err := parseJournal(data)
	if err == nil && len(records) == 0 {
		// A crash cut off the first record; or another run is just writing it.
		f, err := openExclusive(path, false)
		if err != nil {
			return err
		}
		return errors.Join(os.Remove(path), f.Close())
	}
	if err == nil && slices.ContainsFunc(records, func(r record) bool { return r.Step == stepEnd }) {
		return nil
	}
	return &UnfinishedError{path}
}

// ReadRotation returns the plan of a rotation's journal, so that its sink can be
// made again.
func ReadRotation(path string) (*RotationPlan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	records, _, err := parseJournal(data)
	if err == nil && (len(records) == 0 || records[0].Kind != kindRotate) {
		err = errors.New("this is no journal of a rotation")
	}
	var b rotationBegun
	if err == nil {
		err = json.Unmarshal(records[0].Data, &b)
	}
	if err == nil && (b.Rotation == nil || b.Rotation.Old.Prefix == "") {
		err = errors.New("it holds no plan")
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return b.Rotation, nil
}

// ResumeRotation opens a journal to finish what an earlier run began. The
// options' Sink has to be the one that the journal's plan names.
func ResumeRotation(path string, o RotateOptions) (*Rotation, error) {
	p, err := ReadRotation(path)
	if err != nil {
		return nil, err
	}
	j, err := openJournal(path, kindRotate, o.Credential, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	o.Clock = o.Clock.OrSystem()
	r := &Rotation{plan: p, journal: j, o: o}
	r.plan.Self = p.Old.Prefix == o.Self && o.Self != ""
	for _, did := range j.records {
		r.take(did)
	}
	r.carried = r.oldDeleted && !r.oldGone
	return r, nil
}

// take takes a record of the journal over.
func (r *Rotation) take(did record) {
	switch did.Step {
	case stepCreate:
		r.name, r.next = did.Name, ""
		r.deliverSent, r.delivered, r.checked = false, false, false
	case stepCreated:
		r.next = did.Prefix
	case stepDeliver:
		r.deliverSent = true
	case stepDelivered:
		r.delivered = true
	case stepChecked:
		r.checked, r.checkedAt = true, did.At
	case stepDiscard:
		r.deliverSent, r.delivered, r.checked = false, false, false
	case stepDiscarded:
		r.name, r.next = "", ""
	case stepRevokeOld:
		r.oldSent = true
	case stepOldRevoked:
		r.oldDeleted = true
	case stepOldConfirmed:
		r.oldGone = true
	case stepEnd:
		r.ended = true
	}
}

// record writes to the journal and takes the record over.
func (r *Rotation) record(did record) error {
	if err := r.journal.append(did); err != nil {
		return err
	}
	did.At = r.o.Clock.Now().UTC()
	r.take(did)
	return nil
}

func (r *Rotation) note(format string, args ...any) {
	if r.o.Note != nil {
		r.o.Note(fmt.Sprintf(format, args...))
	}
}

// Run carries the rotation out, from wherever an earlier run left it. The old
// key is revoked only when its successor was delivered and checked. After an error
// the old key lives, unless the result says otherwise; the journal is closed.
func (r *Rotation) Run(ctx context.Context) (*Rotated, error) {
	err := r.run(ctx)
	if errors.As(err, new(*abandoned)) {
		// Nothing of this rotation is left: the key can be rotated anew.
		if endErr := r.record(record{Step: stepEnd, Detail: "abandoned: " + err.Error()}); endErr != nil {
			err = errors.Join(err, endErr)
		}
	}
	return r.result(err), errors.Join(err, r.journal.close())
}

// abandoned is an error after which the old key and the sink are as they were,
// and no successor is left.
type abandoned struct{ error }

func (e *abandoned) Unwrap() error { return e.error }

func (r *Rotation) run(ctx context.Context) error {
	if r.ended {
		return nil
	}
	if err := r.sameOrganisation(ctx); err != nil {
		return err
	}
	if !r.checked {
		if err := r.succeed(ctx); err != nil {
			return err
		}
	}
	if r.plan.KeepOld {
		return r.record(record{Step: stepEnd, Detail: "delivered; the old key is kept"})
	}
	if !r.oldSent {
		if err := r.wait(ctx); err != nil {
			return err
		}
		if err := r.sweep(ctx); err != nil {
			return err
		}
	}
	if err := r.revokeOld(ctx); err != nil {
		return err
	}
	return r.record(record{Step: stepEnd, Detail: "rotated"})
}

// sameOrganisation refuses an endpoint or a credential to which the keys of this
// rotation look gone because they are another organisation's.
func (r *Rotation) sameOrganisation(ctx context.Context) error {
	if endpoint := endpointOf(r.o.Client); endpoint != r.plan.Endpoint {
		return fmt.Errorf("the rotation is for %s, and this is %s", show(r.plan.Endpoint), show(endpoint))
	}
	if r.o.Self == r.plan.Credential {
		return nil
	}
	keys, err := r.o.Client.Keys(ctx)
	if err != nil {
		return fmt.Errorf("whether this credential may go on could not be seen: %w", err)
	}
	for _, k := range keys {
		if k.Prefix == r.plan.Old.Prefix || k.Prefix == r.next && r.next != "" {
			return nil
		}
	}
	return errors.New("the rotation was begun with another credential, and this one sees neither the old key nor the new one")
}

// Rotated is what became of a rotation. It holds no secret half.
type Rotated struct {
	Version  int       `json:"b10lint_rotation"`
	State    string    `json:"state"` // "rotated", "delivered" (the old key is kept), "unchanged" or "unfinished"
	Old      Facts     `json:"old"`
	New      string    `json:"new,omitempty"` // prefix
	Name     string    `json:"name,omitempty"`
	Sink     SinkSpec  `json:"sink"`
	Checked  bool      `json:"checked"` // the new key was delivered and works
	OldGone  bool      `json:"old_revoked"`
	OldSent  bool      `json:"old_delete_answered,omitempty"` // and it is not confirmed yet
	Finished time.Time `json:"finished"`
	Journal  string    `json:"journal"`
	Error    string    `json:"error,omitempty"`
	Resume   string    `json:"resume,omitempty"`
	// Next is the command that revokes the old key where the rotation leaves that out.
	Next string `json:"next,omitempty"`
}

func (r *Rotation) result(err error) *Rotated {
	res := &Rotated{Version: 1, State: "unfinished", Old: r.plan.Old, New: r.next, Name: r.name, Sink: r.plan.Sink, Checked: r.checked,
		OldGone: r.oldGone, OldSent: r.oldDeleted && !r.oldGone, Finished: r.o.Clock.Now().UTC(), Journal: r.journal.path}
	switch {
	case err == nil && r.oldGone:
		res.State = "rotated"
	case err == nil && r.plan.KeepOld && r.checked:
		res.State, res.Next = "delivered", "b10lint revoke "+res.Old.Prefix
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
