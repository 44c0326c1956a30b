//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/b10lint/b10lint/internal/fakekey"
)

const asMain = "B10LINT_TEST_MAIN"

// The test binary is the program when asMain is set: signals need a process, and
// main itself is what handles them.
func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) (c *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	c = exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), asMain+"=1")
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	c.Stdout, c.Stderr = stdout, stderr
	return c, stdout, stderr
}

// A scan of a stream that never ends, as of `tail -f | b10lint scan -`, is
// interrupted: what came is reported, into files too, and the status is 130.
func TestInterrupt(t *testing.T) {
	key := fakekey.New(1).B10()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		// Opened for both, so that neither side waits and the stream stays open.
		stdin, err := os.OpenFile(pipe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		file := filepath.Join(t.TempDir(), "out.json")
		c, stdout, stderr := program(t, "scan", "-f", "text", "-f", "json="+file, "-")
		c.Stdin = stdin
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Far more than a pipe holds: when all of it is written, its first line has
		// been read.
		if _, err := io.WriteString(stdin, "BASETEN_API_KEY="+key+strings.Repeat("\nand more", 1<<17)); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if got := c.ProcessState.ExitCode(); got != 130 {
			t.Errorf("%v: exit status %d, want 130\n%s%s", signal, got, stdout, stderr)
		}
		for _, want := range []string{"<stdin>:1:17: high: Baseten API key " + key[:12], "interrupted"} {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%v: the report does not say %q:\n%s", signal, want, stdout)
			}
		}
		if stderr.Len() > 0 {
			t.Errorf("%v: standard error says %s", signal, stderr)
		}
		if report, err := os.ReadFile(file); err != nil || !bytes.Contains(report, []byte(`"interrupted": true`)) || !bytes.Contains(report, []byte(key[:12])) {
			t.Errorf("%v: the JSON report does not tell: %v", signal, err)
		}
	}
}

func TestExitStatusReachesTheShell(t *testing.T) {
	for args, want := range map[string]int{"version": 0, "scan --nope": 2, "scan no-such-target": 3} {
		c, stdout, stderr := program(t, strings.Fields(args)...)
		_ = c.Run()
		if got := c.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d\n%s%s", args, got, want, stdout, stderr)
		}
	}
}
