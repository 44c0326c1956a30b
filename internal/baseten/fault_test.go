package baseten_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// faultCases say what each fault does to a reading call, once and for good.
var faultCases = []struct {
	name   string
	fault  basetentest.Fault
	heals  bool   // a retry gets through when the fault goes away
	says   string // part of the error when it stays
	status int    // StatusOf that error
}{
	{"rate limit", basetentest.Fault{Kind: basetentest.RateLimited, After: 7 * time.Second}, true, "retry after 7s", 429},
	{"long rate limit", basetentest.Fault{Kind: basetentest.RateLimited, After: time.Hour}, false, "retry after 1h0m0s", 429},
	{"unavailable", basetentest.Fault{Kind: basetentest.Unavailable}, true, "HTTP 503 Service Unavailable: Service unavailable.", 503},
	{"bad gateway, a page", basetentest.Fault{Kind: basetentest.BadGateway}, true, `of type "text/html", not JSON`, 0},
	{"slow body", basetentest.Fault{Kind: basetentest.SlowBody}, true, "no full answer within 150ms", 0},
	{"dropped answer", basetentest.Fault{Kind: basetentest.DropAfterCommit}, true, "EOF", 0},
	{"captive portal", basetentest.Fault{Kind: basetentest.CaptivePortal}, false, "something other than Baseten's API", 0},
	{"firewall", basetentest.Fault{Kind: basetentest.Firewall}, false, "HTTP 403 Forbidden", 0},
	{"truncated JSON", basetentest.Fault{Kind: basetentest.TruncatedJSON}, false, "is not whole JSON", 0},
	{"short body", basetentest.Fault{Kind: basetentest.ShortBody}, true, "unexpected EOF", 0},
	{"wrong type", basetentest.Fault{Kind: basetentest.WrongType}, false, `"text/plain"`, 0},
	{"reset", basetentest.Fault{Kind: basetentest.Reset}, true, "GET /v1/api_keys: after 4 attempts: ", 0},
	{"redirect", basetentest.Fault{Kind: basetentest.Redirected, To: "https://evil.example/v1/api_keys"}, false, "evil.example; redirects are not followed", 0},
	{"another service", basetentest.Fault{Kind: basetentest.WrongForm}, false, "no list of keys", 0},
}

// impatient returns the admin's client with a short timeout.
func impatient(w *basetentest.World) *baseten.Client {
	o := w.Options(w.Admin)
	o.Timeout = 150 * time.Millisecond
	return w.New(o)
}

func TestFaultsOfReading(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := basetentest.NewWorld(t)
			once := c.fault
			once.Times = 1
			w.Server.Inject(once)
			keys, err := impatient(w).Keys(context.Background())
			if c.heals && (err != nil || len(keys) != 1) {
				t.Errorf("after one fault: %d keys, %v", len(keys), err)
			}
			if n, slept := w.Clock.Slept(); c.heals && (n != 1 || slept < 250*time.Millisecond) {
				t.Errorf("waited %d times, %s in all", n, slept)
			}
			if !c.heals && err == nil {
				t.Error("a fault that a retry cannot heal went unnoticed")
			}

			w.Server.Heal()
			w.Server.Forget()
			w.Server.Inject(c.fault)
			_, err = impatient(w).Keys(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.says) || baseten.StatusOf(err) != c.status {
				t.Errorf("lasting fault: %v (status %d), want %q and status %d", err, baseten.StatusOf(err), c.says, c.status)
			}
			if tries := len(w.Server.Requests()); c.heals != (tries == 4) {
				t.Errorf("%d tries", tries)
			}
			if strings.Contains(err.Error(), w.Admin.Reveal()[13:]) {
				t.Error("the error holds the key")
			}
		})
	}
}

func TestRateLimitIsWaitedFor(t *testing.T) {
	w := basetentest.NewWorld(t)
	w.Server.Inject(basetentest.Fault{Kind: basetentest.RateLimited, After: 37 * time.Second, Times: 2})
	if _, err := w.Client.Keys(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, slept := w.Clock.Slept(); slept < 74*time.Second || slept > 80*time.Second {
		t.Errorf("slept %s where the server asked for 37 s twice", slept)
	}
}

// TestFaultsOfCreating: whatever happens, one POST is sent, and no more.
func TestFaultsOfCreating(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := basetentest.NewWorld(t)
			w.Server.Inject(c.fault)
			key, err := impatient(w).CreateKey(context.Background(), baseten.NewKey{Type: baseten.WorkspaceInvoke, Name: "made"})
			if err == nil || !key.IsZero() {
				t.Errorf("create: %v, %v", key, err)
			}
			if n := w.Server.Count("POST", "/v1/api_keys"); n != 1 {
				t.Errorf("%d creates were sent", n)
			}
			committed := w.Org.Live() == 2
			if want := c.fault.Kind == basetentest.DropAfterCommit || c.fault.Kind == basetentest.SlowBody || c.fault.Kind == basetentest.ShortBody ||
				c.fault.Kind == basetentest.TruncatedJSON || c.fault.Kind == basetentest.WrongType; committed != want {
				t.Errorf("the key was made: %v", committed)
			}
		})
	}
}

// TestFaultsOfDeleting: a delete is repeated, and one whose first attempt took
// effect unseen is a success.
func TestFaultsOfDeleting(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := basetentest.NewWorld(t)
			k := w.Org.AddKey(basetentest.KeySpec{Name: "victim"})
			once := c.fault
			once.Times = 1
			w.Server.Inject(once)
			err := impatient(w).DeleteKey(context.Background(), k.Prefix())
			if c.heals != (err == nil) {
				t.Errorf("delete: %v", err)
			}
			if c.heals && w.Org.Exists(k.Prefix()) {
				t.Error("reported as done, and the key is there")
			}
		})
	}
}

// TestFaultsOfVerifying: no fault ever makes a verdict other than the true one or
// unknown, and each unknown comes with a problem that says why.
func TestFaultsOfVerifying(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := basetentest.NewWorld(t)
			live := w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_MANAGE_ALL"})
			foreign := secret.New(fakekey.New(1).B10())
			keys := []secret.Secret{live, foreign}
			options := w.Options(w.Admin)
			options.Timeout = 150 * time.Millisecond
			probe, err := baseten.NewProbe(options, 0)
			if err != nil {
				t.Fatal(err)
			}
			w.Server.Inject(c.fault)
			for _, v := range []*baseten.Verifier{
				baseten.NewVerifier(impatient(w), nil, nil),
				baseten.NewVerifier(nil, probe, nil),
			} {
				res := v.Verify(context.Background(), keys)
				for _, k := range keys {
					if l := res.Verdicts[k.Digest()].Liveness; l.State != finding.Unknown || l.Detail == "" {
						t.Errorf("verdict under a lasting fault: %+v", l)
					}
				}
				if len(res.Problems) != 1 || res.Problems[0].Warning {
					t.Errorf("problems: %+v", res.Problems)
				}
			}
		})
	}
}

// TestFaultAfterControl: the control went well and the found key's answer does
// not. A live key must not be called dead, nor a dead one live.
func TestFaultAfterControl(t *testing.T) {
	for _, c := range faultCases {
		if c.fault.Kind == basetentest.TruncatedJSON || c.fault.Kind == basetentest.WrongType {
			continue // they spoil a body and leave the status, which the cases above cover
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := basetentest.NewWorld(t)
			live := w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_MANAGE_ALL"})
			first, second := secret.New(fakekey.New(1).B10()), secret.New(fakekey.New(2).B10())
			options := w.Options(w.Admin)
			options.Timeout = 150 * time.Millisecond
			probe, err := baseten.NewProbe(options, 0)
			if err != nil {
				t.Fatal(err)
			}
			v := baseten.NewVerifier(nil, probe, nil)
			if l := v.Verify(context.Background(), []secret.Secret{first}).Verdicts[first.Digest()].Liveness; l.State != finding.Dead {
				t.Fatalf("without a fault: %+v", l)
			}
			w.Server.Inject(c.fault)
			res := v.Verify(context.Background(), []secret.Secret{live, second})
			for _, k := range []secret.Secret{live, second} {
				if l := res.Verdicts[k.Digest()].Liveness; l.State != finding.Unknown {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}

// TestPartialFailures: each later source of the inventory may fail alone.
func TestPartialFailures(t *testing.T) {
	for path, says := range map[string]string{"/v1/audit_logs": "audit log", "/v1/gateway/groups": "gateway"} {
		w := basetentest.NewWorld(t)
		live, foreign := w.Org.AddKey(basetentest.KeySpec{}), secret.New(fakekey.New(1).B10())
		w.Server.Inject(basetentest.Fault{Kind: basetentest.Unavailable, Path: path})
		v := baseten.NewVerifier(w.Client, nil, nil)
		res := v.Verify(context.Background(), []secret.Secret{live, foreign})
		if res.Verdicts[live.Digest()].Liveness.State != finding.Live || res.Verdicts[foreign.Digest()].Liveness.State != finding.Unknown {
			t.Errorf("%s: %+v", path, res.Verdicts)
		}
		if len(res.Problems) != 1 || res.Problems[0].Warning || !strings.Contains(res.Problems[0].Error, says) {
			t.Errorf("%s: %+v", path, res.Problems)
		}
	}
}

func TestProbeGivesUp(t *testing.T) {
	w := basetentest.NewWorld(t)
	maker := fakekey.New(1)
	probe := newProbe(t, w)
	v := baseten.NewVerifier(nil, probe, nil)
	v.Verify(context.Background(), []secret.Secret{secret.New(maker.B10())}) // the controls are done
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Unavailable})
	w.Server.Forget()
	var keys []secret.Secret
	for range 20 {
		keys = append(keys, secret.New(maker.B10()))
	}
	res := v.Verify(context.Background(), keys)
	if n := len(w.Server.Requests()); n > 3*5*3 {
		t.Errorf("%d requests to a service that is down", n)
	}
	for _, k := range keys {
		if l := res.Verdicts[k.Digest()].Liveness; l.State != finding.Unknown {
			t.Errorf("%+v", l)
		}
	}
	if len(res.Problems) != 1 || !strings.Contains(res.Problems[0].Hint, "20 found keys") {
		t.Errorf("%+v", res.Problems)
	}
}

func TestCancelled(t *testing.T) {
	w := basetentest.NewWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	k := w.Org.AddKey(basetentest.KeySpec{})
	v := baseten.NewVerifier(w.Client, newProbe(t, w), nil)
	res := v.Verify(ctx, []secret.Secret{k})
	if res.Verdicts[k.Digest()].Liveness.State != finding.Unknown || len(res.Problems) != 2 {
		t.Errorf("%+v", res)
	}
	if _, err := w.Client.Keys(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("keys: %v", err)
	}
	if w.Server.Received(k) {
		t.Error("the key was sent although the run had ended")
	}
}

// TestCertificate: a certificate that does not hold is permanent and clear.
func TestCertificate(t *testing.T) {
	w := basetentest.NewWorld(t)
	s := newTLS(t, w.Server.ManagementHandler())
	endpoints, err := baseten.ResolveEndpoints(s.URL, "", lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	o := w.Options(w.Admin)
	o.Endpoints = endpoints
	c, err := baseten.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Keys(context.Background()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("unknown authority: %v", err)
	}
	if n, _ := w.Clock.Slept(); n != 0 {
		t.Errorf("a bad certificate was tried again %d times", n)
	}
	o.CAFile = writeCA(t, s)
	if c, err = baseten.New(o); err != nil {
		t.Fatal(err)
	}
	if keys, err := c.Keys(context.Background()); err != nil || len(keys) != 1 {
		t.Errorf("with the authority: %v", err)
	}
	if _, err := (&http.Transport{}).RoundTrip(&http.Request{URL: mustURL(t, s.URL), Method: "GET"}); err == nil {
		t.Error("the test's certificate is trusted anyhow: the test proves nothing")
	}
}
