package source

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
)

// A windowed is a Sink that checks each window against the whole.
type windowed struct {
	t     *testing.T
	whole []byte
	next  int64 // what is not answered for yet
	last  bool
	count int
}

func (w *windowed) Blob(b *Blob) (int, error) {
	w.count++
	win := b.Window
	if win == nil || !bytes.Equal(b.Data, w.whole[win.Offset:win.Offset+int64(len(b.Data))]) {
		w.t.Fatal("the window is not where it says")
	}
	if got := win.Offset + int64(win.Own.Start); got != w.next {
		w.t.Errorf("window %d answers from %d on, want %d", w.count, got, w.next)
	}
	w.next = win.Offset + int64(win.Own.End)
	w.last = win.Last
	before := w.whole[:win.Offset]
	line := bytes.Count(before, []byte("\n"))
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	if win.Line != line || win.Column != utf8.RuneCount(before) || win.Column16 != len(utf16.Encode([]rune(string(before)))) {
		w.t.Errorf("window %d starts at %d:%d/%d, want %d:%d", w.count, win.Line, win.Column, win.Column16, line, utf8.RuneCount(before))
	}
	return 0, nil
}

func (w *windowed) Problem(p finding.Problem) error { w.t.Errorf("%+v", p); return nil }

func TestWindows(t *testing.T) {
	line := strings.Repeat("é😀x", 1000) + "\n"
	for _, size := range []int{wholeFile + 1, 2 * windowStep, 3*windowStep + 7, 3*windowStep + windowLap, 3*windowStep - windowLap} {
		if size <= wholeFile {
			size = wholeFile + 1
		}
		whole := []byte(strings.Repeat(line, size/len(line)+1))[:size]
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		w := &windowed{t: t, whole: whole}
		if err := sendFile(context.Background(), w, finding.Location{Path: name}, name); err != nil {
			t.Fatal(err)
		}
		if w.next != int64(size) || !w.last || w.count < 2 {
			t.Errorf("size %d: %d windows up to %d, last %v", size, w.count, w.next, w.last)
		}
	}
}

func TestSendFileOpensAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() (Content, error) { return openContent(name) }
	c, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 2)
	if _, err := c.ReadAt(buf, 1); err != nil || string(buf) != "bc" || c.Size() != 3 {
		t.Errorf("%q %d %v", buf, c.Size(), err)
	}
}
