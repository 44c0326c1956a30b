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

// tidyTime bounds the deletion of a successor that is given up, which goes on
// when the run was interrupted.
const tidyTime = time.Minute

// check makes sure that the successor is what was asked for, that the sink holds
// it, and that Baseten lets it in. An error without errUnusable proves nothing
// against it: both keys live, and a later run can check again.
func (r *Rotation) check(ctx context.Context) (evidence string, err error) {
	if err := r.checkListed(ctx); err != nil {
		return "", err
	}
	parts := []string{"the list has it as asked for"}
	key, ok, readable, err := r.o.Sink.Read(ctx, r.next)
	switch {
	case err != nil:
		return "", fmt.Errorf("the sink cannot be read back: %w", err)
	case readable && (!ok || !r.key.IsZero() && !key.Equal(r.key)):
		return "", fmt.Errorf("%w: the sink does not hold it after the delivery", errUnusable)
	case readable:
		r.key = key
		parts = append(parts, "the sink holds it")
	}
	probed, err := r.checkProbe(ctx)
	if err != nil {
		return "", err
	}
	if probed != "" {
		parts = append(parts, probed)
	}
	return strings.Join(parts, "; "), nil
}

// checkListed waits until the list has the successor and compares what it says.
func (r *Rotation) checkListed(ctx context.Context) error {
	var last error
	for _, wait := range waits {
		if err := pause(ctx, r.o.Clock, wait); err != nil {
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
		return r.compare(factsOf(keys[i]))
	}
	return fmt.Errorf("the new key could not be checked: %w", last)
}

func (r *Rotation) compare(f Facts) error {
	switch {
	case f.Name != r.name:
		return fmt.Errorf("%w: it is listed under another name", errUnusable)
	case f.Type != string(r.plan.Type), !slices.Equal(f.normal().ModelIDs, slices.Sorted(slices.Values(r.plan.ModelIDs))),
		f.Team != r.plan.Team && r.plan.TeamID != "":
		return fmt.Errorf("%w: it may do something else than was asked for: it is listed as %s", errUnusable, f.line())
	}
	return nil
}

// checkProbe asks with the key itself. Without a probe or the key, which is gone
// when an earlier run delivered it to a sink that cannot be read, nothing is said.
func (r *Rotation) checkProbe(ctx context.Context) (evidence string, err error) {
	if r.o.NewProbe == nil || r.key.IsZero() {
		return "", nil
	}
	var said finding.Verdict
	for _, wait := range waits {
		if err := pause(ctx, r.o.Clock, wait); err != nil {
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
	ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
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
	if err := r.record(Record{Step: StepDiscard, Prefix: r.next, Name: r.name}); err != nil {
		return err
	}
	found, err := r.findOrphan(ctx)
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
		if _, err := waitAbsent(ctx, r.o.Client, r.o.Clock, facts, false); err != nil {
			return err
		}
		detail = "deleted"
		r.note("deleted the new key %s again", show(found))
	}
	r.key = secret.Secret{}
	return r.record(Record{Step: StepDiscarded, Prefix: found, Name: r.name, Detail: detail})
}

// findOrphan looks for the successor by its name. A key that was just made may
// take a moment to appear.
func (r *Rotation) findOrphan(ctx context.Context) (prefix string, err error) {
	for _, wait := range waits {
		if err := pause(ctx, r.o.Clock, wait); err != nil {
			return "", err
		}
		var keys []baseten.Key
		keys, err = r.o.Client.Keys(ctx)
		for _, k := range keys {
			if k.Name == r.name && r.name != "" && (r.next == "" || k.Prefix == r.next) {
				return k.Prefix, nil
			}
		}
	}
	return "", err
}

// wait lets the grace pass. In one process it is counted without the clock on
// the wall; a later process takes that clock's word, within what is plausible.
func (r *Rotation) wait(ctx context.Context) error {
	left := r.plan.Grace
	if !r.waited {
		left -= min(max(now(r.o.Clock).Sub(r.checkedAt), 0), r.plan.Grace)
	}
	if left <= 0 {
		return nil
	}
	r.note("the old key lives for another %s", left.Round(time.Second))
	if err := pause(ctx, r.o.Clock, left); err != nil {
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
	for _, record := range r.journal.Records() {
		if record.Step == StepCreate && record.Name != r.name {
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
	if !r.oldDeleted {
		carried := r.oldSent
		if err := r.record(Record{Step: StepRevokeOld, Prefix: r.plan.Old.Prefix}); err != nil {
			return err
		}
		err := r.o.Client.DeleteKey(ctx, r.plan.Old.Prefix)
		detail, err := r.oldOutcome(ctx, err, carried)
		if err != nil {
			return fmt.Errorf("the new key is in its place, and the old key was not revoked: %w", err)
		}
		if err := r.record(Record{Step: StepOldRevoked, Prefix: r.plan.Old.Prefix, Detail: detail}); err != nil {
			return err
		}
	}
	if r.oldGone {
		return nil
	}
	evidence, err := waitAbsent(ctx, r.o.Client, r.o.Clock, r.plan.Old, r.plan.Self)
	if err != nil {
		return err
	}
	r.note("revoked the old key %s", show(r.plan.Old.Prefix))
	return r.record(Record{Step: StepOldConfirmed, Prefix: r.plan.Old.Prefix, Detail: evidence})
}

// oldOutcome reads the answer to the old key's delete.
func (r *Rotation) oldOutcome(ctx context.Context, err error, carried bool) (detail string, _ error) {
	switch {
	case err == nil:
		return "Baseten accepted the delete", nil
	case baseten.IsNotFound(err):
		return "it was gone already", nil
	case baseten.IsUnauthorized(err) && r.plan.Self && carried:
		return "an earlier run had sent the delete, and Baseten turns the credential away, which is this key", nil
	case baseten.Refused(err):
		return "", err
	}
	if there, evidence, listErr := listed(ctx, r.o.Client, r.plan.Old, r.plan.Self); listErr == nil && !there {
		return "the answer was lost; " + evidence, nil
	}
	return "", err
}
