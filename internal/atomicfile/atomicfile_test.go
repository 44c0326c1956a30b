package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var public = Mode{Perm: 0o644}

func put(t *testing.T, name, text string, perm fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, perm); err != nil {
		t.Fatal(err)
	}
}

// holds checks a file's text and that nothing but the named files is in its folder.
func holds(t *testing.T, name, text string, others ...string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != text {
		t.Errorf("%s holds %q, %v; want %q", name, got, err, text)
	}
	alone(t, filepath.Dir(name), append(others, filepath.Base(name))...)
}

func alone(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if len(got) != len(names) {
		t.Errorf("%s holds %q, want %q", dir, got, names)
	}
}

func TestCommitAndAbandon(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	f, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there before Commit: %v", err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "one")
	if err := f.Abandon(); err != nil {
		t.Errorf("Abandon after Commit: %v", err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a second Commit: %v", err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Commit: %v", err)
	}
	g, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Write([]byte("two")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(g.Abandon(), g.Abandon()); err != nil {
		t.Errorf("Abandon: %v", err)
	}
	holds(t, name, "one")
	if err := WriteFile(name, []byte("three"), public); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "three")
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	for what, name := range map[string]string{
		"a folder":                dir,
		"no such folder":          filepath.Join(dir, "no", "file"),
		"a file for a folder":     filepath.Join(dir, "file", "x"),
		"an empty name":           "",
		"no such device":          "/dev/b10lint-no-such-device",
		"a name with a NUL":       filepath.Join(dir, "a\x00b"),
		"a name that is too long": filepath.Join(dir, strings.Repeat("x", 300)),
	} {
		put(t, filepath.Join(dir, "file"), "old", 0o600)
		if err := WriteFile(name, []byte("x"), public); err == nil {
			t.Errorf("%s: no error", what)
		}
		holds(t, filepath.Join(dir, "file"), "old")
	}
}

func TestTargetVanishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "out")
	put(t, name, "old", 0o644)
	f, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil { // the file: no harm
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "new")
}

func TestTargetBecomesAFolder(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	f, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil || !strings.Contains(err.Error(), "no longer a regular file") {
		t.Errorf("got %v", err)
	}
	alone(t, dir, "out")
}
