//go:build unix

package cmd_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

// TestRedactForwardsSignals sends the program a signal that its command answers,
// while a key is half written.
func TestRedactForwardsSignals(t *testing.T) {
	key := fakekey.New(70).B10()
	script := `trap 'printf "%s\n" "$2"; echo got it; exit 9' TERM; printf "ready\n%s" "$1"; while :; do sleep 0.05; done`
	b10lint, err := exec.LookPath("b10lint") // testscript puts it there
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), b10lint, "redact", "--", "sh", "-c", script, "sh", key[:20], key[20:])
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	buf := make([]byte, 1000)
	for !strings.Contains(got.String(), "ready\n") {
		n, err := out.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatal(err)
		}
	}
	// It came out because the time to wait was over, so the half key written with it is
	// held by now.
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := out.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			break
		}
	}
	err = c.Wait()
	if want := "ready\n" + key[:12] + ".****\ngot it\n"; got.String() != want {
		t.Errorf("%d bytes come out, want %d", got.Len(), len(want))
	}
	if c.ProcessState.ExitCode() != 9 {
		t.Errorf("%v, want status 9", err)
	}
}
