package basetentest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/secret"
)

// Noon is when tests happen.
var Noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A Clock stands still until someone sleeps by it, and remembers the sleeps.
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
	jump  time.Duration
	// waiting end the requests that a timeout of the Clock holds.
	waiting map[*func(error)]error
}

// NewClock returns a Clock that stands at Noon.
func NewClock() *Clock { return &Clock{now: Noon} }

// Now returns the time by the Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.jump)
	return c.now
}

// Sleep moves the Clock on by d, and returns the context's error.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// Slept returns how often Sleep was called since Set, and for how long in all.
func (c *Clock) Slept() (n int, total time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		total += d
	}
	return len(c.slept), total
}

// Set sets the Clock forward or back by d and forgets the sleeps. From then on it
// jumps by jump whenever it is read.
func (c *Clock) Set(d, jump time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.jump, c.slept = c.now.Add(d), jump, nil
}

// Clock returns the Clock as the program takes it.
func (c *Clock) Clock() clock.Clock {
	return clock.Clock{Now: c.Now, Sleep: c.Sleep, Timeout: c.timeout}
}

// timeout returns a context that ends when the Clock's timeouts expire, however long that
// takes: on a busy machine a real one ends what is merely slow.
func (c *Clock) timeout(ctx context.Context, _ time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := (func(error))(cancel)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[*func(error)]error{}
	}
	c.waiting[&end] = cause
	return ctx, func() {
		c.mu.Lock()
		delete(c.waiting, &end)
		c.mu.Unlock()
		cancel(nil)
	}
}

// Expire lets the time of every request run out that is on its way.
func (c *Clock) Expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for end, cause := range c.waiting {
		(*end)(cause)
	}
}

// A World is an organisation with a Server and its admin's client.
type World struct {
	Org    *Org
	Server *Server
	Clock  *Clock
	Admin  secret.Secret // a personal key
	Me     string        // the admin's user id
	Client *baseten.Client

	t testing.TB
}

// NewWorld starts a World, which ends with the test.
func NewWorld(t testing.TB) *World {
	t.Helper()
	w := &World{t: t, Clock: NewClock()}
	w.Org = NewOrg("Test", 8, w.Clock.Now)
	w.Me = w.Org.AddUser("admin@example.com", "Admin", true)
	w.Admin = w.Org.AddKey(KeySpec{Name: "admin", Type: "PERSONAL", Owner: w.Me,
		Created: Noon.AddDate(0, -1, 0), CreatedBy: "admin@example.com"})
	w.Server = Start(w.Org)
	w.Server.stalled = w.Clock.Expire
	t.Cleanup(w.Server.Close)
	w.Client = w.As(w.Admin)
	return w
}

// Options are those of a client of this World.
func (w *World) Options(key secret.Secret) baseten.Options {
	w.t.Helper()
	env := map[string]string{baseten.EnvManagementURL: w.Server.URL, baseten.EnvInferenceURL: w.Server.InferenceURL}
	e, err := baseten.ResolveEndpoints("", "", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		w.t.Fatal(err)
	}
	return baseten.Options{Endpoints: e, Credential: baseten.Credential{Key: key}, UserAgent: "b10lint/test",
		Clock: w.Clock.Clock(), Timeout: 10 * time.Second, Retry: httpc.RetryPolicy{Jitter: func() float64 { return 0 }}}
}

// As returns a client that calls with a key.
func (w *World) As(key secret.Secret) *baseten.Client {
	w.t.Helper()
	return w.New(w.Options(key))
}

// New returns a client with options.
func (w *World) New(o baseten.Options) *baseten.Client {
	w.t.Helper()
	c, err := baseten.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
