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

// TestRun starts the program's run, asks it something, and ends it.
func TestRun(t *testing.T) {
	for _, form := range []string{"json", "env"} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r, w := io.Pipe()
		done := make(chan error, 1)
		asked := filepath.Join(t.TempDir(), "requests")
		go func() {
			err := run(ctx, []string{"-o", form, "-keys", "3", "-requests", asked}, w, io.Discard)
			_ = w.Close()
			done <- err
		}()
		values := map[string]string{}
		lines := bufio.NewScanner(r)
		for len(values) < 3 && lines.Scan() {
			if form == "json" {
				if err := json.Unmarshal(lines.Bytes(), &values); err != nil {
					t.Fatal(err)
				}
				continue
			}
			name, value, _ := strings.Cut(lines.Text(), "=")
			values[map[string]string{"BASETEN_MANAGEMENT_API_URL_OVERRIDE": "url", "BASETEN_INFERENCE_BASE_URL_OVERRIDE": "inference_url",
				"BASETEN_API_KEY": "api_key"}[name]] = value
		}
		for _, address := range []string{values["url"] + "/v1/api_keys", values["inference_url"] + "/v1/models"} {
			q, err := http.NewRequest(http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Authorization", "Bearer "+values["api_key"])
			res, err := http.DefaultClient.Do(q)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v %v", address, res, err)
			}
			_ = res.Body.Close()
		}
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("does not stop")
		}
		prefix, _, _ := strings.Cut(values["api_key"], ".")
		want := "200 GET /v1/api_keys " + prefix + "\n200 GET /v1/models " + prefix + "\n"
		if got, err := os.ReadFile(asked); err != nil || string(got) != want {
			t.Errorf("%v\n%s, want\n%s", err, got, want)
		}
	}
	if err := run(context.Background(), []string{"-o", "xml"}, io.Discard, io.Discard); err == nil {
		t.Error("an unknown form was taken")
	}
}
