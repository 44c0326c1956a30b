package authfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/authfile"
)

const (
	present = `{"current":"ci","profiles":{"me":{"remote_url":"https://r","oauth_credential":{"access_token":"t","expiry":"2027-01-01T00:00:00Z"}},
		"ci":{"api_key":"k1"}},"hosts":{"h":{"active_user":"u","users":{"u":{"api_key":"k2"}}}}}`
	older = `{"hosts":{"h":{"active_user":"v","users":{"u":{"api_key":"k1"},"v":{"api_key":"k2"}}}}}`
	two   = `{"hosts":{"h":{"active_user":"u","users":{"u":{"api_key":"k1"}}},"http://i":{"active_user":"u","users":{"u":{"api_key":"k2","remote_url":"x"}}}}}`
)

func TestFind(t *testing.T) {
	for _, c := range []struct{ file, name, want string }{
		{present, "", "ci k1 "}, {present, "me", "me  https://r"}, {present, "h", ""}, {present, "u@h", ""}, {present, "x", ""},
		{older, "", "v@h k2 https://h"}, {older, "h", "v@h k2 https://h"}, {older, "u@h", "u@h k1 https://h"}, {older, "u", ""},
		{two, "", ""}, {two, "h", "u@h k1 https://h"}, {two, "http://i", "u@http://i k2 x"}, {`{}`, "", ""}, {`{"profiles":{}}`, "x", ""},
	} {
		f, err := authfile.Parse([]byte(c.file))
		got := ""
		if p, ok := f.Find(c.name); ok {
			got = p.Name + " " + p.APIKey + " " + p.RemoteURL
		}
		if err != nil || got != c.want {
			t.Errorf("%q of %s: %q, want %q (%v)", c.name, c.file, got, c.want, err)
		}
	}
}

func TestParse(t *testing.T) {
	f, err := authfile.Parse([]byte(present))
	if err != nil || len(f.Profiles) != 3 || f.Profiles[1].OAuth.AccessToken != "t" || f.Profiles[2].Name != "u@h" {
		t.Errorf("%v %v", f.Profiles, err)
	}
	if text := fmt.Sprintf("%v %+v %s", f.Profiles, f, f.Profiles[0]); strings.Contains(text, "k1") {
		t.Error("a key is printed")
	}
	if _, err := authfile.Parse([]byte(`{"profiles":"k1"`)); err == nil || strings.Contains(err.Error(), "k1") {
		t.Error(err)
	}
}
