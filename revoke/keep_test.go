package revoke

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
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
