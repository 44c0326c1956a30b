package baseten_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/secret"
)

// trap is a server that nobody should ever talk to.
type trap struct {
	*httptest.Server
	visits atomic.Int64
}

func newTrap(t *testing.T) *trap {
	t.Helper()
	x := &trap{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		x.visits.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"user_id":"u","keys":[],"models":[],"data":[]}`))
	}))
	t.Cleanup(x.Close)
	return x
}

// TestHostileRepository: the working folder's .trussrc, profile file and config
// name a host of their own. It hears nothing, whatever the mode.
func TestHostileRepository(t *testing.T) {
	evil := newTrap(t)
	w := basetentest.NewWorld(t)
	repo, home := t.TempDir(), t.TempDir()
	bait := fakekey.New(4).Legacy()
	for name, text := range map[string]string{
		".trussrc":          "[baseten]\nremote_url = " + evil.URL + "\napi_key = " + bait + "\n",
		"auth.json":         `{"current":"x","profiles":{"x":{"remote_url":"` + evil.URL + `","api_key":"` + bait + `"}}}`,
		"baseten/auth.json": `{"current":"x","profiles":{"x":{"remote_url":"` + evil.URL + `","api_key":"` + bait + `"}}}`,
		".b10lint.yaml":     "remote_url: " + evil.URL + "\n",
		".env":              "BASETEN_REMOTE_URL=" + evil.URL + "\nBASETEN_MANAGEMENT_API_URL_OVERRIDE=" + evil.URL + "\n",
	} {
		path := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(repo)
	env := lookup(map[string]string{baseten.EnvAPIKey: w.Admin.Reveal(), baseten.EnvManagementURL: w.Server.URL, baseten.EnvInferenceURL: w.Server.InferenceURL})
	credential, err := baseten.ResolveCredential(baseten.CredentialOptions{Env: env, Home: home, ConfigDir: filepath.Join(home, ".config")})
	if err != nil {
		t.Fatal(err)
	}
	endpoints, err := baseten.ResolveEndpoints("", credential.RemoteURL, env)
	if err != nil {
		t.Fatal(err)
	}
	options := baseten.Options{Endpoints: endpoints, Credential: credential, Clock: w.Clock.Clock()}
	client, err := baseten.New(options)
	if err != nil {
		t.Fatal(err)
	}
	probe, err := baseten.NewProbe(options, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := secret.New(bait)
	res := baseten.NewVerifier(client, probe, nil).Verify(context.Background(), []secret.Secret{found})
	if l := res.Verdicts[found.Digest()].Liveness; l.State != finding.Dead {
		t.Errorf("the bait key: %+v", l)
	}
	if n := evil.visits.Load(); n != 0 {
		t.Errorf("the repository's host was visited %d times", n)
	}
}

// TestHostileRedirect: Baseten's host, or whoever stands in for it, points
// elsewhere. Nobody goes there.
func TestHostileRedirect(t *testing.T) {
	evil := newTrap(t)
	w := basetentest.NewWorld(t)
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Redirected, To: evil.URL + "/v1/api_keys"})
	k := w.Org.AddKey(basetentest.KeySpec{})
	v := baseten.NewVerifier(w.Client, newProbe(t, w), nil)
	if l := v.Verify(context.Background(), []secret.Secret{k}).Verdicts[k.Digest()].Liveness; l.State != finding.Unknown {
		t.Errorf("%+v", l)
	}
	if err := w.Client.DeleteKey(context.Background(), k.Prefix()); err == nil {
		t.Error("a redirected delete passed for done")
	}
	if n := evil.visits.Load(); n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

// TestDefaultHosts runs both modes against Baseten's own names, over TLS, with
// the wire led to the fake: these two names are dialled, and no other.
func TestDefaultHosts(t *testing.T) {
	w := basetentest.NewWorld(t)
	management, inference := newTLS(t, w.Server.ManagementHandler()), newTLS(t, w.Server.InferenceHandler())
	pool := x509.NewCertPool()
	pool.AddCert(management.Certificate())
	pool.AddCert(inference.Certificate())
	to := map[string]string{"api.baseten.co:443": management.Listener.Addr().String(), "inference.baseten.co:443": inference.Listener.Addr().String()}
	var mu sync.Mutex
	dialled := map[string]int{}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"}, // the name in the test's certificate
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			dialled[address]++
			mu.Unlock()
			return (&net.Dialer{}).DialContext(ctx, network, to[address])
		},
	}
	endpoints, err := baseten.ResolveEndpoints("", "", lookup(nil))
	if err != nil {
		t.Fatal(err)
	}
	options := baseten.Options{Endpoints: endpoints, Credential: baseten.Credential{Key: w.Admin}, Transport: transport, Clock: w.Clock.Clock()}
	client, err := baseten.New(options)
	if err != nil {
		t.Fatal(err)
	}
	probe, err := baseten.NewProbe(options, 0)
	if err != nil {
		t.Fatal(err)
	}
	live, foreign := w.Org.AddKey(basetentest.KeySpec{}), secret.New(fakekey.New(3).Legacy())
	res := baseten.NewVerifier(client, probe, nil).Verify(context.Background(), []secret.Secret{live, foreign})
	if res.Verdicts[live.Digest()].Liveness.State != finding.Live || res.Verdicts[foreign.Digest()].Liveness.State != finding.Dead {
		t.Errorf("%+v", res)
	}
	if got := slices.Sorted(maps.Keys(dialled)); !slices.Equal(got, []string{"api.baseten.co:443", "inference.baseten.co:443"}) {
		t.Errorf("dialled %v", got)
	}
}

// TestEchoedKey: a service that repeats the key it was sent does not get it into
// our messages.
func TestEchoedKey(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"bad header ` + r.Header.Get("Authorization") + `"}`))
	}))
	defer echo.Close()
	w := basetentest.NewWorld(t)
	options := w.Options(w.Admin)
	var err error
	if options.Endpoints, err = baseten.ResolveEndpoints(echo.URL, "", lookup(nil)); err != nil {
		t.Fatal(err)
	}
	client, err := baseten.New(options)
	if err != nil {
		t.Fatal(err)
	}
	_, half, _ := strings.Cut(w.Admin.Reveal(), ".")
	if _, err := client.Me(context.Background()); err == nil || strings.Contains(err.Error(), half) || !strings.Contains(err.Error(), "bad header") {
		t.Errorf("%v", err)
	}
}

// TestPrefixOnly: a whole key given where a prefix belongs is never put into an
// address, where proxies and logs would see it.
func TestPrefixOnly(t *testing.T) {
	w := basetentest.NewWorld(t)
	k := w.Org.AddKey(basetentest.KeySpec{})
	for _, err := range []error{w.Client.DeleteKey(context.Background(), k.Reveal()), w.Client.DeleteGatewayKey(context.Background(), "g", k.Reveal())} {
		if err == nil || strings.Contains(err.Error(), k.Reveal()[13:]) {
			t.Errorf("%v", err)
		}
	}
	for _, bad := range []string{"", ".", ".."} {
		if w.Client.DeleteKey(context.Background(), bad) == nil {
			t.Errorf("deleted %q", bad)
		}
	}
	if len(w.Server.Requests()) != 0 {
		t.Errorf("sent %+v", w.Server.Requests())
	}
}

// TestEndlessPages: a listing that never ends by its own cursor is an error.
func TestEndlessPages(t *testing.T) {
	for name, cursor := range map[string]string{"no cursor": "null", "empty cursor": `""`, "the same cursor": `"again"`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"items":[{"user_id":"u"}],"pagination":{"has_more":true,"cursor":` + cursor + `}}`))
		}))
		defer s.Close()
		w := basetentest.NewWorld(t)
		options := w.Options(w.Admin)
		options.Endpoints, _ = baseten.ResolveEndpoints(s.URL, "", lookup(nil))
		client, err := baseten.New(options)
		if err != nil {
			t.Fatal(err)
		}
		n, last := 0, error(nil)
		for _, err := range client.Users(context.Background()) {
			if n, last = n+1, err; n > 5 {
				t.Fatalf("%s: does not end", name)
			}
		}
		if last == nil || !strings.Contains(last.Error(), "no new cursor") {
			t.Errorf("%s: %v", name, last)
		}
	}
}
