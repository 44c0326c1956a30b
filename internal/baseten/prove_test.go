package baseten_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// TestProverForged: behind one public prefix the key itself is live by probe and every
// other half is forged, in any order.
func TestProverForged(t *testing.T) {
	for _, reversed := range []bool{false, true} {
		w := basetentest.NewWorld(t)
		real := w.Org.AddKey(basetentest.KeySpec{Name: "prod", Type: "WORKSPACE_MANAGE_ALL"})
		metrics := w.Org.AddKey(basetentest.KeySpec{Name: "prometheus", Type: "WORKSPACE_EXPORT_METRICS"})
		gateway := w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
		made := func(k secret.Secret, seed uint64) secret.Secret {
			_, half, _ := strings.Cut(k.Reveal(), ".")
			return secret.New(k.Prefix() + "." + fakekey.New(seed).Word(len(half)))
		}
		want := map[string]finding.LiveState{}
		var keys []secret.Secret
		add := func(k secret.Secret, state finding.LiveState) {
			keys, want[k.Digest()] = append(keys, k), state
		}
		add(made(real, 1), finding.Forged)
		add(real, finding.Live)
		add(made(real, 2), finding.Forged)
		add(metrics, finding.Restricted)
		add(made(metrics, 3), finding.Forged)
		add(gateway, finding.Live)
		add(made(gateway, 4), finding.Forged)
		add(secret.New(fakekey.New(9).B10()), finding.Dead)
		if reversed {
			slices.Reverse(keys)
		}
		// All are kept back, as doubtful ones are: the prefixes that the lists have settle that.
		v := baseten.NewProver(w.Client, newProbe(t, w), true)
		res := v.VerifyKeeping(context.Background(), keys, func(k secret.Secret) bool { return want[k.Digest()] != finding.Dead })
		for _, k := range keys {
			l := res.Verdicts[k.Digest()]
			if l.Liveness.State != want[k.Digest()] || l.Liveness.By != baseten.ByProbe {
				t.Errorf("reversed %v: %s: %+v, want %s", reversed, k.Prefix(), l.Liveness, want[k.Digest()])
			}
			if forged := l.Liveness.State == finding.Forged; forged && l.Key != nil {
				t.Errorf("a forged half has the facts of the key: %+v", l.Key)
			}
		}
		if k := res.Verdicts[real.Digest()].Key; k == nil || k.Name != "prod" {
			t.Errorf("the list's facts are lost: %+v", k)
		}
		if len(res.Problems) > 0 {
			t.Error(res.Problems)
		}
	}
}

// TestAuthOutage: a service that turns everyone away shows no key to be dead or forged.
func TestAuthOutage(t *testing.T) {
	outage := basetentest.Fault{Kind: basetentest.Unauthorized}
	for name, faults := range map[string][]basetentest.Fault{
		"both":       {outage},
		"management": {{Kind: basetentest.Unauthorized, Service: basetentest.Management}},
		"inference":  {{Kind: basetentest.Unauthorized, Service: basetentest.Inference}},
		"probe only": {{Kind: basetentest.Unauthorized, Skip: 1}}, // the list is still answered
	} {
		for _, with := range []string{"credential", "no credential"} {
			w := basetentest.NewWorld(t)
			k, gone := w.Org.AddKey(basetentest.KeySpec{Name: "prod", Type: "WORKSPACE_INVOKE"}), secret.New(fakekey.New(5).B10())
			probe := newProbe(t, w)
			if with != "credential" {
				var err error
				if probe, err = baseten.NewProbe(w.Options(secret.Secret{}), 0); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range faults {
				w.Server.Inject(f)
			}
			for how, v := range map[string]*baseten.Verifier{
				"probe": baseten.NewVerifier(nil, probe, nil), "both": baseten.NewVerifier(w.Client, probe, nil), "prove": baseten.NewProver(w.Client, probe, true),
			} {
				res := v.Verify(context.Background(), []secret.Secret{k, gone})
				for _, k := range []secret.Secret{k, gone} {
					if s := res.Verdicts[k.Digest()].Liveness.State; s == finding.Dead || s == finding.Forged {
						t.Errorf("%s, %s, %s: %+v", name, with, how, res.Verdicts[k.Digest()].Liveness)
					}
				}
				if finding.Complete(res.Problems) {
					t.Errorf("%s, %s, %s: complete", name, with, how)
				}
			}
		}
	}
}

// TestControlIsAskedOnce: the credential is sent only when a refusal has to mean
// something and no found key was let in, and once.
func TestControlIsAskedOnce(t *testing.T) {
	w := basetentest.NewWorld(t)
	live := w.Org.AddKey(basetentest.KeySpec{Name: "prod", Type: "WORKSPACE_MANAGE_ALL"})
	verify := func(keys ...secret.Secret) {
		t.Helper()
		w.Server.Forget()
		res := baseten.NewVerifier(nil, newProbe(t, w), nil).Verify(context.Background(), keys)
		if s := res.Verdicts[keys[0].Digest()].Liveness.State; s != finding.Dead && !keys[0].Equal(live) {
			t.Errorf("%+v", res.Verdicts[keys[0].Digest()].Liveness)
		}
	}
	if verify(live); w.Server.Received(w.Admin) {
		t.Error("the credential was sent for nothing")
	}
	verify(secret.New(fakekey.New(5).B10()), secret.New(fakekey.New(6).B10()))
	sent := 0
	for _, r := range w.Server.Requests() {
		if r.KeyPrefix == w.Admin.Prefix() {
			sent++
		}
	}
	if sent != 2 { // one for each service
		t.Errorf("the credential was sent %d times", sent)
	}
}
