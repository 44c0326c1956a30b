package baseten

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/secret"
)

// A Scheme is the first word of an Authorization header.
type Scheme string

// Baseten takes a key under either scheme; federated keys may need Api-Key.
const (
	Bearer Scheme = "Bearer"
	APIKey Scheme = "Api-Key"
)

// withAuth adds the credential to a clone of each request, and only when hosts
// allows its address. This is the only place where a key meets a request.
func withAuth(next http.RoundTripper, hosts Hosts, key secret.Secret, scheme Scheme) http.RoundTripper {
	return httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if err := hosts.Allow(r.URL); err != nil {
			return nil, err
		}
		value := key.Reveal()
		for _, c := range []byte(value) {
			if c <= ' ' || c > '~' {
				// net/http would refuse it too, and might print it.
				return nil, &httpc.Refusal{Why: "the key holds a space or a control character and cannot be sent"}
			}
		}
		return httpc.Headed(next, "Authorization", string(scheme)+" "+value).RoundTrip(r)
	})
}

// A stack is what every request goes through, apart from the credential.
type stack struct {
	base    http.RoundTripper
	agent   string
	timeout time.Duration
	limiter *rate.Limiter
	retry   httpc.RetryPolicy
	clock   clock.Clock
}

func (o Options) stack(limiter *rate.Limiter) (s stack, err error) {
	s = stack{base: o.Transport, agent: o.UserAgent, timeout: o.Timeout, limiter: limiter, retry: o.Retry, clock: o.Clock.OrSystem()}
	if o.Waiting != nil {
		s.retry.Waiting = func(res *http.Response, err error, wait time.Duration) {
			why := "no usable answer from Baseten"
			switch {
			case err == nil && res.StatusCode == http.StatusTooManyRequests:
				why = "Baseten asks to wait"
			case err == nil:
				why = fmt.Sprintf("Baseten answers HTTP %d", res.StatusCode)
			}
			o.Waiting(fmt.Sprintf("%s: trying again in %s", why, max(wait.Round(time.Second), time.Second)))
		}
	}
	s.retry.Asked = func(res *http.Response, body []byte, now time.Time) time.Duration {
		return newError(res, body, now).RetryAfter
	}
	if s.agent == "" {
		s.agent = "b10lint"
	}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if s.base == nil {
		s.base, err = httpc.NewTransport(o.CAFile)
	}
	if o.Trace != nil {
		s.base = traced(s.base, s.clock, o.Trace)
	}
	return s, err
}

// traced reports every attempt: method, host and path, which hold no key, the status and
// the time to the answer's head.
func traced(next http.RoundTripper, c clock.Clock, report func(text string)) http.RoundTripper {
	return httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
		begun := c.Now()
		res, err := next.RoundTrip(r)
		said := "no answer"
		if err == nil {
			said = fmt.Sprintf("HTTP %d", res.StatusCode)
		}
		report(fmt.Sprintf("%s %s%s: %s in %s", r.Method, r.URL.Host, r.URL.EscapedPath(), said, c.Now().Sub(begun).Round(time.Millisecond)))
		return res, err
	})
}

// send sends r with a key, and returns the body of a 2xx answer. The error is an
// *Error for any other answer.
func (s stack) send(r *http.Request, hosts Hosts, key secret.Secret, scheme Scheme) ([]byte, error) {
	t := httpc.Headed(withAuth(s.base, hosts, key, scheme), "User-Agent", s.agent, "Accept", "application/json")
	t = httpc.Buffered(t, s.timeout, maxAnswer, s.clock)
	t = httpc.Limited(t, s.limiter, s.clock)
	t = httpc.Retrying(t, s.retry, s.clock)
	t = httpc.NoRedirects(t)
	res, err := t.RoundTrip(r)
	if err != nil {
		return nil, explainFailure(r, err)
	}
	body, err := io.ReadAll(res.Body)
	httpc.Close(res)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	if err := onlyJSON(r, res); err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		res.Request = r
		return nil, newError(res, body, s.clock.Now())
	}
	return body, nil
}

// explainFailure words what kept an answer from coming in. An answer that came in
// and could not be used is an *Error.
func explainFailure(r *http.Request, err error) error {
	var answer *httpc.Unusable
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	e := &Error{Method: r.Method, Path: r.URL.Path, Status: answer.Status, Message: answer.Message, NotJSON: true}
	if answer.To != "" {
		e.NotJSON, e.Redirect = false, clean(answer.To)
		e.Message = "the answer points to " + e.Redirect + "; redirects are not followed"
	}
	return e
}

// onlyJSON returns an *Error for an answer of any status that is not JSON. Captive
// portals, firewalls and proxies answer in Baseten's place with HTML, often with
// status 200 or 403, and neither says anything about a key.
func onlyJSON(r *http.Request, res *http.Response) error {
	given := res.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(given)
	if err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json")) {
		return nil
	}
	what := "without a content type"
	if given != "" {
		what = fmt.Sprintf("of type %q", clean(given))
	}
	return &Error{Method: r.Method, Path: r.URL.Path, Status: res.StatusCode, NotJSON: true,
		Message: "the answer is " + what + ", not JSON: something other than Baseten's API seems to have sent it"}
}
