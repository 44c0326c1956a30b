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

	"github.com/b10lint/b10lint/baseten"
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
	// NewProbe makes what checks with the new key itself that it works, anew for
	// each try; nil goes by the list.
	NewProbe   func() (*baseten.Probe, error)
	Sink       Sink
	Clock      baseten.Clock
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

// BeginRotation makes a rotation's journal in a folder, where it bears the key's
// prefix: of one key there is one rotation at a time. An unfinished one is an
// *UnfinishedError. The sink was asked whether it is ready; nothing is sent yet.
func BeginRotation(ctx context.Context, dir string, p *RotationPlan, o RotateOptions) (*Rotation, error) {
	if err := o.Sink.Ready(ctx); err != nil {
		return nil, fmt.Errorf("the new key could not be delivered, so none is made: %w", err)
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, "rotate-"+url.PathEscape(p.Old.Prefix)+".jsonl")
		if n > 1 {
			path = filepath.Join(dir, fmt.Sprintf("rotate-%s-%d.jsonl", url.PathEscape(p.Old.Prefix), n))
		}
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
	if err == nil && slices.ContainsFunc(records, func(r Record) bool { return r.Step == StepEnd }) {
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
	j, err := openJournal(path, kindRotate, o.Clock, o.point)
	if err != nil {
		return nil, err
	}
	r := &Rotation{plan: p, journal: j, o: o}
	for _, record := range j.Records() {
		r.take(record)
	}
	return r, nil
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
	switch status := baseten.StatusOf(err); {
	case err == nil && key.Prefix() == "":
		return fmt.Errorf("%w: it is no key", errLost)
	case err == nil:
		r.key = key
		r.note("made %s (%s)", show(key.Prefix()), name)
		return r.record(Record{Step: StepCreated, Prefix: key.Prefix(), Name: name})
	case status >= 400 && status < 500:
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
