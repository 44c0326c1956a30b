package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestConfirmCount: only the number itself is a yes.
func TestConfirmCount(t *testing.T) {
	for answer, want := range map[string]int{"3\n": ExitClean, " 3 \n": ExitClean, "3": ExitClean, "y\n": ExitUsage, "yes\n": ExitUsage,
		"\n": ExitUsage, "": ExitUsage, "33\n": ExitUsage, "03\n": ExitUsage, "3.0\n": ExitUsage} {
		var stderr bytes.Buffer
		err := confirmCount(context.Background(), Env{Stdin: strings.NewReader(answer), Stderr: &stderr}, 3)
		got := ExitClean
		if e := (*exitError)(nil); errors.As(err, &e) {
			got = e.code
		}
		if got != want || !strings.Contains(stderr.String(), "Type 3 to revoke: ") {
			t.Errorf("%q: status %d, want %d", answer, got, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, w := io.Pipe()
	defer w.Close()
	var e *exitError
	if err := confirmCount(ctx, Env{Stdin: r, Stderr: io.Discard}, 3); !errors.As(err, &e) || e.code != ExitInterrupted {
		t.Errorf("interrupted: %v", err)
	}
}
