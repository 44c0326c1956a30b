package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
)

const (
	start    = `{"start":{"schema":"b10lint/v1","tool":{"name":"b10lint","version":"1"},"run":{"command":"scan","targets":[],"started":"2026-11-21T00:00:00Z"}}}`
	ending   = `{"summary":{"complete":true}}`
	finding1 = `{"rule":"leaked-key","severity":"high","confidence":"high","locations":[]}`
)

func TestReadErrors(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"empty":            {"", "the report is empty"},
		"blank":            {" \n", "the report is empty"},
		"no JSON":          {"hello", "byte 1: invalid character 'h'"},
		"cut short":        {`{"schema":"b10lint/v1",`, "unexpected EOF"},
		"an array":         {"[]", "cannot unmarshal array"},
		"another document": {`{"version":"2.1.0"}`, `neither "schema" nor "start"`},
		"newer schema":     {`{"schema":"b10lint/v2","summary":{}}`, `schema "b10lint/v2" is not "b10lint/v1"`},
		"newer start":      {`{"start":{"schema":"b10lint/v2"}}`, `schema "b10lint/v2" is not "b10lint/v1"`},
		"no schema":        {`{"start":{}}`, `schema "" is not`},
		"null start":       {`{"start":null}`, "holds no start"},
		"no summary":       {`{"schema":"b10lint/v1","findings":[]}`, "has no summary"},
		"bad severity":     {`{"schema":"b10lint/v1","summary":{},"findings":[{"rule":"x","severity":"dire"}]}`, `severity "dire" is not one of`},
		"bad type":         {`{"schema":"b10lint/v1","summary":{},"findings":[{"rule":7}]}`, "cannot unmarshal number"},
		"null finding":     {`{"schema":"b10lint/v1","summary":{},"findings":[null]}`, `findings[0]: "" is not a rule ID`},
		"bad rule":         {`{"schema":"b10lint/v1","summary":{},"findings":[{"rule":"a/../b"}]}`, `"a/../b" is not a rule ID`},
		"more":             {`{"schema":"b10lint/v1","summary":{}} {}`, "more after the end"},
		"trailing junk":    {`{"schema":"b10lint/v1","summary":{}} x`, "invalid character 'x'"},
		"no end":           {start + "\n{\"finding\":" + finding1 + "}", "did not finish"},
		"second start":     {start + "\n" + start, "a second start"},
		"after the end":    {start + "\n" + ending + "\n" + ending, "more after the end"},
		"no event":         {start + "\n{\"note\":1}", `the line {"note":1} is not an event`},
		"bad line":         {start + "\n{\"finding\":{\"rule\":\"\"}}", "is not a rule ID"},
		"bad time":         {strings.Replace(start, "2026-11-21", "2026-13-21", 1), "month out of range"},
	} {
		_, err := Read(strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestReadNamesTheOffset(t *testing.T) {
	first := start + "\n{\"finding\":" + finding1 + "}\n"
	_, err := Read(strings.NewReader(first + `{"finding":{"rule":"a b"}}`))
	if want := "byte 232:"; err == nil || len(first) != 232 || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v for a finding at byte %d, want %q", err, len(first), want)
	}
}

func TestReadIsBounded(t *testing.T) {
	many := start + "\n" + strings.Repeat("{\"finding\":"+finding1+"}\n", 100) + ending
	if _, err := readBounded(strings.NewReader(many), 1<<10); err != nil {
		t.Errorf("many short lines: %v", err)
	}
	long := start + "\n{\"problem\":{\"error\":\"" + strings.Repeat("x", 4096) + "\"}}\n" + ending
	if _, err := readBounded(strings.NewReader(long), 1<<10); err == nil || !strings.Contains(err.Error(), "more than 1.0 kB in one piece") {
		t.Errorf("one long line: got %v", err)
	}
	deep := `{"schema":"b10lint/v1","summary":` + strings.Repeat("[", 100_000)
	if _, err := Read(strings.NewReader(deep)); err == nil {
		t.Error("100,000 levels were accepted")
	}
}

func FuzzRead(f *testing.F) {
	for _, fixture := range fixtures(f) { // whole reports of both forms
		in := read(f, fixture)
		f.Add(in)
		f.Add(convert(f, in, "jsonl", Options{}))
	}
	f.Add([]byte(start + ending))                                 // no line feed between events
	f.Add([]byte(`{"schema":"b10lint/v1","summary":{},"x":[[[[`)) // unclosed
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := readBounded(bytes.NewReader(in), 1<<20)
		if err != nil {
			return
		}
		for _, format := range Formats() {
			harmless(t, format.Name, written(t, r, format.Name, Options{Width: 30}))
		}
		// What was read once is a fixed point.
		out := written(t, r, "json", Options{})
		if again := convert(t, out, "json", Options{}); !bytes.Equal(again, out) {
			t.Errorf("json does not read back:\n%s\n%s", out, again)
		}
		// Merging it with itself, and what was merged with it, changes nothing more.
		merged := finding.Merge(r)
		out = written(t, merged, "json", Options{})
		for _, again := range []finding.Report{finding.Merge(r, r), finding.Merge(merged, r), finding.Merge(merged)} {
			if again := written(t, again, "json", Options{}); !bytes.Equal(again, out) {
				t.Errorf("merging is not idempotent:\n%s\n%s", out, again)
			}
		}
	})
}
