package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake runs the program until stop is called, and returns what it announced.
func fake(t *testing.T, args ...string) (values map[string]string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, w, io.Discard)
		_ = w.Close()
		done <- err
	}()
	values = map[string]string{}
	lines := bufio.NewScanner(r)
	for len(values) < 3 && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "{") {
			if err := json.Unmarshal(lines.Bytes(), &values); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name, value, _ := strings.Cut(lines.Text(), "=")
		values[map[string]string{"BASETEN_MANAGEMENT_API_URL_OVERRIDE": "url", "BASETEN_INFERENCE_BASE_URL_OVERRIDE": "inference_url",
			"BASETEN_API_KEY": "api_key"}[name]] = value
	}
	return values, func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("does not stop")
		}
	}
}

func ask(t *testing.T, address, key string) (status int, body string) {
	t.Helper()
	q, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// TestRun starts the program's run, asks it something, and ends it.
func TestRun(t *testing.T) {
	for _, form := range []string{"json", "env"} {
		asked := filepath.Join(t.TempDir(), "requests")
		values, stop := fake(t, "-o", form, "-keys", "3", "-requests", asked)
		for _, address := range []string{values["url"] + "/v1/api_keys", values["inference_url"] + "/v1/models"} {
			if status, _ := ask(t, address, values["api_key"]); status != http.StatusOK {
				t.Fatalf("%s: %d", address, status)
			}
		}
		stop()
		prefix, _, _ := strings.Cut(values["api_key"], ".")
		want := "200 GET /v1/api_keys " + prefix + "\n200 GET /v1/models " + prefix + "\n"
		if got, err := os.ReadFile(asked); err != nil || string(got) != want {
			t.Errorf("%v\n%s, want\n%s", err, got, want)
		}
	}
	for _, bad := range [][]string{{"-o", "xml"}, {"more"}, {"-leak", "x"}, {"-fault", "GET / teapot"}, {"-latency", "soon"}, {"-latency", "2s-1s"}} {
		if err := run(context.Background(), bad, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestFlags: faults in their order, the older API, the key that leaked.
func TestFlags(t *testing.T) {
	leak := filepath.Join(t.TempDir(), "app.env")
	values, stop := fake(t, "-keys", "100", "-old-api", "-leak", leak, "-latency", "0s-1ms",
		"-fault", "GET /v1/api_keys 503 x1", "-fault", "GET /v1/teams/ 404", "-fault", "* /v1/users 429 +1 x1")
	defer stop()
	for _, c := range []struct {
		path string
		want int
	}{{"/v1/api_keys", 503}, {"/v1/api_keys", 200}, {"/v1/teams", 200}, {"/v1/teams/x", 404}, {"/v1/users", 200}, {"/v1/users", 429}, {"/v1/users", 200}} {
		status, body := ask(t, values["url"]+c.path, values["api_key"])
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.path, status, c.want)
		}
		if c.path == "/v1/api_keys" && strings.Contains(body, "last_used_at") {
			t.Error("the older API has dates")
		}
	}
	text, err := os.ReadFile(leak)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(strings.TrimPrefix(string(text), "BASETEN_API_KEY="))
	if status, _ := ask(t, values["url"]+"/v1/users/me", key); status != http.StatusOK {
		t.Errorf("the key that leaked: %d", status)
	}
}
