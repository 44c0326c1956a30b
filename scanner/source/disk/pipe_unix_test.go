//go:build unix

package disk

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/b10lint/b10lint/scanner/source/sourcetest"
)

// Files that turn into pipes between listing and opening stop no scan of their folder.
func TestFilesThatBecomePipes(t *testing.T) {
	dir, aside := t.TempDir(), t.TempDir()
	pipe := filepath.Join(aside, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	stop := make(chan struct{})
	var swaps sync.WaitGroup
	swaps.Go(func() {
		name, next := filepath.Join(dir, "f"), filepath.Join(aside, "next")
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if i%2 == 0 {
				_ = os.WriteFile(next, []byte("text"), 0o600)
			} else {
				_ = os.Link(pipe, next)
			}
			_ = os.Rename(next, name)
			_ = os.Remove(next)
		}
	})
	for began := time.Now(); time.Since(began) < time.Second; {
		done := make(chan error, 1)
		go func() { done <- Dir(dir, Options{Jobs: 2}).Walk(context.Background(), &sourcetest.Recorder{}) }()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("the scan waits for a writer")
		}
	}
	close(stop)
	swaps.Wait()
}
