package disk

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What is read is the same whether it is in memory, must be waited for, or lies where
// nobody can tell.
func TestReadCached(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := openFile(nil, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	half := make([]byte, len(want)/2)
	n, ok := readCached(f.fd, half)
	if !ok || n == 0 {
		t.Skip("this file system does not tell what is in memory")
	}
	got, err := io.ReadAll(f) // goes on behind what was read
	if err != nil || !bytes.Equal(append(half[:n:n], got...), want) {
		t.Errorf("read %d and %d bytes of %d: %v", n, len(got), len(want), err)
	}
	if n, ok := readCached(f.fd, half); !ok || n != 0 {
		t.Errorf("at the end: %d, %v", n, ok)
	}
	if n, ok := readCached(f.fd, nil); ok {
		t.Errorf("into nothing: %d", n)
	}
	proc, err := openFile(nil, "/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	defer proc.Close()
	if got, err := io.ReadAll(proc); err != nil || !bytes.Contains(got, []byte("Name:")) {
		t.Errorf("of /proc: %d bytes, %v", len(got), err)
	}
}
