package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/cmd"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// manyKeys is an organisation with so many keys, a file that leaks them all, and
// the world of somebody who scans it with an admin's key.
func manyKeys(tb testing.TB, n int) (server *basetentest.Server, file string, env cmd.Env, stdout *bytes.Buffer) {
	tb.Helper()
	org := basetentest.NewOrg("Many", 1, nil)
	admin := org.AddKey(basetentest.KeySpec{Type: "PERSONAL", Owner: org.AddUser("admin@example.com", "Admin", true)})
	keys := org.Grow(basetentest.Seed{Users: 20, Keys: n + n/10})[:n]
	server = basetentest.Start(org)
	tb.Cleanup(server.Close)
	var text strings.Builder
	for i, k := range keys {
		fmt.Fprintf(&text, "BASETEN_API_KEY_%d=%s\n", i, k.Reveal())
	}
	file = filepath.Join(tb.TempDir(), "leak.txt")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	variables := map[string]string{baseten.EnvManagementURL: server.URL, baseten.EnvInferenceURL: server.InferenceURL, baseten.EnvAPIKey: admin.Reveal()}
	stdout = &bytes.Buffer{}
	return server, file, cmd.Env{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: io.Discard, Environ: func() []string { return nil },
		Lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
	}, stdout
}

// Ten thousand found keys in an organisation of as many take one request.
func TestVerify10000(t *testing.T) {
	const n = 10_000
	server, file, env, stdout := manyKeys(t, n)
	env.Args = []string{"scan", "--verify", "-f", "json", file}
	if code := cmd.Main(context.Background(), env); code != cmd.ExitFindings {
		t.Fatalf("exit status %d", code)
	}
	var report struct {
		Findings []struct{ Rule string }
		Summary  struct{ Complete bool }
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, f := range report.Findings {
		if f.Rule == "leaked-key-live" {
			live++
		}
	}
	if live != n || !report.Summary.Complete {
		t.Errorf("%d live keys, complete %v", live, report.Summary.Complete)
	}
	if r := server.Requests(); len(r) != 1 || r[0].Path != "/v1/api_keys" {
		t.Errorf("%d requests", len(r))
	}
}

// BenchmarkVerify10000 is what --verify adds to a scan: the difference of the two.
func BenchmarkVerify10000(b *testing.B) {
	_, file, env, stdout := manyKeys(b, 10_000)
	for name, args := range map[string][]string{"without": {"scan", "-f", "json", file}, "verify": {"scan", "--verify", "-f", "json", file}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stdout.Reset()
				env.Args = args
				if code := cmd.Main(context.Background(), env); code != cmd.ExitFindings {
					b.Fatalf("exit status %d", code)
				}
			}
		})
	}
}
