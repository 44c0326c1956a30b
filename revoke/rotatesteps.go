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
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/secret"
)

// succeed brings a successor to its places and checks it there.
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
		evidence, err := r.prove(ctx)
		if err == nil {
			if err = r.deliver(ctx); err == nil {
				r.waited = true
				return r.record(record{Step: stepChecked, Prefix: r.next, Detail: evidence + "; " + r.held()})
			}
		}
		touched := slices.ContainsFunc(r.places, func(p place) bool { return p.sent || p.delivered })
		if touched && !errors.Is(err, errUnusable) {
			return err // some places have a key that works, and the old one works in the others
		}
		if err := r.rollBack(err); err != nil {
			return err
		}
		if r.attempts >= maxAttempts {
			return fmt.Errorf("%w; %d successors were made and given up: a place may hold one that does not work", err, r.attempts)
		}
	}
}

// errLost says that a successor may have been made whose key nobody has.
var errLost = errors.New("the answer that held the new key was lost")

// errUnusable says that a successor has to be given up.
var errUnusable = errors.New("the new key cannot be used")

// recover settles a successor that an earlier attempt began. Its key is read from a
// place that has it. One whose key is lost is deleted, at once if no place has it; if
// a place that cannot be read may have it, only when its own successor is everywhere.
func (r *Rotation) recover(ctx context.Context) error {
	if r.name == "" || !r.key.IsZero() {
		return nil
	}
	unread, everywhere := false, r.next != ""
	for i := range r.places {
		p := &r.places[i]
		if r.next == "" || !p.sent {
			everywhere = false
			continue
		}
		key, ok, readable, err := p.Read(ctx, r.next)
		switch {
		case err != nil:
			return fmt.Errorf("whether %s has the new key cannot be seen: %w", p.spec, err)
		case ok && !r.key.IsZero() && !key.Equal(r.key):
			return fmt.Errorf("two places hold different keys with the prefix %s", show(r.next))
		case ok:
			r.key = key
			r.note("%s holds the new key %s", p.spec, show(r.next))
			if !p.delivered {
				if err := r.record(record{Step: stepDelivered, Prefix: r.next, Place: i + 1, Detail: "found there"}); err != nil {
					return err
				}
			}
		case readable:
			everywhere = false
			if err := r.record(record{Step: stepUndone, Prefix: r.next, Place: i + 1, Detail: "it does not hold the key"}); err != nil {
				return err
			}
		default:
			unread = true
			everywhere = everywhere && p.delivered
		}
	}
	switch {
	case !r.key.IsZero(), everywhere: // without the key, the list shows whether it lives
		return nil
	case unread:
		return r.record(record{Step: stepSupersede, Prefix: r.next, Name: r.name})
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
		return fmt.Errorf("%w: it is not a key", errLost)
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

// prove makes sure that the successor is what was asked for and that Baseten lets it
// in. An error without errUnusable proves nothing against the key.
func (r *Rotation) prove(ctx context.Context) (evidence string, err error) {
	if err := r.checkListed(ctx); err != nil {
		return "", err
	}
	probed, err := r.checkProbe(ctx)
	if probed != "" {
		probed = "; " + probed
	}
	return "the list has it as asked for" + probed, err
}

// deliver puts the key into every place that does not have it. It goes on after a
// failure, so that its error names all of them and the places that have the key.
func (r *Rotation) deliver(ctx context.Context) error {
	var failed error
	var have, lack []string
	for i := range r.places {
		p := &r.places[i]
		if !p.delivered && ctx.Err() == nil {
			if err := r.put(ctx, i); err != nil {
				err = fmt.Errorf("%s: %w", p.spec, err)
				r.note("not delivered to %s", err)
				if failed != nil {
					err = fmt.Errorf("%w; %w", failed, err)
				}
				failed = err
			}
		}
		if p.delivered {
			have = append(have, p.spec.String())
		} else {
			lack = append(lack, p.spec.String())
		}
	}
	switch {
	case lack == nil:
		return nil
	case failed == nil:
		failed = ctx.Err()
	}
	if have == nil {
		return fmt.Errorf("delivery failed: %w", failed)
	}
	return fmt.Errorf("the new key is in %s, and not known to be in %s, so the old one is kept: %w",
		strings.Join(have, ", "), strings.Join(lack, ", "), failed)
}

// put delivers to one place and reads it back. Of a delivery that failed the place is
// put back as it was; where that cannot be done or known, the place stays marked as one
// to which the key was sent.
func (r *Rotation) put(ctx context.Context, i int) error {
	p := &r.places[i]
	if !r.plan.Overwrite {
		if err := CheckPlace(ctx, p.Sink, r.prefixes()...); err != nil {
			return err
		}
	}
	if err := r.record(record{Step: stepDeliver, Prefix: r.next, Place: i + 1}); err != nil {
		return err
	}
	p.here = true
	err := p.Deliver(ctx, r.key)
	if err == nil {
		key, ok, readable, readErr := p.Read(ctx, r.next)
		if readErr != nil {
			return fmt.Errorf("it took the key and cannot be read back: %w", readErr)
		}
		if readable && (!ok || !key.Equal(r.key)) {
			err = errors.New("it does not hold the key after the delivery")
		}
	}
	if err == nil {
		r.note("delivered to %s", p.spec)
		return r.record(record{Step: stepDelivered, Prefix: r.next, Place: i + 1})
	}
	if errors.Is(err, ErrUncertain) {
		return err
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if _, undoErr := p.Restore(undo); undoErr != nil {
		return fmt.Errorf("%w; it could not be put back as it was: %w", err, undoErr)
	}
	p.here = false
	return errors.Join(err, r.record(record{Step: stepUndone, Prefix: r.next, Place: i + 1, Detail: err.Error()}))
}

// prefixes are those of the keys that a place of this rotation may hold: the old one and
// whatever successors were made.
func (r *Rotation) prefixes() []string {
	list := []string{r.plan.Old.Prefix}
	for _, did := range r.journal.records {
		if did.Step == stepCreated && did.Prefix != "" {
			list = append(list, did.Prefix)
		}
	}
	return list
}

// held says in how many places the key was seen, for the journal.
func (r *Rotation) held() string {
	return fmt.Sprintf("delivered to %d %s", len(r.places), english.Plural(len(r.places), "place", "places"))
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

// rollBack gives a successor up: places get their old content back where that
// can be done, and the successor is deleted. It returns the reason as an
// *abandoned error when everything is as it was, and nil when another successor
// has to be made because a place may hold this one.
func (r *Rotation) rollBack(reason error) error {
	// It goes on when the run was interrupted.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	clean, stuck := !r.superseded, error(nil)
	for i := len(r.places) - 1; i >= 0; i-- { // two places of one file are undone in turn
		p := &r.places[i]
		if !p.sent && !p.delivered {
			continue
		}
		undone, err := false, error(nil)
		if p.here {
			undone, err = p.Restore(ctx)
		}
		p.here = false
		clean = clean && undone
		if err != nil {
			stuck = errors.Join(stuck, fmt.Errorf("%s could not be put back as it was, and the new key is deleted: %w", p.spec, err))
		}
	}
	if err := r.discard(ctx); err != nil {
		return errors.Join(reason, fmt.Errorf("the new key %s is not deleted yet: %w", show(r.next), err))
	}
	switch {
	case stuck != nil:
		return errors.Join(reason, stuck)
	case clean:
		return &abandoned{fmt.Errorf("%w; the new key is deleted, and the old one works as before", reason)}
	case !errors.Is(reason, errUnusable):
		return reason
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
