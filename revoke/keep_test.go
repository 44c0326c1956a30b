package revoke

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// TestStreamKeepsOld: into a stream a rotation delivers and checks, and does not revoke;
// its journal is over, and says so when it is resumed.
func TestStreamKeepsOld(t *testing.T) {
	r := newRotation(t)
	var out bytes.Buffer
	r.sink = &Output{W: &out}
	res, err := r.begin(RotateRequest{Sinks: []SinkSpec{SinkSpec{Kind: "stdout"}}}).Run(context.Background())
	if err != nil || res.State != "delivered" || res.Next != "b10lint revoke "+r.old.Prefix() || !res.Checked || res.OldGone {
		t.Errorf("%v %+v", err, res)
	}
	if !r.alive(r.old.Prefix()) || !r.alive(res.New) || !bytes.HasPrefix(out.Bytes(), []byte(res.New+".")) {
		t.Error("both keys have to live, and the new one has to be in the stream")
	}
	rot, err := ResumeRotation(res.Journal, r.o)
	if err != nil {
		t.Fatal(err)
	}
	if res, err = rot.Run(context.Background()); err != nil || res.State != "delivered" || !r.alive(r.old.Prefix()) {
		t.Errorf("resumed: %v %+v", err, res)
	}
}

// TestClosedPipe: a stream that nobody reads is a failed delivery.
func TestClosedPipe(t *testing.T) {
	r := newRotation(t)
	r.sink = &Output{W: closed{}}
	res, err := r.begin(RotateRequest{Sinks: []SinkSpec{SinkSpec{Kind: "stdout"}}}).Run(context.Background())
	if !errors.Is(err, syscall.EPIPE) || res.State != "unchanged" || len(r.survey().Keys) != 2 {
		t.Errorf("%v %+v", err, res)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// TestOtherValue: a place that holds another value than the old key keeps it.
func TestOtherValue(t *testing.T) {
	r := newRotation(t)
	other := r.add(basetentest.KeySpec{Name: "other"})
	text := "KEY=" + other.Reveal() + "\n"
	if err := os.WriteFile(r.target, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := r.plan(RotateRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r.o.Sinks, p.Sinks = []Sink{r.sink}, []SinkSpec{{Kind: "dotenv"}}
	if _, err := BeginRotation(context.Background(), r.dir, p, r.o); !errors.Is(err, ErrOtherValue) {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(r.target); string(data) != text {
		t.Error("the other key is lost")
	}
	res, err := r.begin(RotateRequest{Overwrite: true}).Run(context.Background())
	if err != nil || res.State != "rotated" {
		t.Errorf("--overwrite: %v %+v", err, res)
	}
}

// TestRotateInUse: a key that was used within a day is not taken without being told to.
func TestRotateInUse(t *testing.T) {
	r := newRotation(t)
	r.Org.Touch(r.old.Prefix(), basetentest.Noon.Add(-time.Hour))
	if _, err := r.plan(RotateRequest{}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("%v", err)
	}
	if p, err := r.plan(RotateRequest{ForceActive: true}); err != nil || len(p.Warnings) != 1 || p.LastUsed != "1 h ago" {
		t.Errorf("%v %+v", err, p)
	}
}

// TestResumeDeletesOldAgain: as for revocations, a delete that had no effect is sent again.
func TestResumeDeletesOldAgain(t *testing.T) {
	r := newRotation(t)
	rot := r.begin(RotateRequest{})
	r.Server.Inject(basetentest.Fault{Kind: basetentest.NotFound, Method: "DELETE"})
	res, err := rot.Run(context.Background())
	if err == nil || res.State != "unfinished" || !res.OldSent || !r.alive(r.old.Prefix()) {
		t.Fatalf("%v %+v", err, res)
	}
	if rot, err = ResumeRotation(res.Journal, r.o); err != nil {
		t.Fatal(err)
	}
	if res, err = rot.Run(context.Background()); err != nil || res.State != "rotated" || r.alive(r.old.Prefix()) {
		t.Errorf("%v %+v", err, res)
	}
}

// TestUsedSinceTheAudit: a key that an audit called unused is kept back if it was used since.
func TestUsedSinceTheAudit(t *testing.T) {
	w := newWorld(t)
	used := basetentest.Noon.AddDate(0, 0, -3)
	k := w.add(basetentest.KeySpec{Created: basetentest.Noon.AddDate(0, -1, 0), LastUsed: &used})
	for days, planned := range map[int]int{-2: 1, -4: 0} {
		at := basetentest.Noon.AddDate(0, 0, days)
		p := w.plan(Request{Wanted: []Wanted{{Prefix: k.Prefix(), Proof: ByUse, UnusedAt: &at}}})
		if len(p.Items) != planned || len(p.Refused) != 1-planned || planned == 1 && (!p.Items[0].Unused || !strings.HasPrefix(p.Items[0].Why[0], "unused, by the audit of 2026-11-19")) {
			t.Errorf("an audit %d days ago: %+v", days, p)
		}
	}
}

// TestChildren: a proved or named key brings the keys that it created, and those that they
// created; one of a public prefix alone, or that is unused, brings none; guards hold.
func TestChildren(t *testing.T) {
	w := newWorld(t)
	maker := w.add(basetentest.KeySpec{Name: "maker"})
	client, made := w.as(maker), []secret.Secret{}
	for range 2 {
		child, err := client.CreateKey(context.Background(), baseten.NewKey{Type: baseten.WorkspaceManageAll})
		if err != nil {
			t.Fatal(err)
		}
		made, client = append(made, child), w.as(child)
	}
	w.Clock.Set(48*time.Hour, 0) // the maker and the first child were used to create
	for _, c := range []struct {
		proof Proof
		want  int
	}{{ByProbe, 3}, {ByName, 3}, {ByPrefix, 1}} {
		p := w.plan(Request{Wanted: []Wanted{{Prefix: maker.Prefix(), Proof: c.proof}}, Children: true})
		if len(p.Items) != c.want || len(p.Items) == 3 && (len(p.Items[0].Made)+len(p.Items[1].Made)+len(p.Items[2].Made) != 0 || p.Digest != digest(p.Items)) {
			t.Errorf("%s: %+v", c.proof, p)
		}
	}
	w.Org.Touch(made[1].Prefix(), w.Clock.Now().Add(-time.Hour))
	p := w.plan(Request{Wanted: wanted(maker), Children: true})
	if len(p.Items) != 2 || len(p.Refused) != 1 || p.Refused[0].What != made[1].Prefix() {
		t.Errorf("a child in use: %+v", p)
	}
	if _, err := NewPlan(w.survey(), Request{Wanted: wanted(maker), Children: true, ForceActive: true, Max: 2}); !errors.Is(err, ErrTooMany) {
		t.Errorf("more than allowed: %v", err)
	}
}
