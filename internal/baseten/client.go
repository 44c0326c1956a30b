package baseten

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"
)

const (
	// DefaultTimeout bounds one attempt of one request, from the first byte sent
	// to the last one received.
	DefaultTimeout = 30 * time.Second
	// maxAnswer bounds one answer. The longest is the list of keys, which has no
	// pages: some 300 bytes for each key.
	maxAnswer = 64 << 20
	// requestRate is how many requests a second a Client sends at most. Baseten
	// allows 100 for each endpoint and key.
	requestRate, requestBurst = 40, 20
)

// Options make a Client. Endpoints and Credential have to be there.
type Options struct {
	Endpoints  Endpoints
	Credential Credential
	UserAgent  string // "b10lint/VERSION"
	CAFile     string // PEM certificates to trust besides the system's
	Timeout    time.Duration
	Retry      RetryPolicy
	Clock      Clock
	// Transport opens the connections; nil means the usual one, with the proxies
	// of the environment and CAFile.
	Transport http.RoundTripper
}

// A Client calls the management API with one credential. It is safe for use by
// several goroutines.
type Client struct {
	base      *url.URL
	transport http.RoundTripper
	clock     Clock
	account   string // see Scope
}

// New returns a Client. It sends nothing.
func New(o Options) (*Client, error) {
	if o.Credential.Key.IsZero() {
		return nil, errors.New("no Baseten API key: set BASETEN_API_KEY or pass --api-key-file")
	}
	if o.Endpoints.Management == nil {
		return nil, errors.New("no address of the management API")
	}
	if err := o.Endpoints.Hosts.Allow(o.Endpoints.Management); err != nil {
		return nil, err
	}
	s, err := o.stack(rate.NewLimiter(requestRate, requestBurst))
	if err != nil {
		return nil, err
	}
	scheme := o.Credential.Scheme
	if scheme == "" {
		scheme = Bearer
	}
	return &Client{
		base: o.Endpoints.Management, clock: o.Clock.withDefaults(), account: o.Credential.Key.Digest(),
		transport: s.over(withAuth(s.base, o.Endpoints.Hosts, o.Credential.Key, scheme)),
	}, nil
}

// A stack is what every request goes through, apart from the credential.
type stack struct {
	base    http.RoundTripper
	agent   string
	timeout time.Duration
	limiter *rate.Limiter
	retry   RetryPolicy
	clock   Clock
}

func (o Options) stack(limiter *rate.Limiter) (stack, error) {
	s := stack{base: o.Transport, agent: o.UserAgent, timeout: o.Timeout, limiter: limiter, retry: o.Retry,
		clock: o.Clock.withDefaults()}
	if s.agent == "" {
		s.agent = "b10lint"
	}
	if s.timeout <= 0 {
		s.timeout = DefaultTimeout
	}
	if s.base == nil {
		base, err := newBase(o.CAFile)
		if err != nil {
			return stack{}, err
		}
		s.base = base
	}
	return s, nil
}

// over puts the decorators over a transport that adds the credential, the one
// nearest to the network first.
func (s stack) over(authed http.RoundTripper) http.RoundTripper {
	t := withUserAgent(authed, s.agent)
	t = buffered(t, s.timeout, maxAnswer)
	t = limited(t, s.limiter, s.clock)
	t = retrying(t, s.retry, s.clock)
	t = refuseRedirects(t)
	return onlyJSON(t)
}

// call sends one request and decodes the answer into out, which may be nil. The
// error is an *Error for an answer that is not the one asked for.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	body, err := roundTrip(c.transport, r, c.clock.Now)
	if err != nil || out == nil {
		return err
	}
	return decode(r, body, out)
}

// request builds a request below the API's address. path is already escaped.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	return newRequest(ctx, method, c.base, path, query, in)
}

func newRequest(ctx context.Context, method string, base *url.URL, path string, query url.Values, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	address := base.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: the address cannot be built", method, path)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// roundTrip sends r and returns the body of a 2xx answer. No http.Client is
// used: it would add redirects and cookies, which are not wanted.
func roundTrip(t http.RoundTripper, r *http.Request, now func() time.Time) ([]byte, error) {
	res, err := t.RoundTrip(r)
	if err != nil {
		var answer *Error
		if errors.As(err, &answer) {
			return nil, err
		}
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	body, err := io.ReadAll(res.Body)
	closeBody(res)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		res.Request = r
		return nil, newError(res, body, now())
	}
	return body, nil
}

// decode reads a JSON answer. Its error never repeats the answer, which may hold
// a new key.
func decode(r *http.Request, body []byte, out any) error {
	err := json.Unmarshal(body, out)
	if err == nil {
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%s %s: the answer has another form than expected (field %q)", r.Method, r.URL.Path, kind.Field)
	}
	return fmt.Errorf("%s %s: the answer of %d bytes is not whole JSON", r.Method, r.URL.Path, len(body))
}

// Scope names what the Client's answers are about, the endpoint and the
// credential, without telling the credential. Caches are kept apart by it.
func (c *Client) Scope() string { return c.base.String() + " " + c.account }

// segment escapes one path segment. Those that would change the path are refused.
func segment(kind, value string) (string, error) {
	if value == "" || value == "." || value == ".." {
		return "", fmt.Errorf("%s %q is empty or a relative path", kind, value)
	}
	return url.PathEscape(value), nil
}
