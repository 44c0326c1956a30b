package revoke

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/secret"
)

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
				return r.record(record{Step: stepDelivered, Prefix: r.next, Detail: "found in the sink"})
			}
			return nil
		case r.delivered && !readable:
			return nil // it was delivered; the list will show whether it lives
		}
	}
	return r.discard(ctx)
}

// create makes the successor, after its unique name is on the disk.
func (r *Rotation) create(ctx context.Context) error {
	r.attempts++
	name := r.plan.newName(r.o.Clock.Now().UTC())
	if err := r.record(record{Step: stepCreate, Name: name}); err != nil {
		return err
	}
	key, err := r.o.Client.CreateKey(ctx, baseten.NewKey{Type: r.plan.Type, Name: name, ModelIDs: r.plan.ModelIDs, TeamID: r.plan.TeamID})
	switch {
	case err == nil && key.Prefix() == "":
		return fmt.Errorf("%w: it is no key", errLost)
	case err == nil:
		r.key = key
		r.note("made %s (%s)", show(key.Prefix()), name)
		return r.record(record{Step: stepCreated, Prefix: key.Prefix(), Name: name})
	case baseten.Refused(err):
		// A clear refusal: no key was created.
		if err := r.record(record{Step: stepDiscarded, Name: name, Detail: "not made"}); err != nil {
			return err
		}
		return &abandoned{fmt.Errorf("the new key was not made: %w", err)}
	default:
		return fmt.Errorf("%w: %w", errLost, err)
	}
}

// deliverAndCheck puts the key into the sink, and makes sure that it is what was
// asked for, that the sink holds it, and that Baseten lets it in. An error without
// errUnusable proves nothing against the key: both live, and a later run can check
// again.
func (r *Rotation) deliverAndCheck(ctx context.Context) error {
	if !r.delivered {
		if err := r.record(record{Step: stepDeliver, Prefix: r.next}); err != nil {
			return err
		}
		r.here = true
		if err := r.o.Sink.Deliver(ctx, r.key); err != nil {
			return fmt.Errorf("%w: delivery failed: %w", errUnusable, err)
		}
		if err := r.record(record{Step: stepDelivered, Prefix: r.next}); err != nil {
			return err
		}
		r.note("delivered to %s", r.plan.Sink)
	}
	if err := r.checkListed(ctx); err != nil {
		return err
	}
	parts := []string{"the list has it as asked for"}
	key, ok, readable, err := r.o.Sink.Read(ctx, r.next)
	switch {
	case err != nil:
		return fmt.Errorf("the sink cannot be read back: %w", err)
	case readable && (!ok || !r.key.IsZero() && !key.Equal(r.key)):
		return fmt.Errorf("%w: the sink does not hold it after the delivery", errUnusable)
	case readable:
		r.key = key
		parts = append(parts, "the sink holds it")
	}
	probed, err := r.checkProbe(ctx)
	if err != nil {
		return err
	}
	if probed != "" {
		parts = append(parts, probed)
	}
	evidence := strings.Join(parts, "; ")
	r.waited = true
	r.note("checked: %s", evidence)
	return r.record(record{Step: stepChecked, Prefix: r.next, Detail: evidence})
}

// checkListed waits until the list has the successor and compares what it says.
func (r *Rotation) checkListed(ctx context.Context) error {
	var last error
	for _, wait := range waits {
		if err := r.o.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
		keys, err := r.o.Client.Keys(ctx)
		last = err
		if err != nil {
			continue
		}
		i := slices.IndexFunc(keys, func(k baseten.Key) bool { return k.Prefix == r.next })
		if i < 0 {
			last = fmt.Errorf("%w: the list does not have it", errUnusable)
			continue
		}
		switch f := factsOf(keys[i]); {
		case f.Name != r.name:
			return fmt.Errorf("%w: it is listed under another name", errUnusable)
		case f.Type != string(r.plan.Type), !slices.Equal(f.ModelIDs, slices.Sorted(slices.Values(r.plan.ModelIDs))),
			f.Team != r.plan.Team && r.plan.TeamID != "":
			return fmt.Errorf("%w: it may do something else than was asked for: it is listed as %s", errUnusable, f.line())
		}
		return nil
	}
	return fmt.Errorf("the new key could not be checked: %w", last)
}

// checkProbe asks with the key itself. Without a probe or the key, which is gone
// when an earlier run delivered it to a sink that cannot be read, nothing is said.
func (r *Rotation) checkProbe(ctx context.Context) (evidence string, err error) {
	if r.o.NewProbe == nil || r.key.IsZero() {
		return "", nil
	}
	var said finding.Verdict
	for _, wait := range waits {
		if err := r.o.Clock.Sleep(ctx, wait); err != nil {
			return "", err
		}
		probe, err := r.o.NewProbe()
		if err != nil {
			return "", err
		}
		said = baseten.NewVerifier(nil, probe, nil).Verify(ctx, []secret.Secret{r.key}).Verdicts[r.key.Digest()]
		switch said.Liveness.State {
		case finding.Live, finding.Restricted:
			return "Baseten lets it in", nil
		}
	}
	if said.Liveness.State == finding.Dead {
		return "", fmt.Errorf("%w: Baseten turns it away: %s", errUnusable, said.Liveness.Detail)
	}
	return "", fmt.Errorf("whether the new key works could not be seen: %s", said.Liveness.Detail)
}

// rollBack gives a successor up: the sink gets its old content back where that
// can be done, and the successor is deleted. It returns the reason as an
// *abandoned error when everything is as it was, and nil when another successor
// has to be made because the sink may hold this one.
func (r *Rotation) rollBack(reason error) error {
	// It goes on when the run was interrupted.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	undone, err := false, error(nil)
	if r.here {
		undone, err = r.o.Sink.Restore(ctx)
	}
	untouched := r.here && !r.delivered // the delivery itself failed
	if err := r.discard(ctx); err != nil {
		return errors.Join(reason, fmt.Errorf("the new key %s is not deleted yet: %w", show(r.next), err))
	}
	r.here = false
	switch {
	case err != nil:
		return errors.Join(reason, fmt.Errorf("the sink could not be put back, and the new key is deleted: %w", err))
	case undone, untouched:
		return &abandoned{fmt.Errorf("%w; the new key is deleted, and the old one works as before", reason)}
	}
	return nil
}

// discard deletes the successor, which is found by its unique name, and nothing
// else. One that the list never shows was not made, as far as can be seen.
func (r *Rotation) discard(ctx context.Context) error {
	if err := r.record(record{Step: stepDiscard, Prefix: r.next, Name: r.name}); err != nil {
		return err
	}
	found, err := "", error(nil)
	for _, wait := range waits { // a key that was just made may take a moment to appear
		if err := r.o.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
		var keys []baseten.Key
		keys, err = r.o.Client.Keys(ctx)
		i := slices.IndexFunc(keys, func(k baseten.Key) bool {
			return k.Name == r.name && r.name != "" && (r.next == "" || k.Prefix == r.next)
		})
		if i >= 0 {
			found = keys[i].Prefix
			break
		}
	}
	if err != nil {
		return err
	}
	detail := "not in the list: it was not made"
	if found != "" {
		if found == r.plan.Old.Prefix {
			return errors.New("the list gives the new name to the old key: nothing was deleted")
		}
		facts := Facts{Kind: AccountKey, Prefix: found}
		if err := r.o.Client.DeleteKey(ctx, found); err != nil && !baseten.IsNotFound(err) {
			return err
		}
		if _, _, err := waitAbsent(ctx, r.o.Client, r.o.Clock, facts, false); err != nil {
			return fmt.Errorf("the delete of %s was answered, and %w", show(found), err)
		}
		detail = "deleted"
		r.note("deleted the new key %s again", show(found))
	}
	r.key = secret.Secret{}
	return r.record(record{Step: stepDiscarded, Prefix: found, Name: r.name, Detail: detail})
}

// wait lets the grace pass. In one process it is counted without the clock on
// the wall; a later process takes that clock's word, within what is plausible.
func (r *Rotation) wait(ctx context.Context) error {
	left := r.plan.Grace
	if !r.waited {
		left -= min(max(r.o.Clock.Now().UTC().Sub(r.checkedAt), 0), r.plan.Grace)
	}
	if left <= 0 {
		return nil
	}
	r.note("the old key lives for another %s", left.Round(time.Second))
	if err := r.o.Clock.Sleep(ctx, left); err != nil {
		return fmt.Errorf("the old key was not revoked yet: %w", err)
	}
	// Somebody may have revoked the successor in the meantime.
	if err := r.checkListed(ctx); err != nil {
		return fmt.Errorf("the old key was not revoked: %w", err)
	}
	return nil
}

// sweep deletes what came of attempts whose answers were lost: a key may have
// been made after it was looked for.
func (r *Rotation) sweep(ctx context.Context) error {
	lost := map[string]bool{}
	for _, record := range r.journal.records {
		if record.Step == stepCreate && record.Name != r.name {
			lost[record.Name] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	keys, err := r.o.Client.Keys(ctx)
	if err != nil {
		return fmt.Errorf("the old key was not revoked yet: lost successors could not be looked for: %w", err)
	}
	for _, k := range keys {
		if lost[k.Name] && k.Prefix != r.plan.Old.Prefix && k.Prefix != r.next {
			if err := r.o.Client.DeleteKey(ctx, k.Prefix); err != nil && !baseten.IsNotFound(err) {
				return fmt.Errorf("the old key was not revoked yet: the lost successor %s could not be deleted: %w", show(k.Prefix), err)
			}
			r.note("deleted the lost successor %s", show(k.Prefix))
		}
	}
	return nil
}

// revokeOld revokes the old key, once its successor was checked.
func (r *Rotation) revokeOld(ctx context.Context) error {
	if !r.checked {
		return errors.New("the old key is kept: its successor was not checked")
	}
	if r.carried { // as long as the list has it, the delete has to be sent again
		r.carried = false
		if there, _, err := listed(ctx, r.o.Client, r.plan.Old, r.plan.Self); err == nil && there {
			r.oldDeleted = false
		}
	}
	if !r.oldDeleted {
		carried := r.oldSent
		if err := r.record(record{Step: stepRevokeOld, Prefix: r.plan.Old.Prefix}); err != nil {
			return err
		}
		detail := ""
		err := r.o.Client.DeleteKey(ctx, r.plan.Old.Prefix)
		switch {
		case err == nil:
			detail = "Baseten accepted the delete"
		case baseten.IsNotFound(err):
			detail = answered404
		case baseten.IsUnauthorized(err) && r.plan.Self && carried:
			detail = "an earlier run had sent the delete, and Baseten turns the credential away, which is this key"
		case !baseten.Refused(err):
			if there, evidence, listErr := listed(ctx, r.o.Client, r.plan.Old, r.plan.Self); listErr == nil && !there {
				detail = "the answer was lost; " + evidence
			}
		}
		if detail == "" {
			return fmt.Errorf("the new key is in its place, and the old key was not revoked: %w", err)
		}
		if err := r.record(record{Step: stepOldRevoked, Prefix: r.plan.Old.Prefix, Detail: detail}); err != nil {
			return err
		}
	}
	if r.oldGone {
		return nil
	}
	evidence, _, err := waitAbsent(ctx, r.o.Client, r.o.Clock, r.plan.Old, r.plan.Self)
	if err != nil {
		return fmt.Errorf("the delete of the old key was answered, and %w", err)
	}
	r.note("revoked the old key %s", show(r.plan.Old.Prefix))
	return r.record(record{Step: stepOldConfirmed, Prefix: r.plan.Old.Prefix, Detail: evidence})
}
