package httpc

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/b10lint/b10lint/internal/clock"
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
	// Waiting is called before each wait, with the answer or error of the attempt before
	// it; nil is allowed.
	Waiting func(res *http.Response, err error, wait time.Duration)
	// Asked returns how long an answer asks to wait, 0 when it does not say; nil
	// means what the header Retry-After says.
	Asked func(res *http.Response, body []byte, now time.Time) time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	p.Attempts = cmp.Or(p.Attempts, 4)
	p.Base = cmp.Or(p.Base, 500*time.Millisecond)
	p.Max = cmp.Or(p.Max, 20*time.Second)
	p.Patience = cmp.Or(p.Patience, 90*time.Second)
	if p.Jitter == nil {
		p.Jitter = rand.Float64
	}
	if p.Asked == nil {
		p.Asked = func(res *http.Response, _ []byte, now time.Time) time.Duration { return RetryAfter(res, now) }
	}
	return p
}

// attemptsKey carries a counter of the attempts that one call took.
type attemptsKey struct{}

// CountAttempts returns a context under which Retrying counts its attempts in n.
func CountAttempts(ctx context.Context, n *int) context.Context {
	return context.WithValue(ctx, attemptsKey{}, n)
}

// Retrying repeats a request after a 429, a 5xx or a network error, when to
// repeat it cannot do more than it did: GET, HEAD and DELETE. What creates
// something is never repeated, whatever happened: it may not be
// idempotent, and a second key that no one knows of is worse than an error. The
// transport below has to be Buffered.
func Retrying(next http.RoundTripper, policy RetryPolicy, c clock.Clock) http.RoundTripper {
	policy, c = policy.withDefaults(), c.OrSystem()
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		for attempt := 1; ; attempt++ {
			if n, ok := r.Context().Value(attemptsKey{}).(*int); ok {
				*n = attempt
			}
			res, err := next.RoundTrip(r)
			if attempt >= policy.Attempts || !repeatable(r) || !temporary(r.Context(), res, err) {
				if err != nil && attempt > 1 {
					err = fmt.Errorf("after %d attempts: %w", attempt, err)
				}
				return res, err
			}
			wait, ok := policy.wait(res, attempt, c.Now())
			if !ok {
				return res, err
			}
			if policy.Waiting != nil {
				policy.Waiting(res, err, wait)
			}
			Close(res)
			if err := c.Sleep(r.Context(), wait); err != nil {
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

// temporary reports whether the same request may fare better later. A certificate
// that does not hold, a refusal of our own and an unusable answer will be the same.
func temporary(ctx context.Context, res *http.Response, err error) bool {
	if err == nil {
		return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
	}
	var unusable *Unusable
	var refusal *Refusal
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var noTLS tls.RecordHeaderError
	return ctx.Err() == nil && !errors.As(err, &unusable) && !errors.As(err, &refusal) &&
		!errors.As(err, &unknown) && !errors.As(err, &host) && !errors.As(err, &invalid) && !errors.As(err, &noTLS) && !errors.Is(err, http.ErrSchemeMismatch)
}

// wait returns how long to wait before the next attempt, and false when the
// server asks for more than our patience. Equal jitter, after Brooker,
// "Exponential Backoff And Jitter" (2015), keeps several runs apart; a wait that
// the server names is only lengthened by it, never cut.
func (p RetryPolicy) wait(res *http.Response, attempt int, now time.Time) (time.Duration, bool) {
	own := min(p.Base<<min(attempt-1, 16), p.Max)
	if res != nil {
		body, _ := io.ReadAll(res.Body) // buffered: it cannot fail
		res.Body = io.NopCloser(bytes.NewReader(body))
		if asked := p.Asked(res, body, now); asked > 0 {
			jitter := time.Duration(p.Jitter() * float64(p.Base))
			return asked + jitter, asked <= p.Patience
		}
	}
	return own/2 + time.Duration(p.Jitter()*float64(own/2)), true
}

// RetryAfter reads the header of that name (RFC 9110, 10.2.3): seconds or a date.
func RetryAfter(res *http.Response, now time.Time) time.Duration {
	value := res.Header.Get("Retry-After")
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return Seconds(f)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// Seconds returns a number of seconds as a duration; 0 for one that is no
// plausible wait.
func Seconds(n float64) time.Duration {
	if n > 0 && n < 1e9 {
		return time.Duration(n * float64(time.Second))
	}
	return 0
}
