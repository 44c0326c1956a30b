package revoke

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// receiptOf revokes two keys, the second after a run that a fault ended, and returns the
// receipts of both runs as JSON and the journal.
func receiptOf(t *testing.T, w *world) (first, last, journal []byte) {
	t.Helper()
	a, b := w.add(basetentest.KeySpec{Name: "a"}), w.add(basetentest.KeySpec{Name: "b"})
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Firewall, Method: "DELETE", Path: "/v1/api_keys/" + b.Prefix()})
	e, err := Begin(w.dir, w.plan(Request{Wanted: wanted(a, b)}), w.execute())
	if err != nil {
		t.Fatal(err)
	}
	text := func(e *Execution, open int) []byte {
		r, err := e.Run(context.Background())
		if err != nil || r.Open() != open {
			t.Fatalf("%v %+v", err, r)
		}
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first = text(e, 1)
	w.Server.Heal()
	if e, err = Resume(e.Journal(), w.execute(), nil); err != nil {
		t.Fatal(err)
	}
	last = text(e, 0)
	if journal, err = os.ReadFile(e.Journal()); err != nil {
		t.Fatal(err)
	}
	return first, last, journal
}

func TestVerifyReceipt(t *testing.T) {
	first, last, journal := receiptOf(t, newWorld(t))
	for name, receipt := range map[string][]byte{"of the first run": first, "of the last run": last} {
		v, err := VerifyReceipt(receipt, journal)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (v.Later > 0) != (name == "of the first run") || v.First.IsZero() || v.Last.Before(v.First) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	cut := func(from, to int) []byte { return join(lines[from:to]...) }
	old, changed := []byte(`accepted the delete`), []byte(`accepted the Delete`)
	if !bytes.Contains(lines[3], old) && !bytes.Contains(lines[4], old) {
		t.Fatalf("the journal is not what the test takes it for:\n%s", journal)
	}
	for name, c := range map[string]struct {
		receipt, journal []byte
		want             string
	}{
		"a journal line changed":       {last, bytes.Replace(journal, old, changed, 1), "one of them was changed"},
		"the last line changed":        {last, bytes.Replace(journal, []byte(`"step":"end"`), []byte(`"step":"enD"`), 1), "is not the one that the receipt was made from"},
		"two lines swapped":            {last, join(cut(0, 2), lines[3], lines[2], cut(4, len(lines))), "line 3: record 4 where 3 belongs"},
		"a line taken out":             {last, join(cut(0, 2), cut(3, len(lines))), "line 3: record 4 where 3 belongs"},
		"the end cut off":              {last, cut(0, 4), "it ends at line 4 with record 4"},
		"no line left":                 {last, nil, "it holds no record"},
		"a state changed":              {bytes.Replace(first, []byte(`"state": "failed"`), []byte(`"state": "revoked"`), 1), journal, "is revoked, and by the journal it is not done with"},
		"the evidence changed":         {bytes.Replace(last, old, changed, 1), journal, "is not what the journal says"},
		"a moment changed":             {bytes.Replace(last, []byte(`"finished": "2026`), []byte(`"finished": "2025`), 1), journal, "its own checksum does not fit"},
		"the chain taken out":          {bytes.Replace(last, []byte(`"chain"`), []byte(`"chaim"`), 1), journal, `unknown field "chaim"`},
		"the receipt cut off":          {last[:len(last)/2], journal, "not a whole one"},
		"the receipt of the first run": {bytes.Replace(first, []byte(`"credential": "b10`), []byte(`"credential": "b11`), 1), journal, "line 4: \"credential\" is not what the journal says"},
	} {
		if bytes.Equal(c.receipt, last) && bytes.Equal(c.journal, journal) {
			t.Errorf("%s: nothing was changed", name)
		}
		_, err := VerifyReceipt(c.receipt, c.journal)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestVerifyReceiptLines: every line of a receipt counts, and every line of its journal.
func TestVerifyReceiptLines(t *testing.T) {
	_, last, journal := receiptOf(t, newWorld(t))
	for i, text := range [][]byte{last, journal} {
		lines := bytes.SplitAfter(text, []byte("\n"))
		for n := range lines[:len(lines)-1] {
			without := bytes.Join(append(append([][]byte{}, lines[:n]...), lines[n+1:]...), nil)
			receipt, lines := without, journal
			if i == 1 {
				receipt, lines = last, without
			}
			if _, err := VerifyReceipt(receipt, lines); err == nil {
				t.Errorf("without line %d of file %d it holds", n+1, i)
			}
		}
	}
}

// TestReceiptOfNothing: one without a journal rests on its own checksum.
func TestReceiptOfNothing(t *testing.T) {
	r := (&Plan{Endpoint: "https://api.example.com"}).Receipt("b10_a from the test", "dry run", time.Unix(0, 0))
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(out.Bytes(), nil); err != nil {
		t.Error(err)
	}
	if _, err := VerifyReceipt(bytes.Replace(out.Bytes(), []byte("example.com"), []byte("example.org"), 1), nil); err == nil {
		t.Error("a changed one holds")
	}
}

// FuzzVerifyReceipt: no pair of files makes it panic, and what holds names its chain.
func FuzzVerifyReceipt(f *testing.F) {
	f.Add([]byte(`{"b10lint_receipt":1,"journal":"j","chain":{"records":1,"head":"h"}}`), []byte(`{"n":1,"step":"begin","journal":"b10lint revoke 1"}`)) // no plan
	f.Add([]byte(`{"b10lint_receipt":1,"keys":null,"sum":""}`), []byte(nil))                                                                             // nothing revoked
	f.Fuzz(func(t *testing.T, receipt, journal []byte) {
		v, err := VerifyReceipt(receipt, journal)
		if err == nil && v.Receipt.Journal != "" && v.Receipt.Chain == nil {
			t.Errorf("%+v holds", v.Receipt)
		}
	})
}
