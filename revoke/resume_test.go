package revoke

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// TestResumeElsewhere: to another organisation's credential, or at another
// endpoint, every key looks gone. None of that is taken for a success.
func TestResumeElsewhere(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	k := w.add(basetentest.KeySpec{})
	w.Server.Inject(basetentest.Fault{Kind: basetentest.Firewall, Method: "DELETE"})
	e, err := Begin(w.dir, w.plan(Request{Wanted: wanted(k)}), w.execute())
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Run(context.Background())
	if err != nil || r.Open() != 1 {
		t.Fatalf("%v %+v", err, r)
	}
	w.Server.Heal()
	if _, err := Resume(r.Journal, other.execute(), nil); err == nil || !strings.Contains(err.Error(), "it is for ") {
		t.Errorf("another endpoint: %v", err)
	}
	second := w.add(basetentest.KeySpec{Type: "PERSONAL", Owner: w.Me})
	o := w.execute()
	o.Self, o.Client = second.Prefix(), w.as(second)
	if _, err := Resume(r.Journal, o, nil); !errors.Is(err, ErrOtherCredential) {
		t.Errorf("another credential: %v", err)
	}
	blind := *w.survey()
	blind.Self, blind.Keys, blind.History = second.Prefix(), nil, nil
	if _, err := Resume(r.Journal, o, &blind); err == nil || !strings.Contains(err.Error(), "not seen by this credential") {
		t.Errorf("one that does not see the key: %v", err)
	}
	if !w.alive(k.Prefix()) {
		t.Error("the key was revoked")
	}
	survey, err := TakeSurvey(context.Background(), o.Client, o.Self)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = Resume(r.Journal, o, survey); err != nil {
		t.Fatal(err)
	}
	if r, err = e.Run(context.Background()); err != nil || r.Open() != 0 || w.alive(k.Prefix()) {
		t.Errorf("one that sees it: %v %+v", err, r)
	}
}

// TestRotationElsewhere is the same for rotations: nothing is made elsewhere.
func TestRotationElsewhere(t *testing.T) {
	r := newRotation(t)
	r.Server.Inject(basetentest.Fault{Kind: basetentest.Firewall, Path: "/v1/api_keys", Method: "GET", Skip: 1})
	rot := r.begin(RotateRequest{})
	res, err := rot.Run(context.Background())
	if err == nil || res.State != "unfinished" {
		t.Fatalf("%v %+v", err, res)
	}
	r.Server.Heal()
	other := newWorld(t)
	for name, c := range map[string]struct{ o RotateOptions }{
		"another endpoint":   {RotateOptions{Client: other.Client, Self: other.Admin.Prefix(), Clock: other.Clock.Clock(), Sinks: []Sink{r.sink}}},
		"another credential": {RotateOptions{Client: r.as(r.add(basetentest.KeySpec{Type: "PERSONAL", Owner: "u_nobody"})), Self: "b10_nobodyno", Clock: r.Clock.Clock(), Sinks: []Sink{r.sink}}},
	} {
		rot, err := ResumeRotation(res.Journal, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if name == "another credential" {
			rot.plan.Old.Prefix, rot.next = "b10_notseen1", "b10_notseen2" // the fake shows workspace keys to everybody
		}
		if _, err := rot.Run(context.Background()); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if n := len(other.survey().Keys); n != 1 {
		t.Errorf("%d keys in the other organisation", n)
	}
	if rot, err = ResumeRotation(res.Journal, r.o); err != nil {
		t.Fatal(err)
	}
	if res, err = rot.Run(context.Background()); err != nil || res.State != "rotated" {
		t.Errorf("where it was begun: %v %+v", err, res)
	}
}

// TestRotateEveryType: every type that can be rotated is, with its scope.
func TestRotateEveryType(t *testing.T) {
	for _, kind := range []string{"PERSONAL", "WORKSPACE_MANAGE_ALL", "WORKSPACE_MANAGE_API_KEYS", "WORKSPACE_INVOKE", "WORKSPACE_EXPORT_METRICS"} {
		r := newRotation(t)
		team := r.Org.AddTeam("research")
		spec := basetentest.KeySpec{Name: "Old Key", Type: kind}
		if kind == "PERSONAL" {
			spec.Owner = r.Me
		} else {
			spec.Team = "research"
		}
		r.old = r.add(spec)
		if err := os.WriteFile(r.target, []byte("KEY=\""+r.old.Reveal()+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := r.survey().items()[r.old.Prefix()][0]
		res, err := r.begin(RotateRequest{}).Run(context.Background())
		if err != nil || res.State != "rotated" {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		after := r.survey().items()[res.New][0]
		if after.Type != kind || after.OwnerID != before.OwnerID || !strings.HasPrefix(after.Name, "old-key-r") {
			t.Errorf("%s: the successor is %+v", kind, after.Facts)
		}
		if kind != "PERSONAL" && kind != "WORKSPACE_MANAGE_API_KEYS" && after.Team != "research" {
			t.Errorf("%s: in team %s, not %s", kind, after.Team, team)
		}
	}
}

// TestNamesDoNotGrow: rotating again replaces the end of the name.
func TestNamesDoNotGrow(t *testing.T) {
	p := &RotationPlan{Base: baseName("CI deploy!")}
	first := p.newName(basetentest.Noon)
	p.Base = baseName(first)
	if second := p.newName(basetentest.Noon); len(second) != len(first) || second == first || !strings.HasPrefix(second, "ci-deploy-r20261121-") {
		t.Errorf("%s, then %s", first, second)
	}
	if name := baseName(strings.Repeat("long-", 30)); len(name) > 40 {
		t.Errorf("%s", name)
	}
}
