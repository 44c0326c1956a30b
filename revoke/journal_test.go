package revoke

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/internal/clock"
)

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "j.jsonl")
	fake := basetentest.NewClock()
	j, err := newJournal(path, "test 1", map[string]string{"a": "b"}, fake.Clock(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.append(record{Step: stepIntend, Prefix: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path, "test 1", "", clock.Clock{}, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("a second run: %v", err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Cut off at every byte of the last record, the journal can be gone on with.
	first := bytes.IndexByte(whole, '\n') + 1
	for n := first; n <= len(whole); n++ {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			j, err := openJournal(path, "test 1", "", fake.Clock(), nil)
			if err != nil {
				t.Fatalf("cut at %d: %v", n, err)
			}
			if err := errors.Join(j.append(record{Step: stepFailed}), j.close()); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		records, torn, err := parseJournal(data)
		want := 5
		if n >= len(whole)-1 {
			want = 6
		}
		if err != nil || torn || len(records) != want || !bytes.HasPrefix(data, whole[:n]) {
			t.Errorf("cut at %d: %d records, %v, %v", n, len(records), torn, err)
		}
	}
	if _, err := openJournal(path, "other 1", "", clock.Clock{}, nil); err == nil || !strings.Contains(err.Error(), "kind") {
		t.Errorf("another kind: %v", err)
	}
}

func TestDamagedJournal(t *testing.T) {
	begin := `{"n":1,"at":"2026-11-21T12:00:00Z","step":"begin","journal":"test 1"}` + "\n"
	for name, text := range map[string]string{
		"empty":                  "",
		"first record torn":      begin[:30],
		"line in the middle":     begin + "{}\n" + `{"n":2,"at":"2026-11-21T12:00:00Z","step":"deleted"}` + "\n",
		"a record is missing":    begin + `{"n":3,"at":"2026-11-21T12:00:00Z","step":"deleted"}` + "\n",
		"begun twice":            begin + strings.Replace(begin, `"n":1`, `"n":2`, 1),
		"not begun":              `{"n":1,"at":"2026-11-21T12:00:00Z","step":"deleted"}` + "\n",
		"something else":         "hello\nworld\n",
		"lost behind a torn one": begin + `{"n":2` + "\n" + `{"n":3,"at":"2026-11-21T12:00:00Z","step":"resumed"}` + "\n",
	} {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err := openJournal(path, "test 1", "", clock.Clock{}, nil); err == nil {
			t.Errorf("%s: was taken: %+v", name, j.records)
		}
	}
}

// FuzzJournal: no file makes reading one panic, and what is read is a run of
// records without a gap.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"n":1,"step":"begin","journal":"k"}` + "\n" + `{"n":2,"step":"deleted","prefix":"p"}` + "\n")) // well formed
	f.Add([]byte(`{"n":1,"step":"begin"}` + "\n" + `{"n":2,"st` + "\n" + `{"n":2,"step":"resumed"}`))             // torn, and gone on with
	f.Add([]byte(`{"n":2}`))                                                                                      // out of order
	f.Fuzz(func(t *testing.T, data []byte) {
		records, _, err := parseJournal(data)
		if err != nil {
			return
		}
		for i, r := range records {
			if r.N != i+1 || (r.Step == stepBegin) != (i == 0) {
				t.Errorf("record %d: %+v", i, r)
			}
		}
	})
}

// FuzzPlan: no file makes reading a plan panic, and what is taken names each key
// once and the tool's own last.
func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"b10lint_plan":1,"items":[],"digest":"` + digest(nil) + `"}`))                                                                                                        // empty
	f.Add([]byte(`{"b10lint_plan":1,"items":[{"kind":"account","prefix":"p","type":"T"}],"digest":"` + digest([]Item{{Facts: Facts{Kind: AccountKey, Prefix: "p", Type: "T"}}}) + `"}`)) // one key
	f.Add([]byte(`{"b10lint_plan":2}`))                                                                                                                                                  // of a later version
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePlan(data)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i, it := range p.Items {
			if seen[it.Prefix] || it.Self && i != len(p.Items)-1 {
				t.Errorf("taken: %+v", it)
			}
			seen[it.Prefix] = true
		}
	})
}
