package baseten_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// specified returns a transport that checks each answer of the management API
// against its OpenAPI document, where that lies beside the repository. Without
// the document it only passes answers on, and says so.
func specified(t *testing.T) http.RoundTripper {
	t.Helper()
	spec := loadSpecification(t)
	if spec == nil {
		t.Log("shared/facts/management-api.json is not beside the repository: answers are not checked against it")
		return http.DefaultTransport
	}
	return &specChecker{t: t, spec: spec}
}

func loadSpecification(t *testing.T) *specification {
	t.Helper()
	for _, up := range []string{"../..", "../../.."} { // from this folder; the second is for a worktree
		data, err := os.ReadFile(filepath.Join(up, "shared", "facts", "management-api.json"))
		if err != nil {
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		s := &specification{doc: doc.(map[string]any), compiler: jsonschema.NewCompiler()}
		s.addNewer()
		if err := s.compiler.AddResource("spec.json", s.doc); err != nil {
			t.Fatal(err)
		}
		return s
	}
	return nil
}

type specification struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
}

// addNewer puts in what the API is known to answer since the document was
// written: the key type ROUTES.
func (s *specification) addNewer() {
	schemas := s.doc["components"].(map[string]any)["schemas"].(map[string]any)
	category := schemas["APIKeyCategory"].(map[string]any)
	category["enum"] = append(category["enum"].([]any), "ROUTES")
}

// operation finds the path template of a request, or "".
func (s *specification) operation(method, path string) string {
	best := ""
	for template, item := range s.doc["paths"].(map[string]any) {
		if _, ok := item.(map[string]any)[strings.ToLower(method)]; ok && templateMatches(template, path) &&
			(best == "" || strings.Count(template, "{") < strings.Count(best, "{")) {
			best = template
		}
	}
	return best
}

func templateMatches(template, path string) bool {
	a, b := strings.Split(template, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// check validates the body of a 200 answer.
func (s *specification) check(method, path string, body []byte) error {
	template := s.operation(method, path)
	if template == "" {
		return nil // newer than the document
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(template)
	escaped = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(escaped)
	schema, err := s.compiler.Compile("spec.json#/paths/" + escaped + "/" + strings.ToLower(method) +
		"/responses/200/content/application~1json/schema")
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

type specChecker struct {
	t    *testing.T
	spec *specification
}

func (c *specChecker) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.spec.check(r.Method, r.URL.Path, body); err != nil {
		c.t.Errorf("%s %s: the answer does not follow the specification: %v", r.Method, r.URL.Path, err)
	}
	return res, nil
}

// TestSpecificationRejects shows that the checker can tell.
func TestSpecificationRejects(t *testing.T) {
	spec := loadSpecification(t)
	if spec == nil {
		t.Skip("shared/facts/management-api.json is not beside the repository")
	}
	bad, _ := json.Marshal(map[string]any{"keys": []any{map[string]any{"prefix": "x", "type": "NO_SUCH_TYPE"}}})
	for path, body := range map[string][]byte{"/v1/api_keys": bad, "/v1/users/me": []byte(`{"email":null}`)} {
		if spec.check("GET", path, body) == nil {
			t.Errorf("%s: %s passed", path, body)
		}
	}
	if err := spec.check("GET", "/v1/users/me", []byte(`{"user_id":"u"}`)); err != nil {
		t.Error(err)
	}
}
