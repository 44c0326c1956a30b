package revoke

import (
	"context"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// begin carries a plan out with a fault in the way.
func (w *world) begin(k secret.Secret, o Options, x ...basetentest.Fault) *Receipt {
	w.t.Helper()
	e, err := Begin(w.dir, w.plan(Request{Wanted: wanted(k)}), o)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range x {
		w.Server.Inject(f)
	}
	r, err := e.Run(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	w.Server.Heal()
	return r
}

// TestResumeDeletesAgain: a delete that was answered and had no effect is sent again
// when the journal is resumed, as long as the list has the key.
func TestResumeDeletesAgain(t *testing.T) {
	for kind, says := range map[basetentest.FaultKind]string{
		basetentest.NotFound: "Baseten answered the delete with 404", basetentest.Ignored: "the delete was accepted, and the list still has the key",
	} {
		w := newWorld(t)
		k := w.add(basetentest.KeySpec{})
		r := w.begin(k, w.execute(), basetentest.Fault{Kind: kind, Method: "DELETE"})
		if e := r.Entries[0]; e.State != Failed || !strings.Contains(e.Error, says) || !w.alive(k.Prefix()) {
			t.Errorf("%d: %+v", kind, e)
		}
		if pending, err := Unfinished(w.dir); err != nil || len(pending) != 1 || pending[0].Resume != r.Resume {
			t.Errorf("unfinished: %+v %v, want %s", pending, err, r.Resume)
		}
		if r = w.finish(r.Journal); r.Entries[0].State != Revoked || w.alive(k.Prefix()) {
			t.Errorf("%d: resumed: %+v", kind, r.Entries[0])
		}
		if pending, err := Unfinished(w.dir); err != nil || len(pending) != 0 {
			t.Errorf("unfinished: %+v %v", pending, err)
		}
	}
}

// TestAcceptedNotConfirmed: a key whose delete was accepted is not called unrevoked
// because the list could not be read again.
func TestAcceptedNotConfirmed(t *testing.T) {
	w := newWorld(t)
	k := w.add(basetentest.KeySpec{})
	r := w.begin(k, w.execute(), basetentest.Fault{Kind: basetentest.Forbidden, Path: "/v1/api_keys"})
	if e := r.Entries[0]; e.State != Unconfirmed || r.Open() != 1 || !strings.Contains(e.Error, "the delete was accepted, and the list could not be read again") {
		t.Errorf("%+v", e)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "1 accepted and not confirmed") {
		t.Errorf("%v %s", err, &text)
	}
	w.finish(r.Journal)
}

// TestReceiptCredits: each key is credited to the credential that revoked it, also
// when another one only reads the journal again.
func TestReceiptCredits(t *testing.T) {
	w := newWorld(t)
	k := w.add(basetentest.KeySpec{})
	r := w.begin(k, w.execute())
	o := w.execute()
	o.Credential = "b10_another0 from elsewhere"
	e, err := Resume(r.Journal, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = e.Run(context.Background()); err != nil || r.Entries[0].Credential != w.execute().Credential {
		t.Errorf("%v: credited to %q", err, r.Entries[0].Credential)
	}
	var text, page strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "by "+w.Admin.Prefix()+" from the test") {
		t.Errorf("%v %s", err, &text)
	}
	if err := r.WriteMarkdown(&page); err != nil || !strings.Contains(page.String(), "; by ") {
		t.Errorf("%v %s", err, &page)
	}
}

// TestUnproved: a check with the key itself that could not be made is counted, and
// made when the journal is resumed.
func TestUnproved(t *testing.T) {
	w := newWorld(t)
	k := w.add(basetentest.KeySpec{})
	o := w.execute()
	o.Keys = map[string]secret.Secret{k.Prefix(): k}
	impatient := w.options(w.Admin)
	impatient.Retry.Attempts = 1
	probe, err := baseten.NewProbe(impatient, 0)
	if err != nil {
		t.Fatal(err)
	}
	o.Probe = probe
	r := w.begin(k, o, basetentest.Fault{Kind: basetentest.Unavailable, Service: basetentest.Inference})
	if r.Unproved() != 1 || r.Entries[0].State != Revoked {
		t.Errorf("%+v", r.Entries[0])
	}
	o.Probe = w.probe()
	e, err := Resume(r.Journal, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = e.Run(context.Background()); err != nil || r.Unproved() != 0 {
		t.Errorf("%v: %+v", err, r.Entries[0])
	}
}
