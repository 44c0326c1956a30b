//go:build unix

package revoke

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
	"github.com/b10lint/b10lint/secret"
)

// run runs a child and reports whether it was killed.
func (j job) run(t *testing.T) (killed bool) {
	t.Helper()
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	p := exec.Command(os.Args[0])
	p.Env = append(os.Environ(), envChild+"="+string(data))
	out, err := p.CombinedOutput()
	if state, ok := p.ProcessState.Sys().(syscall.WaitStatus); ok && state.Signaled() && state.Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Fatalf("killed at %d: %v\n%s", j.KillAt, err, out)
	}
	return false
}

// newJob returns a job for a world's admin.
func (w *world) newJob(kind string) job {
	keyFile := filepath.Join(w.t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(w.Admin.Reveal()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return job{Kind: kind, URL: w.Server.URL, Inference: w.Server.InferenceURL, KeyFile: keyFile, Dir: w.dir}
}

// every returns how many points a test passes over: all are killed at, unless
// the run is to be short.
func every() int {
	if testing.Short() {
		return 7
	}
	return 1
}

// TestKilledRevocation kills a revocation after every journal write, in the
// middle of it, and before and after every API call; resumes; kills that, too;
// and finds the same end each time.
func TestKilledRevocation(t *testing.T) {
	points := 0
	for at := 1; ; at += every() {
		w := newWorld(t)
		a, b := w.add(basetentest.KeySpec{Name: "a"}), w.add(basetentest.KeySpec{Name: "b"})
		innocent := w.add(basetentest.KeySpec{Name: "innocent"})
		g := w.Org.AddGatewayKey(w.Org.AddGroup("Acme", ""), "acme")
		backup := w.add(basetentest.KeySpec{Name: "second-admin", Type: "PERSONAL", Owner: w.Me})
		j := w.newJob("revoke")
		j.Plan, j.KillAt = filepath.Join(t.TempDir(), "plan.json"), at
		if err := w.plan(Request{Wanted: wanted(a, b, g, w.Admin), IncludeSelf: true}).Save(j.Plan); err != nil {
			t.Fatal(err)
		}
		killed := j.run(t)
		if killed {
			points++
			j.KillAt = at*5%23 + 1
			if j.run(t) {
				j.KillAt = 0
				j.run(t)
			}
		}
		w.Client = w.as(backup)
		s := w.survey()
		for _, k := range s.Keys {
			if k.Prefix != innocent.Prefix() && k.Prefix != backup.Prefix() {
				t.Errorf("killed at %d: %s lives", at, k.Prefix)
			}
		}
		if len(s.Keys) != 2 || len(s.Gateway) != 0 {
			t.Errorf("killed at %d: %d keys and %d gateway keys are left", at, len(s.Keys), len(s.Gateway))
		}
		hiddenIn(t, w.dir, append(w.keys, g)...)
		w.Server.Close()
		if !killed {
			break
		}
	}
	t.Logf("killed at %d points", points)
	if points < 60/every() {
		t.Errorf("only %d points", points)
	}
}

// TestKilledRotation does the same with rotations. At every moment the place that
// the key is delivered to holds one that lives.
func TestKilledRotation(t *testing.T) {
	for _, c := range []struct {
		sink string
		self bool
	}{{"dotenv", false}, {"dotenv", true}, {"exec", false}, {"dotenv+exec", false}, {"exec+exec", false}} {
		t.Run(fmt.Sprintf("%s self=%v", c.sink, c.self), func(t *testing.T) {
			t.Parallel()
			points := 0
			stride := every()
			if strings.Contains(c.sink, "+") { // they go the same ways, more often
				stride = max(3, stride)
			}
			for at := 1; killRotation(t, c.sink, c.self, at); at += stride {
				points++
			}
			t.Logf("killed at %d points", points)
			if points < 50/stride {
				t.Errorf("only %d points", points)
			}
		})
	}
}

func killRotation(t *testing.T, sink string, self bool, at int) (killed bool) {
	t.Helper()
	w := newWorld(t)
	defer w.Server.Close()
	old := w.add(basetentest.KeySpec{Name: "app", Type: "WORKSPACE_MANAGE_ALL"})
	backup := w.Admin
	if self {
		w.Admin = old
	}
	j := w.newJob("rotate")
	j.Sink, j.Prefix, j.KillAt = sink, old.Prefix(), at
	j.Target = filepath.Join(t.TempDir(), "app.env")
	start := "KEY=" + old.Reveal() + "\n"
	places := strings.Split(sink, "+")
	for i := range places {
		if err := os.WriteFile(j.Target+strings.Repeat("2", i), []byte(start), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.Client = w.as(backup)
	killed = j.run(t)
	w.checkRotation(j, at, true)
	if killed {
		j.KillAt = at*5%31 + 1
		if j.run(t) {
			w.checkRotation(j, at, true)
			j.KillAt = 0
			j.run(t)
		}
		w.checkRotation(j, at, true)
	}
	if w.alive(old.Prefix()) {
		t.Errorf("killed at %d: the old key lives at the end", at)
	}
	for i := range places {
		if k := deliveredTo(t, j.Target+strings.Repeat("2", i)); !w.alive(k.Prefix()) {
			t.Errorf("killed at %d: place %d ends with a key that does not live", at, i+1)
		}
	}
	if n := len(w.survey().Keys); n != 2 {
		t.Errorf("killed at %d: %d keys at the end, want the successor and the admin's", at, n)
	}
	hiddenIn(t, w.dir, append(w.keys, deliveredTo(t, j.Target))...)
	return killed
}

// deliveredTo returns the key that was delivered last.
func deliveredTo(t *testing.T, path string) secret.Secret {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return secret.New(strings.TrimPrefix(lines[len(lines)-1], "KEY="))
}

// checkRotation checks what must be so at any moment: the delivered key lives, if
// the sink can be replaced in one step; and the old one does as long as no
// delivery was checked.
func (w *world) checkRotation(j job, at int, replaced bool) {
	w.t.Helper()
	if k := deliveredTo(w.t, j.Target); replaced && !w.alive(k.Prefix()) {
		w.t.Errorf("killed at %d: the delivered key %s does not live", at, k.Prefix())
	}
	checked := false
	for _, path := range journals(w.t, w.dir) {
		data, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		checked = checked || strings.Contains(string(data), `"step":"checked"`)
	}
	if !checked && !w.alive(j.Prefix) {
		w.t.Errorf("killed at %d: the old key was revoked before the new one was checked", at)
	}
}
