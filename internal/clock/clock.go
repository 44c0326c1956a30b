// Package clock tells the time and waits, in a way that tests can replace.
package clock

import (
	"context"
	"time"
)

// A Clock tells the time and waits. What is nil in it is the system's.
type Clock struct {
	Now func() time.Time
	// Sleep waits for d or until the context is done, and then returns its error.
	Sleep func(ctx context.Context, d time.Duration) error
	// Timeout returns a context that ends after d, with the cause.
	Timeout func(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc)
}

// OrSystem fills what is nil with the system's clock.
func (c Clock) OrSystem() Clock {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Timeout == nil {
		c.Timeout = context.WithTimeoutCause
	}
	return c
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
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
