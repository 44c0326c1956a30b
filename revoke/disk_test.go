//go:build linux

package revoke

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/b10lint/b10lint/internal/baseten/basetentest"
)

// smallDisk mounts a disk of one page's size, which takes root.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skip("a disk cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestJournalOnFullDisk: without room for the journal nothing is sent.
func TestJournalOnFullDisk(t *testing.T) {
	w := newWorld(t)
	dir := smallDisk(t, "size=4k")
	if err := os.WriteFile(filepath.Join(dir, "full"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	p := w.plan(Request{Wanted: wanted(w.add(basetentest.KeySpec{}))})
	if _, err := Begin(dir, p, w.execute()); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("%v", err)
	}
	if names := journals(t, dir); len(names) != 1 {
		t.Errorf("left: %q", names)
	}
	if w.Server.Count("DELETE", "/v1/api_keys/"+p.Items[0].Prefix) != 0 {
		t.Error("a key was revoked without a journal")
	}
}

// TestDiskFills: when the journal can be written no more, no further key is
// revoked, and the receipt says so; with room again a later run finishes.
func TestDiskFills(t *testing.T) {
	for _, after := range []string{"before " + string(stepIntend), "after " + string(stepIntend), "after " + string(stepSent), "after " + string(stepAbsent)} {
		w := newWorld(t)
		var list []Wanted
		for range 10 {
			list = append(list, wanted(w.add(basetentest.KeySpec{}))...)
		}
		o := w.execute()
		var e *Execution
		seen := 0
		o.point = func(name string) {
			if name != after {
				return
			}
			if seen++; seen != 3 {
				return
			}
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			_ = e.journal.f.Close()
			e.journal.f = full
		}
		e, err := Begin(w.dir, w.plan(Request{Wanted: list}), o)
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Run(context.Background())
		if err == nil || !strings.Contains(err.Error(), "no space") || r.Open() == 0 || r.Resume == "" {
			t.Fatalf("%s: %v, %d open", after, err, r.Open())
		}
		sent := 0
		for _, q := range w.Server.Requests() {
			if q.Method == "DELETE" {
				sent++
			}
		}
		if sent > 2+workers {
			t.Errorf("%s: %d keys were revoked with a journal that cannot be written", after, sent)
		}
		w.finish(r.Journal)
		if n := len(w.survey().Keys); n != 1 {
			t.Errorf("%s: %d keys are left", after, n)
		}
	}
}

// TestReadOnlyFolder: nothing is sent, and nothing is made.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		dir = smallDisk(t, "size=4k")
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	r := newRotation(t)
	for _, into := range []string{dir, filepath.Join(dir, "new")} {
		if _, err := Begin(into, r.world.plan(Request{Wanted: wanted(r.old)}), r.execute()); err == nil || !strings.Contains(err.Error(), "journal") {
			t.Errorf("revoke: %v", err)
		}
		p, err := r.plan(RotateRequest{Sinks: []SinkSpec{{Kind: "dotenv"}}})
		if err != nil {
			t.Fatal(err)
		}
		r.o.Sinks = []Sink{r.sink}
		if _, err := BeginRotation(context.Background(), into, p, r.o); err == nil || !strings.Contains(err.Error(), "journal") {
			t.Errorf("rotate: %v", err)
		}
		f, err := EnvFile(filepath.Join(into, ".env"), "K")
		if err != nil {
			t.Fatal(err)
		}
		r.o.Sinks = []Sink{f}
		if _, err := BeginRotation(context.Background(), r.dir, p, r.o); err == nil || !strings.Contains(err.Error(), "none is made") {
			t.Errorf("a sink that cannot be written: %v", err)
		}
	}
	if len(r.survey().Keys) != 2 || len(journals(t, r.dir)) != 0 {
		t.Error("something was made")
	}
}

// TestDeliveryToFullDisk: the old key lives and stays where it is.
func TestDeliveryToFullDisk(t *testing.T) {
	r := newRotation(t)
	dir := smallDisk(t, "size=8k")
	r.target = filepath.Join(dir, ".env")
	text := "KEY=\"" + r.old.Reveal() + "\"\n# " + strings.Repeat("x", 5000) + "\n"
	if err := os.WriteFile(r.target, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := EnvFile(r.target, "KEY")
	if err != nil {
		t.Fatal(err)
	}
	r.sink = f
	res, err := r.begin(RotateRequest{}).Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "no space") || res.State != "unchanged" {
		t.Errorf("%v %+v", err, res)
	}
	if !r.alive(r.old.Prefix()) || !r.delivered().Equal(r.old) || len(r.survey().Keys) != 2 {
		t.Error("something is left of it")
	}
	if names := journals(t, dir); len(names) != 1 {
		t.Errorf("left: %q", names)
	}
}
