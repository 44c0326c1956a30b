package baseten

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/secret"
)

const (
	// defaultTimeout bounds one attempt of one request, from the first byte sent
	// to the last one received.
	defaultTimeout = 30 * time.Second
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
	Retry      httpc.RetryPolicy // its Asked is set here
	// Waiting is called before a wait between two attempts, with what it is for; Trace
	// after each attempt, with the request and what came of it. Neither holds a key. They
	// may be called by several goroutines at once. nil is allowed.
	Waiting, Trace func(text string)
	Clock          clock.Clock
	// Transport opens the connections; nil means the usual one, with the proxies
	// of the environment and CAFile.
	Transport http.RoundTripper
}

// A Client calls the management API with one credential. It is safe for use by
// several goroutines.
type Client struct {
	stack  stack
	base   *url.URL
	hosts  Hosts
	key    secret.Secret
	scheme Scheme
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
	return &Client{stack: s, base: o.Endpoints.Management, hosts: o.Endpoints.Hosts, key: o.Credential.Key,
		scheme: cmp.Or(o.Credential.Scheme, Bearer)}, nil
}

// call sends one request and decodes the answer into out, which may be nil. The
// error is an *Error for an answer that is not the one asked for.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r, err := newRequest(ctx, method, c.base, path, query, in)
	if err != nil {
		return err
	}
	body, err := c.stack.send(r, c.hosts, c.key, c.scheme)
	if err != nil || out == nil {
		return err
	}
	err = json.Unmarshal(body, out)
	if err == nil {
		return nil
	}
	// The answer is never repeated: it may hold a new key.
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field == "" {
		return fmt.Errorf("%s %s: the answer has another form than expected", method, r.URL.Path)
	}
	if errors.As(err, &kind) {
		return fmt.Errorf("%s %s: the answer has another form than expected (field %q)", method, r.URL.Path, kind.Field)
	}
	return fmt.Errorf("%s %s: the answer of %d bytes is not whole JSON", method, r.URL.Path, len(body))
}

// newRequest builds a request below an API's address. path is already escaped.
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

// Scope names what the Client's answers are about, the endpoint and the
// credential, without telling the credential. Caches are kept apart by it.
func (c *Client) Scope() string { return c.base.String() + " " + c.key.Digest() }

// segment escapes one path segment. Those that would change the path are refused.
func segment(kind, value string) (string, error) {
	if value == "" || value == "." || value == ".." {
		return "", fmt.Errorf("%s %q is empty or a relative path", kind, value)
	}
	return url.PathEscape(value), nil
}

// maxPages bounds one listing against a server that never ends it.
const maxPages = 100_000

// page is the form of every paginated answer.
type page[T any] struct {
	// Items is nil when the answer has none: it is then not Baseten's, and must not
	// pass for an empty list.
	Items      *[]T `json:"items"`
	Pagination struct {
		HasMore bool    `json:"has_more"`
		Cursor  *string `json:"cursor"`
	} `json:"pagination"`
}

// pages iterates over the items of all pages, asking for each page when it is
// needed. An error is yielded once, with a zero item, and ends the sequence.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		query := maps.Clone(query)
		if query == nil {
			query = url.Values{}
		}
		last := ""
		for range maxPages {
			var p page[T]
			if err := c.call(ctx, http.MethodGet, path, query, nil, &p); err != nil {
				yield(zero, err)
				return
			}
			if p.Items == nil {
				yield(zero, fmt.Errorf("GET %s: the answer has no list of items", path))
				return
			}
			for _, item := range *p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if !p.Pagination.HasMore {
				return
			}
			if p.Pagination.Cursor == nil || *p.Pagination.Cursor == "" || *p.Pagination.Cursor == last {
				yield(zero, fmt.Errorf("GET %s: the answer announces a further page but gives no new cursor", path))
				return
			}
			last = *p.Pagination.Cursor
			query.Set("cursor", last)
		}
		yield(zero, fmt.Errorf("GET %s: more than %d pages", path, maxPages))
	}
}

// all collects a sequence. With an error it returns what came before it.
func all[T any](items iter.Seq2[T, error]) (list []T, err error) {
	for item, err := range items {
		if err != nil {
			return list, err
		}
		list = append(list, item)
	}
	return list, nil
}
