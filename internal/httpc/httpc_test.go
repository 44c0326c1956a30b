package httpc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/internal/httpc"
)

// fixed returns a transport that gives one answer, and remembers the requests.
func fixed(status int, kind, body string, seen *[]*http.Request) http.RoundTripper {
	return httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
		if seen != nil {
			*seen = append(*seen, r)
		}
		h := http.Header{}
		if kind != "" {
			h.Set("Content-Type", kind)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
}

func request(t *testing.T, method, address string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// still is a clock that stands, and counts what is slept.
func still(slept *[]time.Duration) clock.Clock {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return clock.Clock{Now: func() time.Time { return now }, Sleep: func(ctx context.Context, d time.Duration) error {
		*slept = append(*slept, d)
		now = now.Add(d)
		return ctx.Err()
	}}
}

func TestHeaded(t *testing.T) {
	var seen []*http.Request
	r := request(t, "GET", "https://api.baseten.co/")
	if _, err := httpc.Headed(fixed(200, "", "", &seen), "User-Agent", "b10lint/1.2").RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	if seen[0].UserAgent() != "b10lint/1.2" || len(r.Header) != 0 {
		t.Errorf("sent %q, caller's headers %v", seen[0].UserAgent(), r.Header)
	}
}

func TestNoRedirects(t *testing.T) {
	for status := 200; status < 600; status += 1 {
		next := httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {"//evil.example/\x1b[31m"}}, Body: http.NoBody, Request: r}, nil
		})
		res, err := httpc.NoRedirects(next).RoundTrip(request(t, "GET", "https://api.baseten.co/v1/x"))
		var e *httpc.Unusable
		if redirect := status/100 == 3; redirect != errors.As(err, &e) || redirect == (res != nil) {
			t.Fatalf("%d: %v", status, err)
		}
		if e != nil && (e.Status != status || e.To == "" || strings.ContainsRune(err.Error(), 0x1b)) {
			t.Fatalf("%d: %+v", status, e)
		}
	}
}

func TestBuffered(t *testing.T) {
	stalled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/stall" {
			<-r.Context().Done()
		}
	}))
	defer stalled.Close()
	get := func(path string, timeout time.Duration, limit int64) (*http.Response, error) {
		return httpc.Buffered(http.DefaultTransport, timeout, limit, clock.Clock{}).RoundTrip(request(t, "GET", stalled.URL+path))
	}
	if res, err := get("/", 5*time.Second, 100); err != nil || res.ContentLength != 100 {
		t.Errorf("whole answer: %v", err)
	}
	if _, err := get("/", 5*time.Second, 99); err == nil || !strings.Contains(err.Error(), "larger than 99 bytes") {
		t.Errorf("too large: %v", err)
	}
	if _, err := get("/stall", 50*time.Millisecond, 1000); err == nil || !strings.Contains(err.Error(), "no full answer within 50ms") {
		t.Errorf("stalled: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := httpc.Buffered(http.DefaultTransport, time.Minute, 1000, clock.Clock{}).RoundTrip(request(t, "GET", stalled.URL+"/stall").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLimited(t *testing.T) {
	var slept []time.Duration
	tr := httpc.Limited(fixed(200, "", "", nil), rate.NewLimiter(5, 1), still(&slept))
	for range 6 {
		if _, err := tr.RoundTrip(request(t, "GET", "https://api.baseten.co/")); err != nil {
			t.Fatal(err)
		}
	}
	if len(slept) != 5 || slept[0] != 200*time.Millisecond || slept[4] != 200*time.Millisecond {
		t.Errorf("slept %v", slept)
	}
}

func TestRetrying(t *testing.T) {
	type step struct {
		status int
		header string // Retry-After
		body   string
		err    error
	}
	const fifth = 500 * time.Millisecond // base
	tests := []struct {
		name   string
		method string
		steps  []step
		tries  int
		slept  []time.Duration
	}{
		{"well at once", "GET", []step{{status: 200}}, 1, nil},
		{"backoff doubles", "GET", []step{{status: 500}, {status: 502}, {status: 503}, {status: 200}}, 4, []time.Duration{fifth / 2, fifth, 2 * fifth}},
		{"gives up", "GET", []step{{status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 200}}, 4, []time.Duration{fifth / 2, fifth, 2 * fifth}},
		{"the caller's reading", "GET", []step{{status: 429, body: "wait 37s", header: "5"}, {status: 200}}, 2, []time.Duration{37 * time.Second}},
		{"header in seconds", "DELETE", []step{{status: 429, header: "5"}, {status: 200}}, 2, []time.Duration{5 * time.Second}},
		{"header as a date", "GET", []step{{status: 503, header: "Sat, 21 Nov 2026 12:00:09 GMT"}, {status: 200}}, 2, []time.Duration{9 * time.Second}},
		{"more than patience", "GET", []step{{status: 429, header: "3600"}, {status: 200}}, 1, nil},
		{"no TLS on the other side", "GET", []step{{err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, {status: 200}}, 1, nil},
		{"TLS on neither side", "GET", []step{{err: fmt.Errorf("x: %w", http.ErrSchemeMismatch)}, {status: 200}}, 1, nil},
		{"network error", "GET", []step{{err: io.ErrUnexpectedEOF}, {status: 200}}, 2, []time.Duration{fifth / 2}},
		{"an answer of another kind", "GET", []step{{err: &httpc.Unusable{Status: 200}}, {status: 200}}, 1, nil},
		{"a refusal", "GET", []step{{err: fmt.Errorf("x: %w", &httpc.Refusal{Why: "no"})}, {status: 200}}, 1, nil},
		{"client errors", "GET", []step{{status: 404}, {status: 200}}, 1, nil},
		{"a create after a 429", "POST", []step{{status: 429, header: "1"}, {status: 200}}, 1, nil},
		{"a create after a 503", "POST", []step{{status: 503}, {status: 200}}, 1, nil},
		{"a create after a reset", "POST", []step{{err: io.EOF}, {status: 200}}, 1, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tries := 0
			next := httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
				s := test.steps[tries]
				tries++
				if s.err != nil {
					return nil, s.err
				}
				return &http.Response{StatusCode: s.status, Header: http.Header{"Retry-After": {s.header}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
			})
			var slept []time.Duration
			counted := 0
			r := request(t, test.method, "https://api.baseten.co/")
			r = r.WithContext(httpc.CountAttempts(r.Context(), &counted))
			policy := httpc.RetryPolicy{Jitter: func() float64 { return 0 }}
			if strings.HasPrefix(test.steps[0].body, "wait ") {
				policy.Asked = func(_ *http.Response, body []byte, _ time.Time) time.Duration {
					d, _ := time.ParseDuration(strings.TrimPrefix(string(body), "wait "))
					return d
				}
			}
			res, err := httpc.Retrying(next, policy, still(&slept)).RoundTrip(r)
			if tries != test.tries || counted != test.tries || fmt.Sprint(slept) != fmt.Sprint(test.slept) {
				t.Errorf("%d tries, slept %v; want %d, %v", tries, slept, test.tries, test.slept)
			}
			last := test.steps[tries-1]
			if (err != nil) != (last.err != nil) || err == nil && res.StatusCode != last.status {
				t.Errorf("got %v, %v", res, err)
			}
			if err == nil {
				if body, _ := io.ReadAll(res.Body); string(body) != last.body {
					t.Errorf("body %q was not handed on", body)
				}
			}
		})
	}
}
