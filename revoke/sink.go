package revoke

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/secret"
)

// A Sink is where a new key is delivered to.
type Sink interface {
	// Ready fails if the sink would not take a key. Nothing is changed. It is
	// called before a key is created.
	Ready(ctx context.Context) error
	// Deliver puts the key in place, whole or not at all where the sink allows. After an
	// error with ErrUncertain in it the place may hold the key; after another it does not,
	// or Restore puts it back.
	Deliver(ctx context.Context, key secret.Secret) error
	// Read returns the key with a prefix that the sink holds. ok is false when the
	// sink does not hold it, or cannot be read back: readable says which.
	Read(ctx context.Context, prefix string) (key secret.Secret, ok, readable bool, err error)
	// Restore undoes a Deliver of this same process, where that can be done.
	Restore(ctx context.Context) (undone bool, err error)
}

// A SinkSpec describes a sink in a journal, for a later run to make it again. It
// holds no key.
type SinkSpec struct {
	Kind      string   `json:"kind"`
	Path      string   `json:"path,omitempty"` // absolute
	Name      string   `json:"name,omitempty"` // of a section, variable, secret
	Key       string   `json:"key,omitempty"`  // within what Name names
	Namespace string   `json:"namespace,omitempty"`
	Repo      string   `json:"repo,omitempty"`
	Template  string   `json:"template,omitempty"` // absolute path
	Command   []string `json:"command,omitempty"`
	Dir       string   `json:"dir,omitempty"`     // where the command is run
	Context   string   `json:"context,omitempty"` // of kubectl's configuration
	// ByName is set where the value cannot be read, and the name alone says that the key
	// belongs there.
	ByName bool `json:"by_name,omitempty"`
}

// The kinds of sinks of which other programs speak, or that can be searched for a key.
const (
	KindTrussrc    = "trussrc"
	KindDotenv     = "dotenv"
	KindExec       = "exec"
	KindGitHub     = "github"
	KindGitLab     = "gitlab"
	KindKubectl    = "kubectl"
	KindKubernetes = "kubernetes"
)

// A Holding is a place that holds a key.
type Holding struct {
	Sink SinkSpec
	Key  secret.Secret
}

// String names the sink for people.
func (s SinkSpec) String() string {
	parts := []string{s.Kind}
	for _, p := range append([]string{s.Name, s.Key, s.Namespace, s.Context, s.Repo, s.Template, s.Path}, s.Command...) {
		if p != "" {
			parts = append(parts, show(p))
		}
	}
	return strings.Join(parts, " ")
}

// Streams reports whether the sink is a stream, which cannot show that the key arrived.
func (s SinkSpec) Streams() bool { return s.Kind == "stdout" || s.Path == "-" }

// A Holder is a sink that knows what a delivery would replace.
type Holder interface {
	// Held returns the value, or nothing where there is none.
	Held(ctx context.Context) ([]byte, error)
	// String names the place.
	String() string
}

// CheckPlace fails with ErrOtherValue when a sink holds another value than a key with one
// of the prefixes, which a delivery would destroy. A sink that cannot tell passes.
func CheckPlace(ctx context.Context, sink Sink, prefixes ...string) error {
	h, ok := sink.(Holder)
	if !ok {
		return nil
	}
	held, err := h.Held(ctx)
	if err != nil || len(bytes.TrimSpace(held)) == 0 ||
		slices.ContainsFunc(prefixes, func(p string) bool { return bytes.Contains(held, []byte(p+".")) }) {
		return err
	}
	return fmt.Errorf("%w: %s holds another value there than the key %s", ErrOtherValue, h, show(prefixes[0]))
}

// ErrOtherValue is in the error of CheckPlace.
var ErrOtherValue = errors.New("nothing was changed")

// ErrUncertain is in the error of a delivery after which the place may hold the key.
var ErrUncertain = errors.New("whether it took the key is not known")

// findKey returns the key with a prefix if a text contains exactly one: what follows
// the prefix and its dot, up to the first character that is not a letter or a digit.
func findKey(text []byte, prefix string) (secret.Secret, bool) {
	found := ""
	rest := string(text)
	for {
		_, after, ok := strings.Cut(rest, prefix+".")
		if !ok {
			break
		}
		rest = after
		end := strings.IndexFunc(after, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if end < 0 {
			end = len(after)
		}
		if end == 0 {
			continue
		}
		if found != "" && found != after[:end] {
			return secret.Secret{}, false
		}
		found = after[:end]
	}
	if found == "" {
		return secret.Secret{}, false
	}
	return secret.New(prefix + "." + found), true
}

// wholeKey returns the key with a prefix if a value is one and nothing else but white
// space around it.
func wholeKey(value []byte, prefix string) (secret.Secret, bool) {
	text := strings.TrimSpace(string(value))
	half, ok := strings.CutPrefix(text, prefix+".")
	if !ok || half == "" || strings.Trim(half, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return secret.Secret{}, false
	}
	return secret.New(text), true
}

// oneWay is the half of a sink that keeps what it was given: it can neither be read
// back nor undone.
type oneWay struct{}

// Read cannot.
func (oneWay) Read(context.Context, string) (key secret.Secret, ok, readable bool, err error) {
	return secret.Secret{}, false, false, nil
}

// Restore cannot.
func (oneWay) Restore(context.Context) (undone bool, err error) { return false, nil }

// An Output is a sink that writes the key to a stream: the one way in which a
// key is ever printed. It cannot be read back.
type Output struct {
	oneWay
	W io.Writer
	// Text is what is written; nil: the key on a line.
	Text func(key string) []byte
}

// Ready has nothing to check.
func (o *Output) Ready(context.Context) error { return nil }

// Deliver writes the key.
func (o *Output) Deliver(_ context.Context, key secret.Secret) error {
	text := []byte(key.Reveal() + "\n")
	if o.Text != nil {
		text = o.Text(key.Reveal())
	}
	n, err := o.W.Write(text)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	return err
}
