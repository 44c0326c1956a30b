package baseten

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// A RetryPolicy says how often and how patiently a request that may be repeated
// is repeated. The zero RetryPolicy is the default.
type RetryPolicy struct {
	Attempts int           // in all; 0 means 4, 1 means no retry
	Base     time.Duration // the first wait, doubled each time; 0 means 500 ms
	Max      time.Duration // of one wait of our own choice; 0 means 20 s
	// Patience bounds one wait that the server asked for. A longer one is not
	// waited for: the answer is handed back as the error it is. 0 means 90 s.
	Patience time.Duration
	// Jitter draws from [0, 1); nil means a random draw.
	Jitter func() float64
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.Attempts == 0 {
		p.Attempts = 4
	}
	if p.Base == 0 {
		p.Base = 500 * time.Millisecond
	}
	if p.Max == 0 {
		p.Max = 20 * time.Second
	}
	if p.Patience == 0 {
		p.Patience = 90 * time.Second
	}
	if p.Jitter == nil {
		p.Jitter = rand.Float64
	}
	return p
}

// attemptsKey carries a counter of the attempts that one call took.
type attemptsKey struct{}

// countAttempts returns a context under which retrying counts its attempts in n.
func countAttempts(ctx context.Context, n *int) context.Context {
	return context.WithValue(ctx, attemptsKey{}, n)
}

// retrying repeats a request after a 429, a 5xx or a network error, when to
// repeat it cannot do more than it did: GET, HEAD and DELETE. A create is never
// repeated, whatever happened: Baseten does not say that it is idempotent, and a
// second key that nobody knows of is worse than an error.
func retrying(next http.RoundTripper, policy RetryPolicy, clock Clock) http.RoundTripper {
	policy = policy.withDefaults()
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		for attempt := 1; ; attempt++ {
			if n, ok := r.Context().Value(attemptsKey{}).(*int); ok {
				*n = attempt
			}
			res, err := next.RoundTrip(r)
			if attempt >= policy.Attempts || !repeatable(r) || !temporary(r.Context(), res, err) {
				return res, wrapAttempts(err, attempt)
			}
			wait, ok := policy.wait(res, attempt, clock.Now())
			if !ok {
				return res, err
			}
			closeBody(res)
			if err := clock.Sleep(r.Context(), wait); err != nil {
				return nil, err
			}
		}
	})
}

// repeatable reports whether sending r again cannot do harm.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		return r.Body == nil || r.Body == http.NoBody
	}
	return false
}

// temporary reports whether the same request may fare better later.
func temporary(ctx context.Context, res *http.Response, err error) bool {
	if err != nil {
		var answer *Error
		return ctx.Err() == nil && !errors.As(err, &answer) && !permanent(err)
	}
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
}

// wait returns how long to wait before the next attempt, and false when the
// server asks for more than our patience. Equal jitter, after Brooker,
// "Exponential Backoff And Jitter" (2015), keeps several runs apart; a wait that
// the server names is only lengthened by it, never cut.
func (p RetryPolicy) wait(res *http.Response, attempt int, now time.Time) (time.Duration, bool) {
	own := min(p.Base<<min(attempt-1, 16), p.Max)
	if res != nil {
		body, _ := io.ReadAll(res.Body) // buffered: it cannot fail
		res.Body = rewound(body)
		if asked := newError(res, body, now).RetryAfter; asked > 0 {
			jitter := time.Duration(p.Jitter() * float64(p.Base))
			return asked + jitter, asked <= p.Patience
		}
	}
	return own/2 + time.Duration(p.Jitter()*float64(own/2)), true
}

// wrapAttempts says how often it was tried, where that was more than once.
func wrapAttempts(err error, attempts int) error {
	if err == nil || attempts == 1 {
		return err
	}
	return fmt.Errorf("after %d attempts: %w", attempts, err)
}
