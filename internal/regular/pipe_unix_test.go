//go:build unix

package regular

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// A file that is replaced by a pipe between two looks at it blocks no reader.
func TestBecomesPipe(t *testing.T) {
	dir := t.TempDir()
	name, file, pipe := filepath.Join(dir, "f"), filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var swaps sync.WaitGroup
	swaps.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := filepath.Join(dir, "next")
			if os.Link([]string{file, pipe}[i%2], next) != nil || os.Rename(next, name) != nil {
				_ = os.Remove(next)
			}
			_ = os.Remove(name)
		}
	})
	for range 20_000 {
		if data, err := ReadFile(name, 9); err == nil && string(data) != "x" {
			t.Errorf("%q", data)
		}
	}
	close(stop)
	swaps.Wait()
}
