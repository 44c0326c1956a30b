package revoke

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// rotation is one that a test carries out.
type rotation struct {
	*world
	old    secret.Secret
	target string
	sink   Sink
	more   []Sink // several, in the place of sink
	o      RotateOptions
}

func newRotation(t *testing.T) *rotation {
	t.Helper()
	w := newWorld(t)
	r := &rotation{world: w, target: filepath.Join(t.TempDir(), ".env")}
	r.old = w.add(basetentest.KeySpec{Name: "app", Type: "WORKSPACE_INVOKE", ModelIDs: []string{w.Org.AddModel("demo")}})
	text := "# mine\nexport KEY=\"" + r.old.Reveal() + "\" # the key\nOTHER=1\n"
	if err := os.WriteFile(r.target, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	f, err := EnvFile(r.target, "KEY")
	if err != nil {
		t.Fatal(err)
	}
	r.sink = f
	r.o = RotateOptions{Client: w.Client, Self: w.Admin.Prefix(), NewProbe: func() (*baseten.Probe, error) { return w.probe(), nil }, Clock: w.Clock.Clock()}
	return r
}

func (r *rotation) plan(q RotateRequest) (*RotationPlan, error) {
	q.Prefix = r.old.Prefix()
	return PlanRotation(context.Background(), r.Client, r.survey(), q)
}

// begin begins a rotation that must be possible.
func (r *rotation) begin(q RotateRequest) *Rotation {
	r.t.Helper()
	p, err := r.plan(q)
	if err != nil {
		r.t.Fatal(err)
	}
	if p.Sinks == nil {
		p.Sinks = []SinkSpec{{Kind: "dotenv", Path: r.target, Name: "KEY"}}
	}
	r.o.Sinks = []Sink{r.sink}
	if r.more != nil {
		r.o.Sinks = r.more
	}
	rot, err := BeginRotation(context.Background(), r.dir, p, r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	return rot
}

// delivered returns the key in the target.
func (r *rotation) delivered() secret.Secret {
	r.t.Helper()
	data, err := os.ReadFile(r.target)
	if err != nil {
		r.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), `KEY="`)
	key, _, _ := strings.Cut(rest, `"`)
	return secret.New(key)
}

func TestRotation(t *testing.T) {
	r := newRotation(t)
	var notes []string
	r.o.Note = func(s string) { notes = append(notes, s) }
	res, err := r.begin(RotateRequest{Grace: time.Hour}).Run(context.Background())
	if err != nil || res.State != "rotated" || !res.Checked || !res.OldGone || res.Resume != "" {
		t.Fatalf("%v %+v", err, res)
	}
	key := r.delivered()
	data, _ := os.ReadFile(r.target)
	want := "# mine\nexport KEY=\"" + key.Reveal() + "\" # the key\nOTHER=1\n"
	if string(data) != want || key.Prefix() != res.New {
		t.Error("the file is not what it was but for the key")
	}
	if info, _ := os.Stat(r.target); filepath.Separator == '/' && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %s", info.Mode())
	}
	if r.alive(r.old.Prefix()) || !r.alive(key.Prefix()) {
		t.Error("the old key lives, or the new one does not")
	}
	if r.slept() < time.Hour {
		t.Errorf("the grace was %s", r.slept())
	}
	for _, k := range r.survey().Keys {
		if k.Prefix == key.Prefix() && (k.Type != baseten.WorkspaceInvoke || len(k.ModelIDs) != 1 || k.TeamName != "default" || !strings.HasPrefix(k.Name, "app-r2026")) {
			t.Errorf("the successor is %+v", k)
		}
	}
	var text, data2 bytes.Buffer
	if err := errors.Join(res.WriteText(&text), res.WriteJSON(&data2)); err != nil {
		t.Fatal(err)
	}
	hidden(t, "the result", text.String()+data2.String()+strings.Join(notes, "\n"), append(r.keys, key)...)
	hiddenIn(t, r.dir, append(r.keys, key)...)
}

func TestRotationRefused(t *testing.T) {
	w := newWorld(t)
	dev := w.Org.AddUser("dev@example.com", "Dev", false)
	model := w.Org.AddModel("demo")
	scoped := w.add(basetentest.KeySpec{Type: "WORKSPACE_INVOKE", EnvScoped: true})
	theirs := w.add(basetentest.KeySpec{Type: "PERSONAL", Owner: dev})
	routes := w.add(basetentest.KeySpec{Type: "ROUTES"})
	gateway := w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
	untold := w.Org.AddKey(basetentest.KeySpec{Type: "WORKSPACE_INVOKE", Created: basetentest.Noon})
	narrow := w.add(basetentest.KeySpec{Type: "WORKSPACE_INVOKE", ModelIDs: []string{model}})
	all := w.add(basetentest.KeySpec{Type: "WORKSPACE_MANAGE_ALL"})
	gone := w.add(basetentest.KeySpec{})
	if err := w.Org.DeleteKey(gone.Prefix(), "admin@example.com", basetentest.Noon); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r      RotateRequest
		reason string // empty: not refused
	}{
		{RotateRequest{Prefix: scoped.Prefix()}, "restricted to environments"},
		{RotateRequest{Prefix: scoped.Prefix(), AssumeUnscoped: true}, "restricted to environments"},
		{RotateRequest{Prefix: theirs.Prefix()}, "dev@example.com"},
		{RotateRequest{Prefix: routes.Prefix()}, "ROUTES"},
		{RotateRequest{Prefix: gateway.Prefix()}, "gateway"},
		{RotateRequest{Prefix: gone.Prefix()}, "revoked already"},
		{RotateRequest{Prefix: "b10_NOTTHERE"}, "not in the inventory"},
		{RotateRequest{Prefix: untold.Prefix()}, "audit log does not say"},
		{RotateRequest{Prefix: untold.Prefix(), AssumeUnscoped: true}, ""},
		{RotateRequest{Prefix: narrow.Prefix(), Downgrade: baseten.WorkspaceManageAll}, "not surely narrower"},
		{RotateRequest{Prefix: narrow.Prefix(), Downgrade: baseten.WorkspaceExportMetrics}, "not surely narrower"},
		{RotateRequest{Prefix: narrow.Prefix(), ModelIDs: []string{model, "other"}}, "may not call model other"},
		{RotateRequest{Prefix: all.Prefix(), ModelIDs: []string{model}}, "cannot be restricted to models"},
		{RotateRequest{Prefix: all.Prefix(), Downgrade: baseten.Personal}, "not surely narrower"},
		{RotateRequest{Prefix: all.Prefix(), Downgrade: baseten.WorkspaceInvoke, ModelIDs: []string{model}}, ""},
		{RotateRequest{Prefix: w.Admin.Prefix()}, ""},
	} {
		p, err := PlanRotation(context.Background(), w.Client, w.survey(), c.r)
		var refused *RefusedError
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%+v: %v", c.r, err)
		case c.reason != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Reason, c.reason) || refused.Hint == ""):
			t.Errorf("%+v: %v, want %q", c.r, err, c.reason)
		case c.r.Downgrade == baseten.WorkspaceInvoke && c.reason == "" && (p.Type != baseten.WorkspaceInvoke || len(p.ModelIDs) != 1):
			t.Errorf("%+v: %+v", c.r, p)
		}
	}
	if n := len(w.survey().Keys); n != 7 {
		t.Errorf("%d keys: something was made or revoked", n)
	}
}

// badSink is one that goes wrong.
type badSink struct {
	Sink
	before, after error
	wrong         bool // delivers something else
}

func (s *badSink) Deliver(ctx context.Context, key secret.Secret) error {
	if s.before != nil {
		return s.before
	}
	if s.wrong {
		key = secret.New("b10_wrong." + strings.Repeat("w", 32))
	}
	return errors.Join(s.Sink.Deliver(ctx, key), s.after)
}

// TestFailedDelivery: the old key lives, the new one is deleted, and the place is
// as it was; the key can be rotated anew.
func TestFailedDelivery(t *testing.T) {
	failure := errors.New("the place is closed")
	for name, bad := range map[string]*badSink{"before": {before: failure}, "after": {after: failure}, "another key": {wrong: true}} {
		r := newRotation(t)
		good := r.sink
		bad.Sink, r.sink = good, bad
		res, err := r.begin(RotateRequest{}).Run(context.Background())
		if err == nil || res.State != "unchanged" || res.Resume != "" || res.OldGone {
			t.Errorf("%s: %v %+v", name, err, res)
		}
		if !r.alive(r.old.Prefix()) || !r.delivered().Equal(r.old) || len(r.survey().Keys) != 2 {
			t.Errorf("%s: something is left of it", name)
		}
		f, err := EnvFile(r.target, "KEY")
		if err != nil {
			t.Fatal(err)
		}
		r.sink = f
		if res, err := r.begin(RotateRequest{}).Run(context.Background()); err != nil || res.State != "rotated" {
			t.Errorf("%s: again: %v %+v", name, err, res)
		}
		if r.alive(r.old.Prefix()) || !r.alive(r.delivered().Prefix()) || len(r.survey().Keys) != 2 {
			t.Errorf("%s: again: not the end that it should have", name)
		}
	}
}

// TestFaultsOfRotating: whatever goes wrong at whatever request, the target holds
// a key that lives, and a later run comes to the same end.
func TestFaultsOfRotating(t *testing.T) {
	eachFault(t, 16, func(t *testing.T, x basetentest.Fault) {
		r := newRotation(t)
		r.world.t = t
		defer r.Server.Close()
		r.o.Client = r.impatient()
		o := r.options(r.Admin)
		o.Timeout, o.Retry.Attempts = 60*time.Millisecond, 1
		r.o.NewProbe = func() (*baseten.Probe, error) { return baseten.NewProbe(o, 0) }
		beside, specs := r.in("r")
		r.more, specs = append(r.more, r.sink), append(specs, SinkSpec{Kind: "dotenv", Path: r.target, Name: "KEY"})
		rot := r.begin(RotateRequest{Sinks: specs})
		r.Server.Inject(x)
		res, err := rot.Run(context.Background())
		if (err == nil) != (res.State == "rotated") {
			t.Errorf("%+v: %v %+v", x, err, res)
		}
		r.Server.Heal()
		if !r.alive(r.delivered().Prefix()) || !r.alive(beside[0].value.Prefix()) {
			t.Errorf("%+v: the delivered key does not live", x)
		}
		for n := 0; res.State != "rotated" && n < 3; n++ {
			if res.State == "unchanged" {
				rot = r.begin(RotateRequest{Sinks: specs})
			} else if rot, err = ResumeRotation(res.Journal, r.o); err != nil {
				t.Fatal(err)
			}
			res, err = rot.Run(context.Background())
		}
		if err != nil || r.alive(r.old.Prefix()) || !r.alive(r.delivered().Prefix()) || !r.delivered().Equal(beside[0].value) || len(r.survey().Keys) != 2 {
			t.Errorf("%+v: at the end: %v %+v, %d keys", x, err, res, len(r.survey().Keys))
		}
		hiddenIn(t, r.dir, append(r.keys, r.delivered())...)
	})
}

// TestOneRotationAtATime: a key has one rotation at a time, running or not.
func TestOneRotationAtATime(t *testing.T) {
	r := newRotation(t)
	rot := r.begin(RotateRequest{})
	p, err := r.plan(RotateRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var unfinished *UnfinishedError
	p.Sinks = []SinkSpec{{Kind: "dotenv"}}
	if _, err := BeginRotation(context.Background(), r.dir, p, r.o); !errors.As(err, &unfinished) || unfinished.Path != rot.Journal() {
		t.Errorf("a second: %v", err)
	}
	if _, err := ResumeRotation(rot.Journal(), r.o); !errors.Is(err, ErrBusy) {
		t.Errorf("resumed while it runs: %v", err)
	}
	if res, err := rot.Run(context.Background()); err != nil || res.State != "rotated" {
		t.Error(err)
	}
}

// TestGraceAfterRestart: a later run waits for what is left of the grace, and for
// all of it when the clock went back.
func TestGraceAfterRestart(t *testing.T) {
	for _, c := range []struct {
		passed, left time.Duration
	}{{20 * time.Minute, 40 * time.Minute}, {-time.Hour, time.Hour}, {2 * time.Hour, 0}} {
		r := newRotation(t)
		ctx, cancel := context.WithCancel(context.Background())
		r.o.Note = func(text string) {
			if strings.Contains(text, "lives for another") {
				cancel()
			}
		}
		res, err := r.begin(RotateRequest{Grace: time.Hour}).Run(ctx)
		if !errors.Is(err, context.Canceled) || res.OldGone || res.Resume == "" {
			t.Fatalf("%v %+v", err, res)
		}
		r.Clock.Set(c.passed-time.Hour, 0) // the wait that was cut short moved the clock
		r.o.Note = nil
		rot, err := ResumeRotation(res.Journal, r.o)
		if err != nil {
			t.Fatal(err)
		}
		if res, err = rot.Run(context.Background()); err != nil || !res.OldGone {
			t.Errorf("%v %+v", err, res)
		}
		if d := r.slept() - c.left; d < -time.Minute || d > time.Minute {
			t.Errorf("after %s: waited %s, want %s", c.passed, r.slept(), c.left)
		}
	}
}
