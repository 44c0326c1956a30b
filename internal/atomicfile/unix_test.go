//go:build unix

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func modeOf(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestModes(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for _, c := range []struct {
		what     string
		existing fs.FileMode // 0: none
		mode     Mode
		want     fs.FileMode
	}{
		{"a new public file, less the umask", 0, Mode{Perm: 0o644}, 0o640},
		{"a new private file", 0, Mode{Perm: 0o600}, 0o600},
		{"an existing file keeps its mode", 0o666, Mode{Perm: 0o600}, 0o666},
		{"an existing private file stays private", 0o600, Mode{Perm: 0o644}, 0o600},
		{"an existing file is made private", 0o666, Mode{Perm: 0o600, Force: true}, 0o600},
	} {
		name := filepath.Join(t.TempDir(), "out")
		if c.existing != 0 {
			put(t, name, "old", c.existing)
		}
		if err := WriteFile(name, []byte("new"), c.mode); err != nil {
			t.Fatal(err)
		}
		if got := modeOf(t, name); got != c.want {
			t.Errorf("%s: mode %v, want %v", c.what, got, c.want)
		}
	}
}

func TestSymlinks(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"real/deep", "links"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
		return name
	}
	put(t, filepath.Join(dir, "real", "file"), "old", 0o644)
	link(filepath.Join(dir, "real", "deep"), "folder")
	for name, target := range map[string]string{
		link("../real/file", "links/relative"):                     "real/file",
		link(filepath.Join(dir, "real", "file"), "links/absolute"): "real/file",
		link("relative", "links/twice"):                            "real/file",
		link("../real/dangling", "links/dangling"):                 "real/dangling",
		filepath.Join(dir, "folder", "new"):                        "real/deep/new",
	} {
		if err := WriteFile(name, []byte(name), public); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, target))
		if err != nil || string(got) != name {
			t.Errorf("through %s: %s holds %q, %v", name, target, got, err)
		}
	}
	alone(t, filepath.Join(dir, "links"), "relative", "absolute", "twice", "dangling")
	if modeOf(t, filepath.Join(dir, "real", "dangling")).Type() != 0 {
		t.Error("the link to a missing file was replaced")
	}
	loop := link("loop", "loop")
	if err := WriteFile(loop, nil, public); err == nil {
		t.Error("a loop of links was accepted")
	}
}

// A link in a folder that is reached through a link is relative to the real
// folder, not to the name that was given.
func TestSymlinkInLinkedFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("a/b", filepath.Join(dir, "short")), os.Symlink("../out", filepath.Join(dir, "a", "b", "link"))); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "short", "link"), []byte("x"), public); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(dir, "a", "out"), "x", "b")
}

func TestDevicesAndPipes(t *testing.T) {
	if err := WriteFile(os.DevNull, []byte("x"), public); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if m := modeOf(t, os.DevNull); m&fs.ModeCharDevice == 0 {
		t.Fatalf("%s is a %v now", os.DevNull, m)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("x"), public); err != nil || modeOf(t, os.DevNull)&fs.ModeCharDevice == 0 {
		t.Errorf("a link to a device: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		r, err := os.Open(pipe)
		if err != nil {
			got <- err.Error()
			return
		}
		data, _ := io.ReadAll(r)
		got <- string(data)
	}()
	if err := WriteFile(pipe, []byte("through"), public); err != nil {
		t.Error(err)
	}
	if s := <-got; s != "through" {
		t.Errorf("the pipe gave %q", s)
	}
	if modeOf(t, pipe)&fs.ModeNamedPipe == 0 {
		t.Error("the pipe was replaced")
	}
}

// A name of the standard output is written to, not replaced, when it leads to a file.
func TestOpenFileByName(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/fd")
	}
	name := filepath.Join(t.TempDir(), "out")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("before "); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile("/proc/self/fd/"+itoa(f.Fd()), []byte("after"), public); err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != int64(len("before after")) {
		t.Errorf("the open file has %v, %v", info, err)
	}
	holds(t, name, "before after")
}

func itoa(n uintptr) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full")
	}
	if err := WriteFile("/dev/full", []byte("x"), public); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("/dev/full: got %v", err)
	}
	// The disk fills up under the temporary file.
	name := filepath.Join(t.TempDir(), "out")
	put(t, name, "old", 0o644)
	f, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tmp := f.f
	f.f = full
	if _, err := f.Write([]byte("new")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write: got %v", err)
	}
	f.f = tmp
	if err := errors.Join(full.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("more")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a further Write: got %v", err)
	}
	if err := f.Commit(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Commit: got %v", err)
	}
	holds(t, name, "old")
}

func TestFolderVanishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Create(filepath.Join(dir, "out"), public)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		// Permissions do not hold root back; a file system of the kernel does.
		if _, err := Create("/sys/b10lint-test", public); runtime.GOOS == "linux" && err == nil {
			t.Error("a file was made in /sys")
		}
		t.Skip("the rest needs a user other than root")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	put(t, name, "old", 0o444)
	if err := WriteFile(name, []byte("new"), public); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a protected file: got %v", err)
	}
	holds(t, name, "old")
	if err := errors.Join(os.Chmod(name, 0o644), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if err := WriteFile(name, []byte("new"), public); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a read-only folder: got %v", err)
	}
	holds(t, name, "old")
}

// What a killed process left is removed by the next that writes the same file: not what
// another still writes, what is young, and what only has a similar name.
func TestLeftFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	live, err := Create(name, public)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := live.Write([]byte("live")); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	stay := []string{".out.ABCDEFGHIJ.tmpx", ".outer.ABCDEFGHIJ.tmp", ".out.ABCDEFGHI1.tmp", ".out.ABCDEFGHIJK.tmp", "out.ABCDEFGHIJ.tmp"}
	for _, left := range append(stay, ".out.ABCDEFGHIJ.tmp", ".out.ZZZZZZZZZZ.tmp") {
		put(t, filepath.Join(dir, left), "left", 0o600)
		if err := os.Chtimes(filepath.Join(dir, left), long, long); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, ".out.YOUNGYOUNG.tmp"), "young", 0o600)
	if err := os.Chtimes(live.f.Name(), long, long); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(name, []byte("next"), public); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "next", append(stay, ".out.YOUNGYOUNG.tmp", filepath.Base(live.f.Name()))...)
	if err := live.Commit(); err != nil {
		t.Error(err)
	}
	holds(t, name, "live", append(stay, ".out.YOUNGYOUNG.tmp")...)
}
