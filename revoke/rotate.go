package revoke

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/secret"
)

const kindRotate = "b10lint rotate 1"

// maxAttempts bounds how many successors one run makes before it gives up.
const maxAttempts = 3

// The steps of a rotation, in their order.
const (
	StepCreate       Step = "intend-create"
	StepCreated      Step = "created"
	StepDeliver      Step = "intend-deliver"
	StepDelivered    Step = "delivered"
	StepChecked      Step = "checked"
	StepDiscard      Step = "intend-discard" // of a successor that cannot be used
	StepDiscarded    Step = "discarded"
	StepRevokeOld    Step = "intend-revoke-old"
	StepOldRevoked   Step = "old-deleted"
	StepOldConfirmed Step = "old-absent"
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
	// Note is told what happens, a line at a time; nil is allowed.
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
	journal *Journal
	o       RotateOptions

	// What the journal tells.
	name, next                          string // of the successor; next is its prefix
	deliverSent, delivered, checked     bool
	checkedAt                           time.Time
	oldSent, oldDeleted, oldGone, ended bool
	// What only this process knows.
	key      secret.Secret
	here     bool // this process delivered, so the sink may be restored
	waited   bool // grace began in this process: its clock cannot have jumped
	attempts int
}

// Journal returns the name of the journal's file.
func (r *Rotation) Journal() string { return r.journal.Path() }

// take takes a record of the journal over.
func (r *Rotation) take(record Record) {
	switch record.Step {
	case StepCreate:
		r.name, r.next = record.Name, ""
		r.deliverSent, r.delivered, r.checked = false, false, false
	case StepCreated:
		r.next = record.Prefix
	case StepDeliver:
		r.deliverSent = true
	case StepDelivered:
		r.delivered = true
	case StepChecked:
		r.checked, r.checkedAt = true, record.At
	case StepDiscard:
		r.deliverSent, r.delivered, r.checked = false, false, false
	case StepDiscarded:
		r.name, r.next = "", ""
	case StepRevokeOld:
		r.oldSent = true
	case StepOldRevoked:
		r.oldDeleted = true
	case StepOldConfirmed:
		r.oldGone = true
	case StepEnd:
		r.ended = true
	}
}

// record writes to the journal and takes the record over.
func (r *Rotation) record(record Record) error {
	if err := r.journal.Append(record); err != nil {
		return err
	}
	record.At = now(r.o.Clock)
	r.take(record)
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
	var final *abandoned
	if errors.As(err, &final) {
		// Nothing of this rotation is left: the key can be rotated anew.
		if endErr := r.record(Record{Step: StepEnd, Detail: "abandoned: " + err.Error()}); endErr != nil {
			err = errors.Join(err, endErr)
		}
	}
	return r.result(err), errors.Join(err, r.journal.Close())
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
	return r.record(Record{Step: StepEnd, Detail: "rotated"})
}

// sameOrganisation refuses an endpoint or a credential to which the keys of this
// rotation look gone because they are somebody else's.
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

// succeed brings a successor to its place and checks it.
func (r *Rotation) succeed(ctx context.Context) error {
	for {
		if err := r.recover(ctx); err != nil {
			return err
		}
		if r.name == "" {
			if err := r.create(ctx); err != nil {
				if errors.Is(err, errLost) && r.attempts < maxAttempts {
					continue // recover looks for it by its name
				}
				return err
			}
		}
		err := r.deliverAndCheck(ctx)
		if err == nil || !errors.Is(err, errUnusable) {
			return err
		}
		if err := r.rollBack(err); err != nil {
			return err
		}
		if r.attempts >= maxAttempts {
			return fmt.Errorf("%w; %d successors were made and given up: the sink may hold one that does not work", err, r.attempts)
		}
	}
}

// errLost says that a successor may have been made whose key nobody has.
var errLost = errors.New("the answer that held the new key was lost")

// errUnusable says that a successor has to be given up.
var errUnusable = errors.New("the new key cannot be used")

// recover settles a successor that an earlier attempt began. Its key is found in
// the sink, if that can be read; one whose key is lost is deleted.
func (r *Rotation) recover(ctx context.Context) error {
	if r.name == "" || !r.key.IsZero() {
		return nil
	}
	if r.next != "" && r.deliverSent {
		key, ok, readable, err := r.o.Sink.Read(ctx, r.next)
		switch {
		case err != nil:
			return fmt.Errorf("whether the new key was delivered cannot be seen: %w", err)
		case ok:
			r.key = key
			r.note("the sink holds the new key %s", show(r.next))
			if !r.delivered {
				return r.record(Record{Step: StepDelivered, Prefix: r.next, Detail: "found in the sink"})
			}
			return nil
		case r.delivered && !readable:
			return nil // it was delivered; the list will tell whether it lives
		}
	}
	return r.discard(ctx)
}

// create makes the successor, after its unique name is on the disk.
func (r *Rotation) create(ctx context.Context) error {
	r.attempts++
	name := r.plan.newName(now(r.o.Clock))
	if err := r.record(Record{Step: StepCreate, Name: name}); err != nil {
		return err
	}
	key, err := r.o.Client.CreateKey(ctx, baseten.NewKey{Type: r.plan.Type, Name: name, ModelIDs: r.plan.ModelIDs, TeamID: r.plan.TeamID})
	switch {
	case err == nil && key.Prefix() == "":
		return fmt.Errorf("%w: it is no key", errLost)
	case err == nil:
		r.key = key
		r.note("made %s (%s)", show(key.Prefix()), name)
		return r.record(Record{Step: StepCreated, Prefix: key.Prefix(), Name: name})
	case baseten.Refused(err):
		// A clear refusal: there is no such key.
		if err := r.record(Record{Step: StepDiscarded, Name: name, Detail: "not made"}); err != nil {
			return err
		}
		return &abandoned{fmt.Errorf("the new key was not made: %w", err)}
	default:
		return fmt.Errorf("%w: %w", errLost, err)
	}
}

// deliverAndCheck puts the key into the sink and makes sure that it works there.
func (r *Rotation) deliverAndCheck(ctx context.Context) error {
	if !r.delivered {
		if err := r.record(Record{Step: StepDeliver, Prefix: r.next}); err != nil {
			return err
		}
		r.here = true
		if err := r.o.Sink.Deliver(ctx, r.key); err != nil {
			return fmt.Errorf("%w: delivery failed: %w", errUnusable, err)
		}
		if err := r.record(Record{Step: StepDelivered, Prefix: r.next}); err != nil {
			return err
		}
		r.note("delivered to %s", r.plan.Sink)
	}
	evidence, err := r.check(ctx)
	if err != nil {
		return err
	}
	r.waited = true
	r.note("checked: %s", evidence)
	return r.record(Record{Step: StepChecked, Prefix: r.next, Detail: evidence})
}
