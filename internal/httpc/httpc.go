// Package httpc is what the rooms that speak HTTP share: a transport that opens
// connections, and decorators for transports. Each decorator is a function that
// takes the next transport and returns one of its own:
//
//	caller → NoRedirects → Retrying → Limited → Buffered → Headed → credential → NewTransport
//
// No http.Client is needed over them: it would add redirects and cookies.
package httpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/time/rate"

	"github.com/b10lint/b10lint/internal/clock"
)

// A RoundTripper makes a function an http.RoundTripper.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A Refusal says why nothing was sent. To try again would not help.
type Refusal struct{ Why string }

func (e *Refusal) Error() string { return e.Why }

// An Unusable is an answer that was not handed on: it was too large, or a redirect.
type Unusable struct {
	Status  int
	To      string // the host that a redirect points to, as the server wrote it
	Message string
}

func (e *Unusable) Error() string { return e.Message }

// NewTransport returns the transport that opens connections. Proxies come from the
// environment (HTTPS_PROXY, NO_PROXY), which never applies to this machine's own
// addresses. caFile, when given, adds certificate authorities to the system's.
func NewTransport(caFile string) (http.RoundTripper, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
	}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("certificate authorities: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate authorities: %s holds no PEM certificate", caFile)
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// Headed sets headers in a clone of each request, given as name and value in turn.
func Headed(next http.RoundTripper, headers ...string) http.RoundTripper {
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return next.RoundTrip(r)
	})
}

// Buffered reads each answer whole, within timeout from the first byte sent and
// with at most limit bytes; a larger one is an *Unusable. What goes wrong while the
// body comes in (a stall, a reset, an early end) is thereby an error of the round
// trip, and retried like one.
func Buffered(next http.RoundTripper, timeout time.Duration, limit int64, c clock.Clock) http.RoundTripper {
	c = c.OrSystem()
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := c.Timeout(r.Context(), timeout, fmt.Errorf("no full answer within %s", timeout))
		defer cancel()
		// Our own timeout's words replace "context deadline exceeded"; the
		// caller's cancellation stays as it is.
		cause := func(err error) error {
			if r.Context().Err() == nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
		res, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			return nil, cause(err)
		}
		defer Close(res)
		body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
		if err != nil {
			return nil, fmt.Errorf("reading the answer: %w", cause(err))
		}
		if int64(len(body)) > limit {
			return nil, &Unusable{Status: res.StatusCode, Message: fmt.Sprintf("the answer is larger than %d bytes", limit)}
		}
		whole := *res
		whole.Body = io.NopCloser(bytes.NewReader(body))
		whole.ContentLength = int64(len(body))
		whole.Request = r
		return &whole, nil
	})
}

// Limited holds requests back so that no more than the limiter allows are sent.
// It sits below the retries, so that they count too.
func Limited(next http.RoundTripper, limiter *rate.Limiter, c clock.Clock) http.RoundTripper {
	c = c.OrSystem()
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		now := c.Now()
		if wait := limiter.ReserveN(now, 1).DelayFrom(now); wait > 0 {
			if err := c.Sleep(r.Context(), wait); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(r)
	})
}

// NoRedirects turns a redirect into an *Unusable: to follow one would carry a
// credential to wherever the answer points.
func NoRedirects(next http.RoundTripper) http.RoundTripper {
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil || res.StatusCode < 300 || res.StatusCode > 399 {
			return res, err
		}
		Close(res)
		host := "another address"
		if to, err := res.Location(); err == nil && to.Host != "" {
			host = to.Host
		}
		return nil, &Unusable{Status: res.StatusCode, To: host, Message: "the answer points to another address; redirects are not followed"}
	})
}

// Close ends an answer that will not be used. res may be nil.
func Close(res *http.Response) {
	if res != nil && res.Body != nil {
		_ = res.Body.Close()
	}
}
