package baseten_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// TestCurl drives the fake with a client that is not ours, by the specification's
// routes and examples, and checks each answer against it where it is present.
func TestCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	w := basetentest.NewWorld(t)
	model := w.Org.AddModel("demo")
	group := w.Org.AddGroup("Acme prod", "")
	federated := w.Org.AddGatewayKey(group, "prod-key-1")
	w.Org.Grow(basetentest.Seed{Users: 3, Keys: 10, Audit: 40, UsageDays: 3})
	spec := loadSpecification(t)
	run := func(scheme, method, path, body string) (status string, answer []byte) {
		t.Helper()
		config := "header = \"Authorization: " + scheme + " " + w.Admin.Reveal() + "\"\n" // on standard input: not in the process list
		args := []string{"-sS", "-K", "-", "-X", method, "-w", "\n%{http_code}", w.Server.URL + path}
		if body != "" {
			args = append(args, "-H", "Content-Type: application/json", "-d", body)
		}
		cmd := exec.Command(curl, args...)
		cmd.Stdin = strings.NewReader(config)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("curl %s %s: %v", method, path, err)
		}
		i := bytes.LastIndexByte(out, '\n')
		status, answer = string(out[i+1:]), out[:i]
		path, _, _ = strings.Cut(path, "?")
		if spec != nil && status == "200" {
			if err := spec.check(method, path, answer); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
		}
		return status, answer
	}
	steps := []struct{ scheme, method, path, body, status string }{
		{"Bearer", "GET", "/v1/api_keys", "", "200"},
		{"Api-Key", "GET", "/v1/api_keys", "", "200"},
		{"Basic", "GET", "/v1/api_keys", "", "401"},
		{"Bearer", "GET", "/v1/users/me", "", "200"},
		{"Bearer", "GET", "/v1/users?limit=2", "", "200"},
		{"Bearer", "GET", "/v1/users?limit=1001", "", "422"},
		{"Bearer", "GET", "/v1/users?cursor=nonsense", "", "422"},
		{"Bearer", "GET", "/v1/teams?name=default", "", "200"},
		{"Bearer", "GET", "/v1/models?name=demo", "", "200"},
		{"Bearer", "GET", "/v1/audit_logs?limit=200&event_type_groups=API_KEYS&event_type_groups=DEPLOYED&direction=ASC&sources=UI", "", "200"},
		{"Bearer", "GET", "/v1/model_apis/usage?start_time=2026-11-18T00:00:00Z&group_by=api_key&group_by=model", "", "200"},
		{"Bearer", "GET", "/v1/model_apis/usage", "", "400"},
		{"Bearer", "GET", "/v1/gateway/groups", "", "200"},
		{"Bearer", "GET", "/v1/gateway/groups/" + group + "/api_keys", "", "200"},
		{"Bearer", "GET", "/v1/gateway/groups/" + group + "/api_keys/" + federated.Prefix(), "", "200"},
		{"Bearer", "POST", "/v1/gateway/groups/" + group + "/api_keys", `{"name":"prod-key-2"}`, "200"},
		{"Bearer", "POST", "/v1/api_keys", `{"name":"my-api-key","type":"PERSONAL"}`, "200"},
		{"Bearer", "POST", "/v1/api_keys", `{"name":"my-api-key","type":"PERSONAL"}`, "400"}, // the name is taken
		{"Bearer", "POST", "/v1/api_keys", `{"name":"My Key","type":"PERSONAL"}`, "400"},
		{"Bearer", "POST", "/v1/api_keys", `{"name":"scoped","type":"WORKSPACE_INVOKE","model_ids":["` + model + `"]}`, "200"},
		{"Bearer", "POST", "/v1/api_keys", `{"name":"scoped-2","type":"WORKSPACE_MANAGE_ALL","model_ids":["` + model + `"]}`, "400"},
		{"Bearer", "POST", "/v1/api_keys", `{"type":"NO_SUCH_TYPE"}`, "400"},
		{"Bearer", "POST", "/v1/teams/nowhere/api_keys", `{"type":"WORKSPACE_INVOKE"}`, "404"},
		{"Bearer", "DELETE", "/v1/api_keys/b10_absent00", "", "404"},
		{"Bearer", "GET", "/v1/no/such/route", "", "404"},
	}
	for _, s := range steps {
		if status, answer := run(s.scheme, s.method, s.path, s.body); status != s.status {
			t.Errorf("%s %s: %s, want %s: %.200s", s.method, s.path, status, s.status, answer)
		}
	}
	_, answer := run("Bearer", "POST", "/v1/api_keys", `{"type":"WORKSPACE_EXPORT_METRICS"}`)
	var made struct {
		APIKey string `json:"api_key"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	prefix, _, _ := strings.Cut(made.APIKey, ".")
	if status, _ := run("Bearer", "DELETE", "/v1/api_keys/"+prefix, ""); status != "200" || w.Org.Exists(prefix) {
		t.Errorf("deleting the new key: %s", status)
	}
}
