package baseten

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/httpc"
	"github.com/b10lint/b10lint/secret"
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

func TestAuth(t *testing.T) {
	key := secret.New(fakekey.New(1).B10())
	var seen []*http.Request
	var named Hosts
	local, _ := url.Parse("http://127.0.0.1:8080")
	if err := named.Name(local); err != nil {
		t.Fatal(err)
	}
	tr := withAuth(fixed(200, "application/json", "{}", &seen), named, key, APIKey)
	for address, ok := range map[string]bool{
		"https://api.baseten.co/v1/x": true, "http://127.0.0.1:8080/v1/x": true, "http://127.0.0.1:8081/v1/x": false,
		"http://api.baseten.co/v1/x": false, "https://api.baseten.co.evil.example/v1/x": false, "https://evil.example/": false,
	} {
		seen = nil
		r := request(t, "GET", address)
		_, err := tr.RoundTrip(r)
		if (err == nil) != ok || (len(seen) == 1) != ok {
			t.Errorf("%s: %v, %d requests", address, err, len(seen))
		}
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s: the caller's request was changed", address)
		}
		if ok && seen[0].Header.Get("Authorization") != "Api-Key "+key.Reveal() {
			t.Errorf("%s: no credential", address)
		}
	}
	for _, bad := range []string{"two words", "line\nbreak", "tab\t", "é"} {
		seen = nil
		_, err := withAuth(fixed(200, "", "", &seen), named, secret.New(bad), Bearer).RoundTrip(request(t, "GET", "https://api.baseten.co/"))
		if err == nil || len(seen) > 0 || strings.Contains(err.Error(), bad) || !errors.As(err, new(*httpc.Refusal)) {
			t.Errorf("a key that cannot be sent: %v", err)
		}
	}
}

// TestUnusable: a redirect and an answer that is too large say nothing of Baseten,
// and their words are fit to be printed.
func TestUnusable(t *testing.T) {
	r := request(t, "GET", "https://api.baseten.co/v1/x")
	for _, from := range []*httpc.Unusable{{Status: 301, To: "evil.example\x1b[31m", Message: "m"}, {Status: 200, Message: "too large"}} {
		var e *Error
		err := explainFailure(r, fmt.Errorf("x: %w", from))
		if !errors.As(err, &e) || e.Status != from.Status || StatusOf(err) != 0 || e.NotJSON == (e.Redirect != "") || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%+v", err)
		}
	}
	if err := explainFailure(r, io.EOF); !errors.Is(err, io.EOF) || !strings.HasPrefix(err.Error(), "GET /v1/x: ") {
		t.Error(err)
	}
}

func TestOnlyJSON(t *testing.T) {
	for kind, ok := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "application/problem+json": true, "APPLICATION/JSON": true,
		"": false, "text/html": false, "text/json-ish": false, "application/jsonp": false, ";;": false,
	} {
		r := request(t, "GET", "https://api.baseten.co/")
		res, err := fixed(403, kind, "{}", nil).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		err = onlyJSON(r, res)
		if (err == nil) != ok || StatusOf(err) != 0 {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	key := fakekey.New(1).B10()
	for body, want := range map[string]string{
		`{"error":"no"}`: "no", `{"detail":"no"}`: "no", `{"message":"no"}`: "no", `["a","b"]`: "a; b", `"plain"`: "plain",
		`{"error":{"message":"inner"}}`: "inner", `{"detail":[{"loc":["query"],"msg":"bad limit"}]}`: "bad limit",
		`{"other":1}`: "", `null`: "", `[]`: "", "{\"error\":\"a\\nb\\u001b[31mc\"}": "a b[31mc",
		`{"error":"key ` + key + ` is bad"}`:             "key " + key[:12] + ".**** is bad",
		`{"error":"` + strings.Repeat("ab ", 400) + `"}`: strings.Repeat("ab ", 100) + "…",
	} {
		res := &http.Response{StatusCode: 400, Request: request(t, "GET", "https://api.baseten.co/v1/x")}
		e := newError(res, []byte(body), time.Time{})
		if e.Message != want {
			t.Errorf("%.60s: %q, want %q", body, e.Message, want)
		}
		if !strings.HasPrefix(e.Error(), "GET /v1/x: HTTP 400 Bad Request") {
			t.Errorf("%v", e)
		}
	}
}

// FuzzErrorBody: no body makes the reader panic or lets a key through.
func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"error":"x","retry_after":37}`)) // Baseten's own 429
	f.Add([]byte(`[[[[[["deep"]]]]]]`))             // nesting
	f.Add([]byte(`{"retry_after":1e300}`))          // a number that no duration holds
	f.Fuzz(func(t *testing.T, body []byte) {
		res := &http.Response{StatusCode: 400, Request: request(t, "GET", "https://api.baseten.co/v1/x")}
		e := newError(res, body, time.Time{})
		if e.RetryAfter < 0 {
			t.Errorf("waits %s", e.RetryAfter)
		}
		if c := e.Message; len([]rune(c)) > maxMessage+1 || strings.ContainsAny(c, "\n\r\x1b") {
			t.Errorf("not fit to be printed: %q", c)
		}
	})
}
