package cmd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// No format of report shows eight bytes in a row of a secret half, nor the encoded
// form of eight, whatever the encoding, also where keys share lines and where one
// is wrapped into the line of another.
func TestNoEncodingShowsASecret(t *testing.T) {
	m := fakekey.New(41)
	for i, e := range encodingtest.All() {
		dir, out := t.TempDir(), t.TempDir()
		var keys []string
		var all strings.Builder
		for n, frame := range []string{"# baseten\nkey: \"%s\"\nmore\n", "\xff\xfe%s\n\x00", "a='%s' b='%s' # baseten\n%s\n", "%s;%s;%s;%s\n", "%s \n \n%s"} {
			var encoded []any
			for range strings.Count(frame, "%s") {
				key := m.B10()
				if (i+n)%2 == 1 {
					key = m.Legacy()
				}
				keys = append(keys, key)
				encoded = append(encoded, e.Encode(m, "baseten "+key))
			}
			data := fmt.Sprintf(frame, encoded...)
			all.WriteString(data + "\n\n\n\n")
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{"scan", "-v", dir, "-f", "text"}
		for _, f := range report.Formats() {
			args = append(args, "-f", f.Name+"="+filepath.Join(out, f.Name))
		}
		status, stdout, stderr := call(t, args...)
		if status != cmd.ExitFindings {
			t.Errorf("%s (%s): status %d\n%s", e.Name, e.Label, status, stderr)
		}
		what := e.Name + " (" + e.Label + "), "
		shows(t, what+"standard output", stdout+stderr, all.String(), keys)
		for _, f := range report.Formats() {
			shows(t, what+f.Name, readFile(t, filepath.Join(out, f.Name)), all.String(), keys)
		}
	}
}

// shows fails the test when out holds a part of a key, plain or as it stands in data.
func shows(t *testing.T, what, out, data string, keys []string) {
	t.Helper()
	for _, key := range keys {
		half := key[strings.IndexByte(key, '.')+1:]
		for at := 0; at+8 <= len(half); at++ {
			if strings.Contains(out, half[at:at+8]) {
				t.Fatalf("%s: a part of a secret is shown", what)
			}
		}
	}
	found := 0
	rules.Find("baseten", []byte(data), nil, func(f rules.Match) bool {
		found++
		run, key := data[f.Start:f.End], f.Secret.Reveal()
		eight := 8 * len(run) / len(key)
		if strings.Contains(run, key[:strings.IndexByte(key, '.')]) {
			return true // only the dot is encoded: the prefix may be shown
		}
		for at := 0; at+eight <= len(run); at++ {
			if part := run[at : at+eight]; !strings.ContainsAny(part, "\r\n") && strings.Contains(out, part) {
				t.Fatalf("%s: a part of an encoded secret is shown", what)
			}
		}
		return true
	})
	if found != len(keys) {
		t.Errorf("%s: %d keys, %d found", what, len(keys), found)
	}
}
