package baseten_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// TestExplain: what a person is told of each kind of failure, and that only
// Baseten's own 4xx counts as a refusal.
func TestExplain(t *testing.T) {
	w := basetentest.NewWorld(t)
	weak := w.As(w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_INVOKE"}))
	gone := w.Org.AddKey(basetentest.KeySpec{})
	if err := w.Org.DeleteKey(gone.Prefix(), "admin@example.com", basetentest.Noon); err != nil {
		t.Fatal(err)
	}
	list := func(c *baseten.Client, faults ...basetentest.Fault) error {
		w.Server.Heal()
		for _, f := range faults {
			w.Server.Inject(f)
		}
		_, err := c.Keys(context.Background())
		return err
	}
	for _, c := range []struct {
		name    string
		err     error
		refused bool
		says    string
	}{
		{"revoked", list(w.As(gone)), true, "not accepted"},
		{"weak", list(weak), true, "may not do this"},
		{"absent", w.Client.DeleteKey(context.Background(), "b10_absent00"), true, ""},
		{"limited", list(w.Client, basetentest.Fault{Kind: basetentest.RateLimited}), true, "too many requests"},
		{"down", list(w.Client, basetentest.Fault{Kind: basetentest.Unavailable}), false, "in trouble"},
		{"portal", list(w.Client, basetentest.Fault{Kind: basetentest.CaptivePortal}), false, "not an answer of Baseten's"},
		{"firewall", list(w.Client, basetentest.Fault{Kind: basetentest.Firewall}), false, "not an answer of Baseten's"},
		{"redirect", list(w.Client, basetentest.Fault{Kind: basetentest.Redirected, To: "https://example.com"}), false, "not an answer of Baseten's"},
		{"cut", list(w.Client, basetentest.Fault{Kind: basetentest.Reset}), false, "no usable answer"},
		{"truncated", list(w.Client, basetentest.Fault{Kind: basetentest.TruncatedJSON}), false, "no usable answer"},
		{"certificate", fmt.Errorf("GET /: %w", &tls.CertificateVerificationError{}), false, "--ca-file"},
		{"other", errors.New("x"), false, "no usable answer"},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if got := baseten.Refused(c.err); got != c.refused {
			t.Errorf("%s: refused %v: %v", c.name, got, c.err)
		}
		if got := baseten.Explain(c.err); !strings.Contains(got, c.says) || (got == "") != (c.says == "") {
			t.Errorf("%s: %q, want %q: %v", c.name, got, c.says, c.err)
		}
		if got := baseten.IsForbidden(c.err); got != (c.name == "weak") {
			t.Errorf("%s: forbidden %v", c.name, got)
		}
		if got := baseten.IsNotFound(c.err); got != (c.name == "absent") {
			t.Errorf("%s: not found %v", c.name, got)
		}
	}
}

// TestVerifyKeeping: a key that must not be sent is matched by its prefix and
// not probed with; a stand-in for a prefix is found like its key.
func TestVerifyKeeping(t *testing.T) {
	w := basetentest.NewWorld(t)
	ours, foreign, sent := w.Org.AddKey(basetentest.KeySpec{Name: "ours"}), secret.New(fakekey.New(5).B10()), secret.New(fakekey.New(6).B10())
	v := baseten.NewVerifier(w.Client, newProbe(t, w), nil)
	keys := []secret.Secret{ours, foreign, sent, baseten.Stub(ours.Prefix()), baseten.Stub(foreign.Prefix())}
	res := v.VerifyKeeping(context.Background(), keys, func(k secret.Secret) bool { return !k.Equal(sent) })
	for i, want := range []string{"live", "unknown", "dead", "live", "unknown"} {
		if got := res.Verdicts[keys[i].Digest()].Liveness; string(got.State) != want {
			t.Errorf("key %d: %+v, want %s", i, got, want)
		}
	}
	if w.Server.Received(ours) || w.Server.Received(foreign) || !w.Server.Received(sent) {
		t.Error("a kept key was sent, or the other was not")
	}
	alone := baseten.NewVerifier(nil, newProbe(t, w), nil).VerifyKeeping(context.Background(), keys[1:2], func(secret.Secret) bool { return true })
	if got := alone.Verdicts[foreign.Digest()].Liveness.State; got != "unchecked" {
		t.Errorf("without an inventory: %s", got)
	}
}

// TestWaiting: what is waited for is said before the wait, and each attempt after it; the
// time that a server asks for is worded in whole seconds.
func TestWaiting(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Reset, Times: 1}) // first: of a connection in use, net/http repeats it
	w.Server.Inject(basetentest.Fault{Kind: basetentest.RateLimited, Times: 1, After: 12 * time.Second})
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Unavailable, Times: 1})
	o := w.Options(w.Admin)
	var said []string
	o.Waiting = func(text string) { said = append(said, text) }
	o.Trace = func(text string) { said = append(said, text) }
	if _, err := w.New(o).Keys(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(strings.Join(said, "\n"), strings.TrimPrefix(w.Server.URL, "http://"), "HOST")
	want := "GET HOST/v1/api_keys: no answer in 0s\nno usable answer from Baseten: trying again in 1s\n" +
		"GET HOST/v1/api_keys: HTTP 429 in 0s\nBaseten asks to wait: trying again in 12s\n" +
		"GET HOST/v1/api_keys: HTTP 503 in 0s\nBaseten answers HTTP 503: trying again in 1s\nGET HOST/v1/api_keys: HTTP 200 in 0s"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if text := (&baseten.Error{Method: "GET", Path: "/", Status: 429, RetryAfter: 12*time.Hour + 41411*time.Millisecond}).Error(); !strings.HasSuffix(text, "(retry after 12h0m41s)") {
		t.Error(text)
	}
}
