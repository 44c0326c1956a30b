package baseten

import (
	"net/url"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://api.baseten.co":                   true,
		"https://API.Baseten.co:443/v1/x":          true,
		"https://inference.baseten.co/v1":          true,
		"https://app.baseten.co/graphql/":          true,
		"https://model-abcd1234.api.baseten.co":    true,
		"https://aws-us-west-2-ai7.api.baseten.co": true,
		"https://api.staging.baseten.co":           true,
		"https://api.mc-dev.baseten.co":            true,
		"http://api.baseten.co":                    false, // not encrypted
		"https://api.baseten.co:8443":              false, // another service of the host
		"https://baseten.co":                       false,
		"https://docs.baseten.co":                  false,
		"https://xapi.baseten.co":                  false,
		"https://api.baseten.co.evil.example":      false,
		"https://api.baseten.co@evil.example":      false,
		"https://evil.example/api.baseten.co":      false,
		"https://evil.example#api.baseten.co":      false,
		"https://evil.example\\.api.baseten.co":    false,
		"https://a.b.api.baseten.co":               false, // two labels
		"https://-x.api.baseten.co":                false,
		"https://.api.baseten.co":                  false,
		"https://api.baseten.co.":                  false,
		"https://api.baseten.com":                  false,
		"https://арi.baseten.co":                   false, // Cyrillic
		"https://user:pw@api.baseten.co":           false,
		"ftp://api.baseten.co":                     false,
		"https://":                                 false,
		"https://127.0.0.1":                        false, // not named
		"http://localhost:8000":                    false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			if ok {
				t.Errorf("%s: %v", address, err)
			}
			continue
		}
		if err := (Hosts{}).Allow(u); (err == nil) != ok {
			t.Errorf("%s: %v, want allowed %v", address, err, ok)
		}
	}
}

func TestNamedHosts(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://127.0.0.1:1234": true, "http://[::1]:1234": true, "http://localhost:8000": true, "http://api.localhost:8000": true,
		"https://baseten.corp.example": true, "http://baseten.corp.example": false, "http://localhost.evil.example": false,
		"http://10.0.0.1": false, "https://user@corp.example": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		var h Hosts
		if err := h.Name(u); (err == nil) != ok {
			t.Errorf("naming %s: %v", address, err)
			continue
		}
		if ok && (h.Allow(u) != nil || h.Allow(u.JoinPath("v1/x")) != nil) {
			t.Errorf("%s was named and is not allowed", address)
		}
		other := *u
		other.Host = "other.example"
		if ok && h.Allow(&other) == nil {
			t.Errorf("%s allows another host", address)
		}
	}
}

func TestResolveEndpoints(t *testing.T) {
	tests := []struct {
		name                  string
		flag, file            string
		env                   map[string]string
		management, inference string
		fails                 string
	}{
		{name: "default", management: "https://api.baseten.co", inference: "https://inference.baseten.co"},
		{name: "flag", flag: "https://app.staging.baseten.co/", management: "https://api.staging.baseten.co", inference: "https://inference.staging.baseten.co"},
		{name: "flag beats environment", flag: "https://app.baseten.co", env: map[string]string{EnvManagementURL: "https://x.example"},
			management: "https://api.baseten.co", inference: "https://inference.baseten.co"},
		{name: "development", flag: "app.dev.baseten.co", management: "https://api.mc-dev.baseten.co", inference: "https://inference.mc-dev.baseten.co"},
		{name: "local console", env: map[string]string{EnvRemoteURL: "http://localhost:8000"},
			management: "http://api.localhost:8000", inference: "http://inference.localhost:8000"},
		{name: "address", flag: "http://127.0.0.1:99", management: "http://127.0.0.1:99", inference: "http://127.0.0.1:99"},
		{name: "white label", flag: "https://llm.corp.example", management: "https://api.llm.corp.example", inference: "https://inference.llm.corp.example"},
		{name: "override", env: map[string]string{EnvManagementURL: "http://127.0.0.1:1/base/"},
			management: "http://127.0.0.1:1/base", inference: "https://inference.baseten.co"},
		{name: "both overrides", env: map[string]string{EnvManagementURL: "http://127.0.0.1:1", EnvInferenceURL: "https://inf.corp.example", EnvRemoteURL: "ftp://x"},
			management: "http://127.0.0.1:1", inference: "https://inf.corp.example"},
		{name: "file, Baseten's", file: "https://app.staging.baseten.co", management: "https://api.staging.baseten.co", inference: "https://inference.staging.baseten.co"},
		{name: "file, another host", file: "https://evil.example", fails: "pass --remote-url"},
		{name: "file, this machine", file: "http://127.0.0.1:9", fails: "pass --remote-url"},
		{name: "file, not encrypted", file: "http://app.baseten.co", fails: "pass --remote-url"},
		{name: "a file's key goes to the file's host", file: "https://app.staging.baseten.co", env: map[string]string{EnvRemoteURL: "https://corp.example"},
			management: "https://api.staging.baseten.co", inference: "https://inference.staging.baseten.co"},
		{name: "flag beats file", flag: "https://app.baseten.co", file: "https://evil.example",
			management: "https://api.baseten.co", inference: "https://inference.baseten.co"},
		{name: "plain http elsewhere", flag: "http://corp.example", fails: "only sent over https"},
		{name: "with a password", flag: "https://u:p@corp.example", fails: "password"},
		{name: "not an address", flag: "https://", fails: "write it as https://HOST"},
		{name: "nonsense", flag: "ht tp://x", fails: "write it as https://HOST"},
		{name: "scheme", env: map[string]string{EnvInferenceURL: "ftp://x.example"}, fails: EnvInferenceURL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := ResolveEndpoints(test.flag, test.file, func(n string) (string, bool) { v, ok := test.env[n]; return v, ok })
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("%v, want %q", err, test.fails)
				}
				return
			}
			if err != nil || e.Management.String() != test.management || e.Inference.String() != test.inference {
				t.Fatalf("%v %v %v", e.Management, e.Inference, err)
			}
			if e.Hosts.Allow(e.Management) != nil || e.Hosts.Allow(e.Inference) != nil {
				t.Error("an endpoint is not allowed")
			}
		})
	}
}

// FuzzHosts: whatever address is allowed without being named has a host that
// is one of Baseten's by a second, plainer reading.
func FuzzHosts(f *testing.F) {
	f.Add("https://api.baseten.co")                // allowed
	f.Add("https://model-1.api.baseten.co:443/x")  // allowed, by suffix
	f.Add("https://api.baseten.co@evil.example/")  // user information
	f.Add("https://evil.example?.api.baseten.co")  // query
	f.Add("https://evil.example\\@api.baseten.co") // the two readings of a backslash
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil || (Hosts{}).Allow(u) != nil {
			return
		}
		host := strings.ToLower(u.Hostname())
		if u.Scheme != "https" || u.User != nil || !strings.HasSuffix(host, ".baseten.co") || strings.Count(host, ".") > 3 ||
			strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
			t.Errorf("%q is allowed, host %q", address, host)
		}
	})
}
