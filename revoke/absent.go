package revoke

import (
	"context"
	"fmt"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
)

// waits are between the looks at the list after a delete.
var waits = [...]time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// listed asks whether Baseten still lists a key. Of the credential's own key the
// answer may be that the credential is turned away, which evidence then says.
func listed(ctx context.Context, c *baseten.Client, f Facts, self bool) (there bool, evidence string, err error) {
	if f.Kind == GroupKey {
		for k, err := range c.GatewayKeys(ctx, f.Group) {
			if err != nil || k.Prefix == f.Prefix {
				return err == nil, "", err
			}
		}
		return false, "the group's list does not have it any more", nil
	}
	keys, err := c.Keys(ctx)
	if self && baseten.IsUnauthorized(err) {
		return false, "Baseten turns the credential away, which is this key", nil
	}
	if err != nil {
		return false, "", err
	}
	for _, k := range keys {
		if k.Prefix == f.Prefix {
			return true, "", nil
		}
	}
	return false, "the list does not have it any more", nil
}

// waitAbsent reads the list until the key is gone from it, a bounded time.
func (e *Execution) waitAbsent(ctx context.Context, entry *Entry) (evidence string, err error) {
	return waitAbsent(ctx, e.o.Client, e.o.Clock, entry.Facts, entry.Self)
}

func waitAbsent(ctx context.Context, c *baseten.Client, clock clock.Clock, f Facts, self bool) (evidence string, err error) {
	var last error
	for _, wait := range waits {
		if err := pause(ctx, clock, wait); err != nil {
			return "", &failure{fmt.Errorf("the delete was accepted; interrupted before the list was read again: %w", err)}
		}
		there, evidence, err := listed(ctx, c, f, self)
		if err == nil && !there {
			return evidence, nil
		}
		last = err
	}
	if last != nil {
		return "", &failure{fmt.Errorf("the delete was accepted, and the list could not be read again: %w", last)}
	}
	return "", &failure{fmt.Errorf("the delete was accepted, and the list still has the key after %d looks", len(waits))}
}

func now(clock clock.Clock) time.Time {
	if clock.Now == nil {
		return time.Now().UTC()
	}
	return clock.Now().UTC()
}

func pause(ctx context.Context, clock clock.Clock, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	if clock.Sleep != nil {
		return clock.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
