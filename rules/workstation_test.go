package rules

import (
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

func TestReaders(t *testing.T) {
	for perm, want := range map[uint32]string{0o600: "", 0o400: "", 0o644: "everyone", 0o604: "everyone", 0o640: "its group", 0o660: "its group", 0o611: ""} {
		if got := Readers(perm); got != want {
			t.Errorf("%o: %q, want %q", perm, got, want)
		}
	}
	if ReadableSeverity("everyone", true) != finding.Medium || ReadableSeverity("everyone", false) != finding.Low || ReadableSeverity("its group", true) != finding.Low {
		t.Error("severity")
	}
}

func TestInsecureURL(t *testing.T) {
	for _, c := range []struct {
		url, why string
		severity finding.Severity
	}{
		{"https://app.baseten.co", "", finding.Info}, {"https://app.staging.baseten.co/", "", finding.Info}, {" https://APP.Baseten.CO. ", "", finding.Info},
		{"http://app.baseten.co", "not https", finding.High}, {"ftp://app.baseten.co", "not https", finding.High}, {"https://app.baseten.co.evil.example", "not Baseten's", finding.Medium},
		{"https://notbaseten.co", "not Baseten's", finding.Medium}, {"http://localhost:8080", "this machine", finding.Low}, {"https://127.0.0.1", "this machine", finding.Low},
		{"https://u:s3cret@app.baseten.co", "password", finding.High}, {"app.baseten.co", "no URL", finding.Low}, {"", "no URL", finding.Low}, {"https://%zz", "no URL", finding.Low},
	} {
		why, severity := InsecureURL(c.url)
		if (c.why == "") != (why == "") || !strings.Contains(why, c.why) || severity != c.severity || strings.Contains(why, "s3cret") {
			t.Errorf("%q: %q %v", c.url, why, severity)
		}
	}
}

func TestCredentialsFile(t *testing.T) {
	for _, name := range []string{".trussrc", ".env", ".env.local", ".env.production", "prod.env", ".netrc", "auth.json", ".MCP.json", "terraform.tfstate"} {
		if !CredentialsFile(name) {
			t.Errorf("%s is none", name)
		}
	}
	for _, name := range []string{".env.example", "example.env", "config.yaml", "environment.py", "env", ".envoy"} {
		if CredentialsFile(name) {
			t.Errorf("%s is one", name)
		}
	}
}

func TestTrackingSeverity(t *testing.T) {
	for state, want := range map[finding.Exposure]bool{finding.Plain: false, finding.Ignored: false, finding.Untracked: true, finding.Committed: true} {
		if _, ok := TrackingSeverity(state); ok != want {
			t.Errorf("%v: %v", state, ok)
		}
	}
}

func TestWordsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Catalogue() {
		if seen[r.ID] || r.ID == "" || strings.Contains(r.ID, " ") || r.Title == "" || r.Text == "" || r.Remedy == "" || len(r.Tags) == 0 || strings.Contains(r.Text+r.Remedy, "\n\n\n") {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
		if _, ok := Lookup(r.ID); !ok {
			t.Errorf("%s is not in the catalogue", r.ID)
		}
	}
	if len(seen) != strings.Count(words, "\n## ") {
		t.Errorf("%d rules in words.md, %d in the catalogue", strings.Count(words, "\n## "), len(seen))
	}
	for _, r := range []finding.Rule{LeakedKeyLive, LeakedKey, LeakedKeyDead, LeakedFederatedKey, TrussrcReadable, KeyFileReadable, TrussrcTracked,
		TrussrcInvalid, RemoteURLInsecure, KeySharedBetweenRemotes, OAuthTokenAtRest, TrussSecretValue, TrussShipsCredentials} {
		if !seen[r.ID] {
			t.Errorf("the code names a rule that words.md has not: %+v", r)
		}
	}
}
