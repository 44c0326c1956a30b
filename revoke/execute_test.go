package revoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// allFaults are the ways in which an answer goes wrong.
var allFaults = map[string]basetentest.FaultKind{
	"rate limited": basetentest.RateLimited, "unavailable": basetentest.Unavailable, "bad gateway": basetentest.BadGateway,
	"slow body": basetentest.SlowBody, "dropped after commit": basetentest.DropAfterCommit, "captive portal": basetentest.CaptivePortal,
	"firewall": basetentest.Firewall, "truncated": basetentest.TruncatedJSON, "short body": basetentest.ShortBody,
	"wrong type": basetentest.WrongType, "reset": basetentest.Reset, "redirected": basetentest.Redirected, "wrong form": basetentest.WrongForm,
}

// eachFault runs f with every fault from every request on: once, and lasting.
func eachFault(t *testing.T, requests int, f func(t *testing.T, x basetentest.Fault)) {
	for name, kind := range allFaults {
		for _, times := range []int{1, 0} {
			t.Run(fmt.Sprintf("%s x%d", name, times), func(t *testing.T) {
				t.Parallel()
				for skip := 0; skip < requests; skip += stride() {
					f(t, basetentest.Fault{Kind: kind, Skip: skip, Times: times, To: "http://127.0.0.1:1/"})
				}
			})
		}
	}
}

// stride passes over most places in a run that is to be short.
func stride() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// TestFaultsOfRevoking: whatever goes wrong at whatever request, no key outside
// the plan is touched, the receipt is honest, and a later run finishes.
func TestFaultsOfRevoking(t *testing.T) {
	eachFault(t, 9, func(t *testing.T, x basetentest.Fault) {
		w := newWorld(t)
		defer w.Server.Close()
		keys := []secret.Secret{w.add(basetentest.KeySpec{}), w.add(basetentest.KeySpec{})}
		innocent := w.add(basetentest.KeySpec{})
		g := w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
		p := w.plan(Request{Wanted: wanted(append(keys, g)...)})
		o := w.execute()
		o.Client = w.impatient()
		e, err := Begin(w.dir, p, o)
		if err != nil {
			t.Fatal(err)
		}
		w.Server.Inject(x)
		receipt, err := e.Run(context.Background())
		if err != nil {
			t.Fatalf("%+v: %v", x, err)
		}
		for _, entry := range receipt.Entries {
			if entry.Kind == AccountKey && entry.State == Revoked && w.alive(entry.Prefix) {
				t.Errorf("%+v: the receipt says that a key is revoked which lives", x)
			}
			if entry.State == Failed && entry.Error == "" {
				t.Errorf("%+v: failed without a reason", x)
			}
		}
		if (receipt.Open() > 0) != (receipt.Resume != "") {
			t.Errorf("%+v: %d open, resume %q", x, receipt.Open(), receipt.Resume)
		}
		w.Server.Heal()
		w.finish(receipt.Journal)
		s := w.survey()
		if len(s.Keys) != 2 || len(s.Gateway) != 0 || !w.alive(innocent.Prefix()) {
			t.Errorf("%+v: %d keys and %d gateway keys are left", x, len(s.Keys), len(s.Gateway))
		}
		hiddenIn(t, w.dir, append(w.keys, g)...)
	})
}

// finish resumes a revocation, which must then come to its end.
func (w *world) finish(journal string) *Receipt {
	w.t.Helper()
	e, err := Resume(journal, w.execute(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	receipt, err := e.Run(context.Background())
	if err != nil || receipt.Open() != 0 || receipt.Resume != "" {
		w.t.Errorf("resumed: %v %+v", err, receipt)
	}
	return receipt
}

func TestRevoking(t *testing.T) {
	w := newWorld(t)
	leaked, gone := w.add(basetentest.KeySpec{Name: "leaked"}), w.add(basetentest.KeySpec{Name: "gone"})
	p := w.plan(Request{Wanted: wanted(leaked, gone, w.Admin), IncludeSelf: true})
	if err := w.Org.DeleteKey(gone.Prefix(), "admin@example.com", basetentest.Noon); err != nil {
		t.Fatal(err)
	}
	o := w.execute()
	o.Probe, o.Keys = w.probe(), map[string]secret.Secret{leaked.Prefix(): leaked}
	var told []string
	o.Progress = func(e Entry) { told = append(told, e.Prefix) }
	e, err := Begin(w.dir, p, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(context.Background())
	if err != nil || len(told) != 3 || told[2] != w.Admin.Prefix() {
		t.Fatalf("%v, told %q", err, told)
	}
	states := map[string]string{}
	for _, entry := range r.Entries {
		states[entry.Prefix] = entry.State
		if len(entry.Evidence) < 2 || entry.At == nil {
			t.Errorf("without evidence: %+v", entry)
		}
	}
	if states[leaked.Prefix()] != Revoked || states[gone.Prefix()] != AlreadyGone || states[w.Admin.Prefix()] != Revoked {
		t.Errorf("%v", states)
	}
	if text := fmt.Sprint(r.Entries); !strings.Contains(text, "dead: ") {
		t.Errorf("the probe left no evidence: %s", text)
	}
	var text, data, markdown bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&data), r.WriteMarkdown(&markdown)); err != nil {
		t.Fatal(err)
	}
	moment := regexp.MustCompile(`12:00:0[0-9](\.[0-9]+)?Z`)           // workers take turns in any order
	sums := regexp.MustCompile(`(head|"head":|"sum":) "?[0-9a-f]{64}`) // of the journal, which has the server's port
	clean := func(s string) string {
		s = sums.ReplaceAllString(s, "$1 SHA256")
		return moment.ReplaceAllString(strings.NewReplacer(r.Journal, "JOURNAL", w.Server.URL, "http://fake").Replace(s), "12:00:00Z")
	}
	golden(t, "receipt.txt", clean(text.String()))
	golden(t, "receipt.md", clean(markdown.String()))
	golden(t, "receipt.json", clean(data.String()))
	hidden(t, "the receipt", text.String()+data.String()+markdown.String(), w.keys...)
	hiddenIn(t, w.dir, w.keys...)
}

// TestTwoRuns: of two runs on one journal the second refuses.
func TestTwoRuns(t *testing.T) {
	w := newWorld(t)
	p := w.plan(Request{Wanted: wanted(w.add(basetentest.KeySpec{}))})
	e, err := Begin(w.dir, p, w.execute())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(e.Journal(), w.execute(), nil); !errors.Is(err, ErrBusy) {
		t.Errorf("the second run: %v", err)
	}
	if r, err := e.Run(context.Background()); err != nil || r.Open() != 0 {
		t.Error(err)
	}
	w.finish(e.Journal())
}

// TestInterrupted: what was not begun is not attempted, and is finished later.
func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	var keys []secret.Secret
	for range 12 {
		keys = append(keys, w.add(basetentest.KeySpec{}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := w.execute()
	var once sync.Once
	o.Progress = func(Entry) { once.Do(cancel) }
	e, err := Begin(w.dir, w.plan(Request{Wanted: wanted(keys...)}), o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(ctx)
	if !errors.Is(err, context.Canceled) || r.Open() == 0 || r.Open() == 12 || r.Resume == "" {
		t.Fatalf("%v, %d open", err, r.Open())
	}
	w.finish(r.Journal)
	if n := len(w.survey().Keys); n != 1 {
		t.Errorf("%d keys are left", n)
	}
}

// TestClockJumps: the order of the journal is that of its numbers.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, 365 * 24 * time.Hour} {
		w := newWorld(t)
		p := w.plan(Request{Wanted: wanted(w.add(basetentest.KeySpec{}), w.add(basetentest.KeySpec{}))})
		w.Clock.Set(0, jump)
		e, err := Begin(w.dir, p, w.execute())
		if err != nil {
			t.Fatal(err)
		}
		w.Server.Inject(basetentest.Fault{Kind: basetentest.Firewall, Method: "DELETE"})
		r, err := e.Run(context.Background())
		if err != nil || r.Open() != 2 {
			t.Fatalf("%v, %d open", err, r.Open())
		}
		w.Server.Heal()
		w.finish(r.Journal)
	}
}

// TestEditedPlan: neither a changed file nor a changed inventory is carried out.
func TestEditedPlan(t *testing.T) {
	w := newWorld(t)
	unusedSince := basetentest.Noon.AddDate(0, 0, -100)
	k := w.add(basetentest.KeySpec{Name: "ci", Created: basetentest.Noon.AddDate(-1, 0, 0), LastUsed: &unusedSince})
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := w.plan(Request{Unused: 90 * 24 * time.Hour}).Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || filepath.Separator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s, %v", info.Mode(), err)
	}
	p, err := LoadPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Agree(w.survey()); err != nil {
		t.Errorf("an inventory that did not change: %v", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte(k.Prefix()), []byte(w.Admin.Prefix())), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPlan(path); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("an edited plan: %v", err)
	}
	w.Org.Touch(k.Prefix(), basetentest.Noon.Add(-48*time.Hour))
	var differs *DisagreeError
	if err := p.Agree(w.survey()); !errors.As(err, &differs) || !strings.Contains(err.Error(), "was used since") {
		t.Errorf("used since: %v", err)
	}
	other := *w.survey()
	other.Endpoint = "https://api.elsewhere.example"
	if err := p.Agree(&other); !errors.As(err, &differs) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("another endpoint: %v", err)
	}
	if err := w.Org.DeleteKey(k.Prefix(), "admin@example.com", basetentest.Noon); err != nil {
		t.Fatal(err)
	}
	if err := p.Agree(w.survey()); err != nil {
		t.Errorf("a key that is gone: %v", err)
	}
}

// TestAgreeOnChangedFacts: each fact that changes is named.
func TestAgreeOnChangedFacts(t *testing.T) {
	w := newWorld(t)
	k := w.add(basetentest.KeySpec{Name: "ci"})
	p := w.plan(Request{Wanted: wanted(k)})
	for name, change := range map[string]func(*Survey, int){
		"name":              func(s *Survey, i int) { s.Keys[i].Name = "other" },
		"type":              func(s *Survey, i int) { s.Keys[i].Type = "PERSONAL" },
		"team":              func(s *Survey, i int) { s.Keys[i].TeamName = "other" },
		"modelids":          func(s *Survey, i int) { s.Keys[i].ModelIDs = []string{"m"} },
		"more than one key": func(s *Survey, i int) { s.Keys = append(s.Keys, s.Keys[i]) },
		"not seen":          func(s *Survey, i int) { s.Self, s.Keys, s.History = "b10_OTHEROTH", s.Keys[:i], nil },
	} {
		s := w.survey()
		for i := range s.Keys {
			if s.Keys[i].Prefix == k.Prefix() {
				change(s, i)
				break
			}
		}
		if err := p.Agree(s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
