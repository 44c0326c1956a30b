package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/b10lint/b10lint/finding"
)

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%.200s\n%v", data, err)
	}
}

// The hostile fixture has words where the schema lists the values of an enum.
const hostile = "testdata/hostile.json"

func TestReportsMatchSchema(t *testing.T) {
	s := compile(t, "../docs/json.schema.json")
	for _, fixture := range fixtures(t) {
		in := read(t, fixture)
		if fixture == hostile {
			in = tame(t, in)
		}
		validate(t, s, convert(t, in, "json", Options{}))
		for _, line := range bytes.Split(bytes.TrimSpace(convert(t, in, "jsonl", Options{})), []byte("\n")) {
			validate(t, s, line)
		}
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"finding":{"rule":"x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(v) == nil {
		t.Error("the schema accepts a finding without severity and locations")
	}
}

func tame(t *testing.T, in []byte) []byte {
	t.Helper()
	var doc document
	if err := json.Unmarshal(in, &doc); err != nil {
		t.Fatal(err)
	}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		f.Exposure = finding.Plain
		if f.Liveness != nil {
			f.Liveness.State = finding.Unknown
		}
		for j := range f.Locations {
			f.Locations[j].Exposure = finding.Plain
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every field that a report can hold is in the schema, with a description, and
// in docs/json.md.
func TestEveryFieldIsDescribed(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(read(t, "../docs/json.schema.json"), &schema); err != nil {
		t.Fatal(err)
	}
	page := string(read(t, "../docs/json.md"))
	types := map[string]any{
		"finding": finding.Finding{}, "location": finding.Location{}, "cell": finding.Cell{}, "liveness": finding.Liveness{},
		"key": finding.Key{}, "suppression": finding.Suppression{}, "outcome": finding.Outcome{}, "problem": finding.Problem{},
		"tool": finding.Tool{}, "target": finding.Target{}, "run": runJSON{}, "summary": summaryJSON{}, "coverage": finding.Coverage{},
		"count": finding.ObjectCount{}, "submodule": finding.Submodule{},
		"inventory_key": finding.InventoryKey{}, "activity": finding.Activity{}, "source": finding.Source{},
	}
	for name, v := range types {
		fields := jsonFields(reflect.TypeOf(v))
		kind := reflect.TypeOf(v).Name()
		_, section, ok := strings.Cut(page, "\n## "+strings.TrimSuffix(strings.ToUpper(kind[:1])+kind[1:], "JSON")+"\n")
		if !ok {
			t.Errorf("docs/json.md has no section for %s", kind)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for field := range fields {
			if schema.Defs[name].Properties[field].Description == "" {
				t.Errorf("%s.%s is not described in the schema", name, field)
			}
			if !strings.Contains(section, fmt.Sprintf("\n| `%s`", field)) {
				t.Errorf("%s.%s is not in docs/json.md", name, field)
			}
		}
		for field := range schema.Defs[name].Properties {
			if !fields[field] {
				t.Errorf("%s.%s is in the schema and not in the code", name, field)
			}
		}
	}
}

func jsonFields(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag != "" && tag != "-" {
			out[tag] = true
		}
	}
	return out
}

// The standard's schema is not kept here; where a copy lies beside the
// repository the reports are checked against it.
func TestSARIFMatchesStandard(t *testing.T) {
	for _, name := range []string{"../../shared/facts/sarif-schema-2.1.0.json", "../../../shared/facts/sarif-schema-2.1.0.json"} {
		if _, err := os.Stat(name); err != nil {
			continue
		}
		s := compile(t, name)
		for _, fixture := range fixtures(t) {
			validate(t, s, convert(t, read(t, fixture), "sarif", Options{Rules: testRules()}))
			validate(t, s, convert(t, read(t, fixture), "sarif", Options{}))
		}
		return
	}
	t.Skip("the schema of SARIF 2.1.0 is not here")
}

// gitlabShape is what secret-detection-report-format.json 15.0 asks for, in our
// own words.
const gitlabShape = `{"type":"object","required":["scan","version","vulnerabilities"],"properties":{
 "version":{"pattern":"^[0-9]+\\.[0-9]+\\.[0-9]+$"},
 "scan":{"type":"object","required":["analyzer","end_time","scanner","start_time","status","type"],"properties":{
  "start_time":{"$ref":"#/$defs/time"},"end_time":{"$ref":"#/$defs/time"},"status":{"enum":["success","failure"]},"type":{"const":"secret_detection"},
  "analyzer":{"$ref":"#/$defs/tool"},"scanner":{"$ref":"#/$defs/tool"},
  "messages":{"type":"array","items":{"type":"object","required":["level","value"],"properties":{"level":{"enum":["info","warn","fatal"]},"value":{"$ref":"#/$defs/text"}}}}}},
 "vulnerabilities":{"type":"array","items":{"type":"object","required":["id","identifiers","location"],"properties":{
  "id":{"$ref":"#/$defs/text"},"name":{"type":"string","maxLength":255},"description":{"type":"string","maxLength":1048576},
  "severity":{"enum":["Info","Unknown","Low","Medium","High","Critical"]},"solution":{"type":"string","maxLength":7000},
  "identifiers":{"type":"array","minItems":1,"items":{"type":"object","required":["type","name","value"],"properties":{
   "type":{"$ref":"#/$defs/text"},"name":{"$ref":"#/$defs/text"},"value":{"$ref":"#/$defs/text"},"url":{"pattern":"^https?://.+"}}}},
  "location":{"type":"object","required":["commit"],"properties":{"file":{"type":"string"},"start_line":{"type":"number"},"end_line":{"type":"number"},
   "commit":{"type":"object","required":["sha"],"properties":{"sha":{"$ref":"#/$defs/text"}}}}},
  "details":{"type":"object","additionalProperties":{"type":"object","required":["name","type","value"],"properties":{"name":{"$ref":"#/$defs/text"},"type":{"const":"text"},"value":{"type":"string"}}}}}}}},
 "$defs":{"text":{"type":"string","minLength":1},"time":{"type":"string","pattern":"^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$"},
  "tool":{"type":"object","required":["id","name","version","vendor"],"properties":{"id":{"$ref":"#/$defs/text"},"name":{"$ref":"#/$defs/text"},
   "version":{"$ref":"#/$defs/text"},"url":{"pattern":"^https?://.+"},"vendor":{"type":"object","required":["name"],"properties":{"name":{"$ref":"#/$defs/text"}}}}}}}`

func TestGitLabShape(t *testing.T) {
	name := t.TempDir() + "/gitlab.json"
	if err := os.WriteFile(name, []byte(gitlabShape), 0o600); err != nil {
		t.Fatal(err)
	}
	s := compile(t, name)
	for _, fixture := range fixtures(t) {
		validate(t, s, convert(t, read(t, fixture), "gitlab", Options{}))
	}
}
