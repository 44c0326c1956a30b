package baseten

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// home is a user's home folder with every kind of credential in it.
type home struct {
	dir                                                string
	fromEnv, fromFile, fromRemote, fromProfile, oauthy string
}

func newHome(t *testing.T) home {
	t.Helper()
	m := fakekey.New(11)
	h := home{t.TempDir(), m.B10(), m.Legacy(), m.Legacy(), m.B10(), m.Word(60)}
	write := func(name, text string) {
		path := filepath.Join(h.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("key", h.fromFile+"\r\n")
	write("empty", " \n")
	write("two", h.fromFile+"\n"+h.fromEnv)
	write("long", strings.Repeat("k", 5000))
	write(".trussrc", "[DEFAULT]\nteam = research\n[baseten]\nremote_provider = baseten\nremote_url = https://app.baseten.co\nAPI_Key: "+h.fromRemote+
		"\n[sso]\nauth_type = oauth\noauth_access_token = "+h.oauthy+"\noauth_expires_at = 1800000000\n[old]\nauth_type = oauth\noauth_access_token = "+h.oauthy+
		"\noauth_expires_at = 1700000000\n[ring]\nauth_type = oauth\n[bare]\nremote_provider = baseten\n[evil]\nremote_url = https://evil.example\napi_key = "+h.fromRemote+"\n")
	write("twice", "[baseten]\napi_key = "+h.fromRemote+"\n[baseten]\n")
	write("percent", "[baseten]\napi_key = "+h.fromRemote+"%\n")
	write("bom", "\ufeff[baseten]\napi_key = "+h.fromRemote+"\n")
	write("config/baseten/auth.json", `{"version":1,"current":"ci","profiles":{
		"ci":{"remote_url":"https://app.staging.baseten.co","auth_type":"api_key","api_key":"`+h.fromProfile+`"},
		"me":{"remote_url":"https://app.baseten.co","auth_type":"oauth","oauth_credential":{"access_token":"`+h.oauthy+`","expiry":"2027-01-01T00:00:00Z"}},
		"late":{"auth_type":"oauth","oauth_credential":{"access_token":"`+h.oauthy+`","expiry":"2026-01-01T00:00:00Z"}},
		"ring":{"auth_type":"api_key"}}}`)
	write("older/auth.json", `{"version":1,"hosts":{"app.baseten.co":{"active_user":"me@example.com","users":{
		"me@example.com":{"auth_type":"api_key","api_key":"`+h.fromProfile+`"},"you@example.com":{"auth_type":"api_key","api_key":"`+h.fromFile+`"}}}}}`)
	write("broken/auth.json", `{"profiles":`)
	write("none/auth.json", `{"version":1,"profiles":{}}`)
	return h
}

func (h home) options(env map[string]string) CredentialOptions {
	return CredentialOptions{Home: h.dir, ConfigDir: filepath.Join(h.dir, "config"), Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
		Now: func() time.Time { return time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) }}
}

func TestResolveCredential(t *testing.T) {
	h := newHome(t)
	withEnv := map[string]string{EnvAPIKey: h.fromEnv}
	in := func(name string) string { return filepath.Join(h.dir, name) }
	tests := []struct {
		name   string
		env    map[string]string
		change func(*CredentialOptions)
		key    string
		remote string
		fails  string
	}{
		{name: "environment", env: withEnv, key: h.fromEnv},
		{name: "environment with white space", env: map[string]string{EnvAPIKey: " " + h.fromEnv + "\n"}, key: h.fromEnv},
		{name: "empty environment", env: map[string]string{EnvAPIKey: ""}, key: h.fromProfile, remote: "https://app.staging.baseten.co"},
		{name: "file beats environment", env: withEnv, change: func(o *CredentialOptions) { o.KeyFile = in("key") }, key: h.fromFile},
		{name: "standard input", env: withEnv, change: func(o *CredentialOptions) { o.KeyStdin = strings.NewReader(h.fromFile + "\n") }, key: h.fromFile},
		{name: "remote", env: withEnv, change: func(o *CredentialOptions) { o.Remote = "baseten" }, key: h.fromRemote, remote: "https://app.baseten.co"},
		{name: "remote with a login", change: func(o *CredentialOptions) { o.Remote = "sso" }, key: h.oauthy},
		{name: "profile", env: withEnv, change: func(o *CredentialOptions) { o.Profile = "me" }, key: h.oauthy, remote: "https://app.baseten.co"},
		{name: "profile of the environment", env: map[string]string{EnvProfile: "me"}, key: h.oauthy, remote: "https://app.baseten.co"},
		{name: "current profile", key: h.fromProfile, remote: "https://app.staging.baseten.co"},
		{name: "older layout", env: map[string]string{EnvConfigDir: in("older")}, key: h.fromProfile, remote: "https://app.baseten.co"},
		{name: "older layout by name", env: map[string]string{EnvConfigDir: in("older"), EnvProfile: "you@example.com@app.baseten.co"}, key: h.fromFile, remote: "https://app.baseten.co"},
		{name: "another trussrc", env: map[string]string{EnvTrussrc: in("nowhere")}, change: func(o *CredentialOptions) { o.Remote = "baseten" }, fails: "nowhere"},

		{name: "trussrc with a byte order mark", env: map[string]string{EnvTrussrc: in("bom")}, change: func(o *CredentialOptions) { o.Remote = "baseten" }, key: h.fromRemote},
		{name: "trussrc with a section twice", env: map[string]string{EnvTrussrc: in("twice")}, change: func(o *CredentialOptions) { o.Remote = "baseten" }, fails: "line 3: section"},
		{name: "trussrc with a percent sign", env: map[string]string{EnvTrussrc: in("percent")}, change: func(o *CredentialOptions) { o.Remote = "baseten" }, fails: "line 2: option"},
		{name: "nothing", env: map[string]string{EnvConfigDir: in("absent")}, fails: ErrNoCredential.Error()},
		{name: "no profiles", env: map[string]string{EnvConfigDir: in("none")}, fails: ErrNoCredential.Error()},
		{name: "two at once", change: func(o *CredentialOptions) { o.Remote, o.KeyFile = "baseten", in("key") }, fails: "only one of"},
		{name: "no file", change: func(o *CredentialOptions) { o.KeyFile = in("absent") }, fails: "--api-key-file"},
		{name: "empty file", change: func(o *CredentialOptions) { o.KeyFile = in("empty") }, fails: "holds no key"},
		{name: "two keys in a file", change: func(o *CredentialOptions) { o.KeyFile = in("two") }, fails: "line break"},
		{name: "long file", change: func(o *CredentialOptions) { o.KeyFile = in("long") }, fails: "too long"},
		{name: "no such remote", change: func(o *CredentialOptions) { o.Remote = "prod" }, fails: "no such remote"},
		{name: "remote without a key", env: withEnv, change: func(o *CredentialOptions) { o.Remote = "bare" }, fails: "has no api_key"},
		{name: "expired login", change: func(o *CredentialOptions) { o.Remote = "old" }, fails: "expired on 2023-11-14"},
		{name: "login in the keyring", change: func(o *CredentialOptions) { o.Remote = "ring" }, fails: "keyring"},
		{name: "no such profile", change: func(o *CredentialOptions) { o.Profile = "x" }, fails: `no profile "x"`},
		{name: "expired profile", change: func(o *CredentialOptions) { o.Profile = "late" }, fails: "expired"},
		{name: "profile in the keyring", change: func(o *CredentialOptions) { o.Profile = "ring" }, fails: "keyring"},
		{name: "broken profiles", env: map[string]string{EnvConfigDir: in("broken")}, fails: "not the JSON"},
		{name: "profile and no file", env: map[string]string{EnvConfigDir: in("absent"), EnvProfile: "x"}, fails: "auth.json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := h.options(test.env)
			if test.change != nil {
				test.change(&o)
			}
			c, err := ResolveCredential(o)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("%v, want %q", err, test.fails)
				}
				for _, k := range []string{h.fromEnv, h.fromFile, h.fromRemote, h.fromProfile} {
					if strings.Contains(err.Error(), k[14:]) {
						t.Error("the error holds a key")
					}
				}
				if test.fails == ErrNoCredential.Error() && !errors.Is(err, ErrNoCredential) {
					t.Error("not ErrNoCredential")
				}
				return
			}
			if err != nil || c.Key.Reveal() != test.key || c.RemoteURL != test.remote || c.From == "" {
				t.Fatalf("%v from %s, remote %q, %v", c.Key, c.From, c.RemoteURL, err)
			}
		})
	}
}

// TestRemoteOfFile: a remote_url beside a key in the user's own file leads to
// Baseten or nowhere.
func TestRemoteOfFile(t *testing.T) {
	h := newHome(t)
	o := h.options(nil)
	o.Remote = "evil"
	c, err := ResolveCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ResolveEndpoints("", c.RemoteURL, o.Env); err == nil || !strings.Contains(err.Error(), "evil.example") {
		t.Errorf("%v", err)
	}
}
