package revoke

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/secret"
)

// memory is a place in memory that goes wrong when it is told to. One that cannot be
// read is as a secret of GitHub Actions.
type memory struct {
	value secret.Secret
	blind bool
	fails string // the step that fails, once
}

func (m *memory) fail(step string) error {
	if m.fails != step {
		return nil
	}
	m.fails = ""
	return errors.New("the place is closed")
}

func (m *memory) Ready(context.Context) error { return m.fail("ready") }

func (m *memory) Deliver(_ context.Context, key secret.Secret) error {
	if err := m.fail("before delivery"); err != nil {
		return err
	}
	old := m.value
	m.value = key
	if err := m.fail("uncertain, taken"); err != nil {
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	if err := m.fail("uncertain, not taken"); err != nil {
		m.value = old
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	if m.fail("dropped") != nil && !m.blind {
		m.value = old
	}
	return nil
}

func (m *memory) Read(_ context.Context, prefix string) (key secret.Secret, ok, readable bool, err error) {
	if m.blind {
		return secret.Secret{}, false, false, nil
	}
	err = m.fail("reading")
	return m.value, m.value.Prefix() == prefix, true, err
}

func (m *memory) Restore(context.Context) (bool, error) { return false, nil }

// in puts a rotation into several places in memory, which hold the old key. Those that a
// letter b stands for cannot be read.
func (r *rotation) in(kinds string) (places []*memory, specs []SinkSpec) {
	r.more = nil
	for i, kind := range kinds {
		m := &memory{value: r.old, blind: kind == 'b'}
		places, r.more = append(places, m), append(r.more, m)
		specs = append(specs, SinkSpec{Kind: "memory", Name: fmt.Sprint("number-", i+1)})
	}
	return places, specs
}

// check checks what holds at any moment, and at the end.
func (r *rotation) check(t *testing.T, what string, places []*memory, end bool) {
	t.Helper()
	for i, m := range places {
		if !r.alive(m.value.Prefix()) {
			t.Errorf("%s: place %d holds a key that does not live", what, i+1)
		}
		if end && !m.value.Equal(places[0].value) {
			t.Errorf("%s: the places hold different keys", what)
		}
	}
	if alive := r.alive(r.old.Prefix()); alive == end {
		t.Errorf("%s: the old key lives: %v", what, alive)
	}
	if n := len(r.survey().Keys); end && n != 2 {
		t.Errorf("%s: %d keys, want the admin's and the successor", what, n)
	}
}

func TestSeveralPlaces(t *testing.T) {
	r := newRotation(t)
	places, specs := r.in("rbr")
	res, err := r.begin(RotateRequest{Sinks: specs}).Run(context.Background())
	if err != nil || res.State != "rotated" || len(res.Places) != 3 {
		t.Fatalf("%v %+v", err, res)
	}
	r.check(t, "rotated", places, true)
	data, err := os.ReadFile(res.Journal)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, step := range []string{"intend-create", "created", "intend-deliver", "delivered", "checked", "intend-revoke-old", "old-deleted", "old-absent", "end"} {
		steps = append(steps, fmt.Sprint(step, " ", strings.Count(string(data), `"step":"`+step+`"`)))
	}
	if got := strings.Join(steps, ", "); got != "intend-create 1, created 1, intend-deliver 3, delivered 3, checked 1, intend-revoke-old 1, old-deleted 1, old-absent 1, end 1" {
		t.Error(got)
	}
	hiddenIn(t, r.dir, append(r.keys, places[0].value)...)
}

// TestPlaceFails: at each place and each step. Some places may have the new key then: the
// old one lives, the result names what has it and what has not, and a later run finishes
// with the same successor wherever its key can be read, else with another.
func TestPlaceFails(t *testing.T) {
	for _, kinds := range []string{"r", "b", "rr", "rb", "bb", "rbr"} {
		for at := range kinds {
			for _, step := range []string{"before delivery", "uncertain, taken", "uncertain, not taken", "dropped", "reading"} {
				what := fmt.Sprintf("%s, place %d: %s", kinds, at+1, step)
				r := newRotation(t)
				places, specs := r.in(kinds)
				places[at].fails = step
				rot := r.begin(RotateRequest{Sinks: specs})
				res, err := rot.Run(context.Background())
				if kinds[at] == 'b' && (step == "dropped" || step == "reading") { // nobody can see it
					if err != nil || res.State != "rotated" {
						t.Errorf("%s: %v", what, err)
					}
					continue
				}
				if err == nil || res.OldGone || res.State == "rotated" || !strings.Contains(err.Error(), specs[at].Name) {
					t.Errorf("%s: %v %+v", what, err, res)
				}
				r.check(t, what, places, false)
				if res.State == "unchanged" {
					if len(r.survey().Keys) != 2 || len(kinds) > 1 {
						t.Errorf("%s: %+v", what, res)
					}
					rot = r.begin(RotateRequest{Sinks: specs})
				} else {
					for i, p := range res.Places {
						if (p.State == "delivered") != (i != at) {
							t.Errorf("%s: place %d: %s", what, i+1, p.State)
						}
					}
					if rot, err = ResumeRotation(res.Journal, r.o); err != nil {
						t.Fatal(err)
					}
				}
				first := res.New
				if res, err = rot.Run(context.Background()); err != nil || res.State != "rotated" {
					t.Errorf("%s: again: %v %+v", what, err, res)
				}
				if same := res.New == first; strings.Contains(kinds, "rr") && !same {
					t.Errorf("%s: another successor was made, and the key could be read", what)
				}
				r.check(t, what+", at the end", places, true)
				r.Server.Close()
			}
		}
	}
}

// TestNotEveryPlaceReady: nothing is made, and the error names each place that is not.
func TestNotEveryPlaceReady(t *testing.T) {
	r := newRotation(t)
	places, specs := r.in("rrr")
	places[0].fails, places[2].fails = "ready", "ready"
	p, err := r.plan(RotateRequest{Sinks: specs})
	if err != nil {
		t.Fatal(err)
	}
	r.o.Sinks = r.more
	_, err = BeginRotation(context.Background(), r.dir, p, r.o)
	if err == nil || !strings.Contains(err.Error(), "number-1") || !strings.Contains(err.Error(), "number-3") || strings.Contains(err.Error(), "number-2") {
		t.Error(err)
	}
	if len(journals(t, r.dir)) != 0 || len(r.survey().Keys) != 2 {
		t.Error("something was made")
	}
}

// TestPlaceTakenOver: what someone else put into a place between two runs stays there.
func TestPlaceTakenOver(t *testing.T) {
	r := newRotation(t)
	first, err := EnvFile(r.target, "KEY")
	if err != nil {
		t.Fatal(err)
	}
	second := &memory{value: r.old, fails: "before delivery"}
	r.more = []Sink{second, first}
	specs := []SinkSpec{{Kind: "memory", Name: "one"}, {Kind: "dotenv", Path: r.target, Name: "KEY"}}
	res, err := r.begin(RotateRequest{Sinks: specs}).Run(context.Background())
	if err == nil || res.State != "unfinished" {
		t.Fatalf("%v %+v", err, res)
	}
	text := "KEY=something-else\n"
	if err := os.WriteFile(r.target, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rot, err := ResumeRotation(res.Journal, r.o)
	if err != nil {
		t.Fatal(err)
	}
	res, err = rot.Run(context.Background())
	if !errors.Is(err, ErrOtherValue) || res.OldGone {
		t.Errorf("%v %+v", err, res)
	}
	if data, _ := os.ReadFile(r.target); string(data) != text {
		t.Error("it was overwritten")
	}
}

// lost is a sink whose delivery is cut off before it does anything, once.
type lost struct {
	Sink
	cut bool
}

func (l *lost) Deliver(ctx context.Context, key secret.Secret) error {
	if !l.cut {
		l.cut = true
		return ErrUncertain
	}
	return l.Sink.Deliver(ctx, key)
}

// TestTwoPlacesOfOneFile: that the one has the new key says nothing of the other.
func TestTwoPlacesOfOneFile(t *testing.T) {
	r := newRotation(t)
	trussrc := filepath.Join(t.TempDir(), ".trussrc")
	both := func(format string) string { return strings.ReplaceAll(format, "@", r.old.Reveal()) }
	for path, text := range map[string]string{trussrc: "[a]\napi_key = @\n[b]\napi_key = @\n", r.target: "KEY=@\nOTHER='@' # mine\n"} {
		if err := os.WriteFile(path, []byte(both(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	specs := []SinkSpec{{Kind: KindTrussrc, Path: trussrc, Name: "a"}, {Kind: KindTrussrc, Path: trussrc, Name: "b"},
		{Kind: KindDotenv, Path: r.target, Name: "KEY"}, {Kind: KindDotenv, Path: r.target, Name: "OTHER"}}
	for _, s := range specs {
		if s.Kind == KindTrussrc {
			r.more = append(r.more, Trussrc(s.Path, s.Name))
			continue
		}
		f, err := EnvFile(s.Path, s.Name)
		if err != nil {
			t.Fatal(err)
		}
		r.more = append(r.more, f)
	}
	r.more[1], r.more[3] = &lost{Sink: r.more[1]}, &lost{Sink: r.more[3]}
	res, err := r.begin(RotateRequest{Sinks: specs}).Run(context.Background())
	if err == nil || res.State != "unfinished" || res.Places[0].State != "delivered" || res.Places[1].State != "unknown" {
		t.Fatalf("%v %+v", err, res)
	}
	rot, err := ResumeRotation(res.Journal, r.o)
	if err != nil {
		t.Fatal(err)
	}
	if res, err = rot.Run(context.Background()); err != nil || res.State != "rotated" {
		t.Fatalf("%v %+v", err, res)
	}
	for _, path := range []string{trussrc, r.target} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), r.old.Prefix()) || strings.Count(string(data), res.New+".") != 2 {
			t.Errorf("%s holds the old key", path)
		}
	}
}
