package revoke

import (
	"context"
	"io"

	"github.com/b10lint/b10lint/secret"
)

// An Output is a sink that writes the key to a stream: the one way in which a
// key is ever printed. It cannot be read back.
type Output struct {
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

// Read cannot: what was written is gone.
func (o *Output) Read(context.Context, string) (key secret.Secret, ok, readable bool, err error) {
	return secret.Secret{}, false, false, nil
}

// Restore cannot.
func (o *Output) Restore(context.Context) (undone bool, err error) { return false, nil }
