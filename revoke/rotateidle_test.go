package revoke

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// watched is a rotation until the key is idle for two hours, whose progress goes to on.
func watched(t *testing.T, on func(r *rotation, looks int)) *rotation {
	t.Helper()
	r := newRotation(t)
	looks := 0
	r.o.Progress = func(string) { looks++; on(r, looks) }
	return r
}

// ago says how long before now, by the clock of the test, a use was.
func (r *rotation) use(ago time.Duration) { r.Org.Touch(r.old.Prefix(), r.Clock.Now().Add(-ago)) }

// TestUntilIdle: the old key is revoked when its use has been still for two hours, by
// whatever source shows the use, and not before.
func TestUntilIdle(t *testing.T) {
	for name, c := range map[string]struct {
		use      func(r *rotation, looks int)
		at, most time.Duration // when it is revoked
		says     string
	}{
		"never used": {func(*rotation, int) {}, 2 * time.Hour, 2*time.Hour + 10*time.Minute, "never used"},
		"used an hour long": {func(r *rotation, looks int) {
			if looks <= 12 {
				r.use(0)
			}
		}, 3 * time.Hour, 3*time.Hour + 15*time.Minute, "last used"},
		"model calls that the list does not show": {func(r *rotation, looks int) {
			if looks == 1 {
				r.Org.AddUsage(r.old.Prefix(), "org/large", r.Clock.Now(), 7)
				r.Org.Untouch(r.old.Prefix())
			}
		}, 3 * time.Hour, 3*time.Hour + 15*time.Minute, "in the last day: calls of org/large (7)"},
		"an act in the audit log": {func(r *rotation, looks int) {
			if looks == 12 {
				r.Org.AddDeployment(r.Clock.Now(), "", r.old.Prefix(), "API", "truss")
			}
		}, 3 * time.Hour, 3*time.Hour + 15*time.Minute, "model deployed through truss (1)"},
		"a clock that is three hours ahead": {func(r *rotation, looks int) {
			if looks <= 12 {
				r.use(3*time.Hour - time.Duration(looks))
			}
		}, 3 * time.Hour, 3*time.Hour + 15*time.Minute, "last used"},
		"looks that fail": {func(r *rotation, looks int) {
			if looks == 20 { // until the 50th
				r.Server.Inject(basetentest.Fault{Kind: basetentest.Forbidden, Path: "/v1/api_keys", Method: "GET", Times: 30})
			}
		}, 4*time.Hour + 5*time.Minute, 5 * time.Hour, "its use could not be seen"},
	} {
		r := watched(t, c.use)
		var said []string
		r.o.Note = func(text string) { said = append(said, text) }
		progress := r.o.Progress
		r.o.Progress = func(text string) { said = append(said, text); progress(text) }
		rot := r.begin(RotateRequest{UntilIdle: 2 * time.Hour})
		start := r.Clock.Now()
		res, err := rot.Run(context.Background())
		took := r.Clock.Now().Sub(start)
		if err != nil || res.State != "rotated" || took < c.at || took > c.most {
			t.Errorf("%s: after %s: %v %+v", name, took, err, res)
		}
		if !strings.Contains(strings.Join(said, "\n"), c.says) {
			t.Errorf("%s: said %q", name, said)
		}
		r.Server.Close()
	}
}

// TestUntilIdleResumed: a later run takes the quiet of an earlier one over, unless the key
// was used in between.
func TestUntilIdleResumed(t *testing.T) {
	for _, c := range []struct {
		used bool
		left time.Duration
	}{{false, time.Hour}, {true, 2 * time.Hour}} {
		ctx, cancel := context.WithCancel(context.Background())
		r := watched(t, func(_ *rotation, looks int) {
			if looks == 12 {
				cancel()
			}
		})
		res, err := r.begin(RotateRequest{UntilIdle: 2 * time.Hour}).Run(ctx)
		if !errors.Is(err, context.Canceled) || res.State != "unfinished" || !r.alive(r.old.Prefix()) {
			t.Fatalf("%v %+v", err, res)
		}
		if c.used {
			r.use(time.Minute)
		}
		r.o.Progress = nil
		rot, err := ResumeRotation(res.Journal, r.o)
		if err != nil {
			t.Fatal(err)
		}
		start := r.Clock.Now()
		res, err = rot.Run(context.Background())
		took := r.Clock.Now().Sub(start)
		if err != nil || res.State != "rotated" || took < c.left-10*time.Minute || took > c.left+10*time.Minute {
			t.Errorf("used %v: after %s: %v %+v", c.used, took, err, res)
		}
	}
}

// TestUnwatchable: what nothing shows cannot be waited for.
func TestUnwatchable(t *testing.T) {
	r := newRotation(t)
	r.use(time.Minute)
	if _, err := r.plan(RotateRequest{}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("in use: %v", err)
	}
	if _, err := r.plan(RotateRequest{UntilIdle: time.Hour}); err != nil {
		t.Errorf("in use, and watched: %v", err)
	}
	var refused *RefusedError
	if _, err := PlanRotation(context.Background(), r.Client, r.survey(), RotateRequest{Prefix: r.Admin.Prefix(), UntilIdle: time.Hour}); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "watching it is a use") {
		t.Errorf("itself: %v", err)
	}
	r.Org.OldAPI = true
	if _, err := r.plan(RotateRequest{UntilIdle: time.Hour}); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "does not say when") {
		t.Errorf("without dates: %v", err)
	}
}
