//go:build unix

package cmd_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is an account without rights.
const nobody = 65534

// runUnprivileged runs the program itself, as nobody when the test is root: root
// reads everything. The files below dir are then nobody's.
func runUnprivileged(t *testing.T, dir string, args ...string) (stdout []byte, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	program := filepath.Join(bin, "b10lint") // the name under which TestMain is the program
	if err := copyFile(program, self); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Dir, c.Env = "/", []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin", "TMPDIR=" + bin}
	if os.Getuid() == 0 {
		openTo(t, bin, nobody)
		openTo(t, dir, nobody)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.Bytes(), errs.String(), c.ProcessState.ExitCode()
}

func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
