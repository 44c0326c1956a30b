//go:build unix

package revoke

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/clock"
	"github.com/b10lint/b10lint/secret"
)

// envChild makes the test binary a child that is going to be killed.
const envChild = "B10LINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(envChild); job != "" {
		os.Exit(child(job))
	}
	os.Exit(m.Run())
}

// A job is what a child does. Keys come by files.
type job struct {
	Kind           string // "revoke" or "rotate"
	URL, Inference string
	KeyFile        string
	Dir            string // of the journal
	Plan           string // a saved plan, of a revocation
	Prefix, Sink   string // of a rotation; the sinks are "dotenv" and "exec", with + between
	Target         string // file that the sink leads to
	KillAt         int    // the point at which the process kills itself; 0: none
}

// A killer ends the process at its nth point, as a power cut would.
type killer struct {
	mu sync.Mutex
	n  int
}

func (k *killer) point(string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n--; k.n == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// RoundTrip has a point before and after every API call.
func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.point("sending " + r.Method)
	res, err := http.DefaultTransport.RoundTrip(r)
	k.point("answered " + r.Method)
	return res, err
}

// killedSink has a point before and after every delivery.
type killedSink struct {
	Sink
	k *killer
}

func (s killedSink) Deliver(ctx context.Context, key secret.Secret) error {
	s.k.point("delivering")
	err := s.Sink.Deliver(ctx, key)
	s.k.point("delivered")
	return err
}

func child(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.do()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (j job) do() error {
	value, err := os.ReadFile(j.KeyFile)
	if err != nil {
		return err
	}
	key := secret.New(strings.TrimSpace(string(value)))
	k := &killer{n: j.KillAt}
	env := map[string]string{baseten.EnvManagementURL: j.URL, baseten.EnvInferenceURL: j.Inference}
	e, err := baseten.ResolveEndpoints("", "", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		return err
	}
	fake := clock.Clock{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	o := baseten.Options{Endpoints: e, Credential: baseten.Credential{Key: key}, Clock: fake, Transport: k}
	client, err := baseten.New(o)
	if err != nil {
		return err
	}
	if j.Kind == "revoke" {
		return j.revoke(Options{Client: client, Self: key.Prefix(), Clock: fake, Credential: "test", point: k.point})
	}
	return j.rotate(RotateOptions{Client: client, Self: key.Prefix(), Clock: fake, point: k.point}, key, k)
}

// revoke goes on with the folder's journal, or begins one.
func (j job) revoke(o Options) error {
	p, err := LoadPlan(j.Plan)
	if err != nil {
		return err
	}
	e, err := resumeAny(j.Dir, o)
	if e == nil && err == nil {
		e, err = Begin(j.Dir, p, o)
	}
	if err != nil {
		return err
	}
	receipt, err := e.Run(context.Background())
	if err == nil && receipt.Open() > 0 {
		err = receipt.WriteText(os.Stderr)
		return fmt.Errorf("%d keys are open (%w)", receipt.Open(), err)
	}
	return err
}

// resumeAny opens the journal in a folder, or returns nil when there is none with
// a whole record.
func resumeAny(dir string, o Options) (*Execution, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	e, err := Resume(names[0], o, nil)
	if err != nil && strings.Contains(err.Error(), "start again") {
		return nil, os.Remove(names[0])
	}
	return e, err
}

func (j job) rotate(o RotateOptions, key secret.Secret, k *killer) error {
	ctx := context.Background()
	var specs []SinkSpec
	for i, kind := range strings.Split(j.Sink, "+") {
		sink, spec, err := j.sink(kind, strings.Repeat("2", i))
		if err != nil {
			return err
		}
		specs, o.Sinks = append(specs, spec), append(o.Sinks, killedSink{sink, k})
	}
	r, done, err := resumeRotation(j.Dir, o)
	if done || err != nil {
		return err
	}
	if r == nil {
		s, err := TakeSurvey(ctx, o.Client, key.Prefix())
		if err != nil {
			return err
		}
		p, err := PlanRotation(ctx, o.Client, s, RotateRequest{Prefix: j.Prefix, Sinks: specs})
		if err != nil {
			return err
		}
		if r, err = BeginRotation(ctx, j.Dir, p, o); err != nil {
			return err
		}
	}
	_, err = r.Run(ctx)
	return err
}

// sink is one of the job's places: the target, or the file beside it with this ending.
func (j job) sink(kind, ending string) (Sink, SinkSpec, error) {
	if kind == "exec" {
		args := []string{"/bin/sh", "-c", `cat >> "$0"; echo >> "$0"`, j.Target + ending}
		return &Command{Args: args}, SinkSpec{Kind: "exec", Command: args}, nil
	}
	f, err := EnvFile(j.Target+ending, "KEY")
	return f, SinkSpec{Kind: "dotenv", Path: j.Target + ending, Name: "KEY"}, err
}

// resumeRotation opens the one journal that is not over, if there is one. done is
// set when one has come to a good end.
func resumeRotation(dir string, o RotateOptions) (r *Rotation, done bool, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, false, err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, false, err
		}
		records, _, err := parseJournal(data)
		if err != nil {
			return nil, false, err
		}
		if len(records) == 0 {
			continue
		}
		last := records[len(records)-1]
		if last.Step != stepEnd {
			r, err := ResumeRotation(name, o)
			return r, false, err
		}
		done = done || last.Detail == "rotated"
	}
	return nil, done, nil
}
