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
	stepUndone       step = "not-delivered" // the place is as it was
	stepChecked      step = "checked"
	stepSupersede    step = "superseded"     // a successor whose key is lost, and that a place may hold
	stepDiscard      step = "intend-discard" // of a successor that cannot be used
	stepDiscarded    step = "discarded"
	stepUsed         step = "last-used" // of the old key, which is watched until it is idle
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
	NewProbe func() (*baseten.Probe, error)
	// Sinks are where the new key goes, one for each of the plan's, in their order.
	Sinks      []Sink
	Clock      clock.Clock
	Credential string
	// Note is called with what happens, a line at a time; nil is allowed.
	Note func(text string)
	// Progress is called with the state of a wait, which replaces the one before; nil is
	// allowed.
	Progress func(text string)

	point func(string)
}

// rotationBegun is the first record of a rotation's journal.
type rotationBegun struct {
	Rotation   *RotationPlan `json:"rotation"`
	Credential string        `json:"credential"`
}

// A Rotation puts a successor in a key's place, or in several: intend, create, prove,
// deliver to each, check, revoke, done, each on the disk before the next.
type Rotation struct {
	plan    *RotationPlan
	journal *journal
	o       RotateOptions

	// From the journal.
	name, next                          string // of the successor; next is its prefix
	places                              []place
	checked                             bool // every place has it
	checkedAt                           time.Time
	lastUse                             string // of the old key, while it is watched
	quietFrom                           time.Time
	superseded                          bool // an earlier successor may be in a place that cannot be read
	oldSent, oldDeleted, oldGone, ended bool
	// What only this process knows.
	key      secret.Secret
	waited   bool // grace began in this process: its clock cannot have jumped
	attempts int
	carried  bool // an earlier run deleted the old key and did not see it gone
}

// A place is a sink with what the journal says of it and the present successor.
type place struct {
	Sink
	spec            SinkSpec
	sent, delivered bool
	here            bool // this process delivered, so that it may be undone
}

// Journal returns the name of the journal's file.
func (r *Rotation) Journal() string { return r.journal.path }

// BeginRotation makes a rotation's journal in a folder, where it bears the key's
// prefix: of one key there is one rotation at a time. An unfinished one is an
// *UnfinishedError. Every sink was asked whether it is ready; nothing is sent yet.
func BeginRotation(ctx context.Context, dir string, p *RotationPlan, o RotateOptions) (*Rotation, error) {
	if err := p.Ready(ctx, o.Sinks); err != nil {
		return nil, err
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
		return rotationOf(p, j, o), nil
	}
}

// Ready fails, with all that is wrong, unless each of the sinks would take the new key
// and holds no other value than the old one. Nothing is changed.
func (p *RotationPlan) Ready(ctx context.Context, sinks []Sink) error {
	if len(sinks) == 0 || len(sinks) != len(p.Sinks) {
		return fmt.Errorf("the plan names %d places, and there are %d to deliver to", len(p.Sinks), len(sinks))
	}
	var wrong []error
	for i, sink := range sinks {
		if !p.Overwrite {
			if err := CheckPlace(ctx, sink, p.Old.Prefix); err != nil {
				wrong = append(wrong, err)
				continue
			}
		}
		if err := sink.Ready(ctx); err != nil {
			wrong = append(wrong, fmt.Errorf("the new key could not be delivered to %s, so none is made: %w", p.Sinks[i], err))
		}
	}
	return errors.Join(wrong...)
}

func rotationOf(p *RotationPlan, j *journal, o RotateOptions) *Rotation {
	r := &Rotation{plan: p, journal: j, o: o}
	for i, sink := range o.Sinks {
		r.places = append(r.places, place{Sink: sink, spec: p.Sinks[i]})
	}
	return r
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

// ReadRotation returns the plan of a rotation's journal, so that its sinks can be
// made again.
func ReadRotation(path string) (*RotationPlan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	records, _, err := parseJournal(data)
	if err == nil && (len(records) == 0 || records[0].Kind != kindRotate) {
		err = errors.New("this is not a journal of a rotation")
	}
	var b rotationBegun
	if err == nil {
		err = json.Unmarshal(records[0].Data, &b)
	}
	if err == nil && (b.Rotation == nil || b.Rotation.Old.Prefix == "" || len(b.Rotation.Sinks) == 0) {
		err = errors.New("it holds no plan")
	}
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return b.Rotation, nil
}

// ResumeRotation opens a journal to finish what an earlier run began. The
// options' Sinks have to be those that the journal's plan names.
func ResumeRotation(path string, o RotateOptions) (*Rotation, error) {
	p, err := ReadRotation(path)
	if err != nil {
		return nil, err
	}
	if len(o.Sinks) != len(p.Sinks) {
		return nil, fmt.Errorf("the journal names %d places, and there are %d to deliver to", len(p.Sinks), len(o.Sinks))
	}
	j, err := openJournal(path, kindRotate, o.Credential, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	o.Clock = o.Clock.OrSystem()
	r := rotationOf(p, j, o)
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
		r.nowhere()
	case stepCreated:
		r.next = did.Prefix
	case stepDeliver:
		r.of(did).sent = true
	case stepDelivered:
		r.of(did).delivered = true
	case stepUndone:
		p := r.of(did)
		p.sent, p.delivered = false, false
	case stepChecked:
		r.checked, r.checkedAt = true, did.At
	case stepSupersede:
		r.name, r.next, r.superseded = "", "", true
	case stepDiscard:
		r.nowhere()
	case stepDiscarded:
		r.name, r.next = "", ""
	case stepUsed:
		r.lastUse, r.quietFrom = did.Detail, did.At
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

// of returns the place of a record, which numbers them from 1.
func (r *Rotation) of(did record) *place {
	if did.Place < 1 || did.Place > len(r.places) {
		return &place{} // a journal that was not written by this program
	}
	return &r.places[did.Place-1]
}

// nowhere forgets what places have: of the present successor none has anything.
func (r *Rotation) nowhere() {
	r.checked = false
	for i := range r.places {
		r.places[i].sent, r.places[i].delivered = false, false
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

// abandoned is an error after which the old key and the places are as they were,
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
	if !r.oldSent {
		if err := r.wait(ctx); err != nil {
			return err
		}
		if r.plan.UntilIdle > 0 {
			if err := r.untilIdle(ctx); err != nil {
				return err
			}
		}
		if err := r.sweep(ctx); err != nil {
			return err
		}
	}
	if r.plan.KeepOld {
		return r.record(record{Step: stepEnd, Detail: "delivered; the old key is kept"})
	}
	if !r.oldSent { // someone may have revoked the successor in the meantime
		if err := r.checkListed(ctx); err != nil {
			return fmt.Errorf("the old key was not revoked: %w", err)
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
	Places   []Placed  `json:"places"`
	ByHand   []string  `json:"by_hand,omitempty"` // places that hold the old key and are to be changed by a person
	Checked  bool      `json:"checked"`           // the new key was delivered everywhere and works
	OldGone  bool      `json:"old_revoked"`
	OldSent  bool      `json:"old_delete_answered,omitempty"` // and it is not confirmed yet
	Finished time.Time `json:"finished"`
	Journal  string    `json:"journal"`
	Error    string    `json:"error,omitempty"`
	Resume   string    `json:"resume,omitempty"`
	// Next is the command that revokes the old key where the rotation leaves that out.
	Next string `json:"next,omitempty"`
}

func (p *place) state() string {
	switch {
	case p.delivered:
		return "delivered"
	case p.sent:
		return "unknown"
	}
	return "not-delivered"
}

// A Placed says whether a place has the new key.
type Placed struct {
	Sink  SinkSpec `json:"sink"`
	State string   `json:"state"` // "delivered", "not-delivered", or "unknown": it was sent there
}

func (r *Rotation) result(err error) *Rotated {
	res := &Rotated{Version: 1, State: "unfinished", Old: r.plan.Old, New: r.next, Name: r.name, ByHand: r.plan.ByHand, Checked: r.checked,
		OldGone: r.oldGone, OldSent: r.oldDeleted && !r.oldGone, Finished: r.o.Clock.Now().UTC(), Journal: r.journal.path}
	for _, p := range r.places {
		res.Places = append(res.Places, Placed{p.spec, p.state()})
	}
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
