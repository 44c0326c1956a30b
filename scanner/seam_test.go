package scanner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// The window and overlap of package source; a seam is where one window's own part
// ends and the next one's begins.
const (
	windowSize = 512 << 10
	overlap    = 16 << 10
)

// TestSeams puts a key at every offset around each seam of a large file.
func TestSeams(t *testing.T) {
	key := []byte(fakekey.New(9).B10())
	path := filepath.Join(t.TempDir(), "large.log")
	line := []byte("2026-11-21 all is well, " + strings.Repeat("é", 20) + "\n")
	base := bytes.Repeat(line, 3*windowSize/len(line))
	seams := []int{windowSize - overlap, windowSize, windowSize - 2*overlap, 2*windowSize - 3*overlap, 2*windowSize - 2*overlap}
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, seam := range seams {
		for off := seam - 60; off <= seam+60; off += step {
			// A multi-byte character that is cut in two counts as its bytes.
			at := off
			for base[at]&0xC0 == 0x80 || base[at+len(key)+2]&0xC0 == 0x80 {
				at++
			}
			data := bytes.Clone(base)
			copy(data[at:], " "+string(key)+" ")
			checkPlace(t, path, data, at+1)
		}
	}
}

func checkPlace(t *testing.T, path string, data []byte, at int) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r := scan(t, finding.LowConfidence, disk.Dir(path, disk.Options{Jobs: 1}))
	if len(r.Findings) != 1 || len(r.Findings[0].Locations) != 1 {
		t.Fatalf("offset %d: %d findings", at, len(r.Findings))
	}
	before := data[:at]
	start := bytes.LastIndexByte(before, '\n') + 1
	chars, _ := source.Count(before[start:])
	want := fmt.Sprintf("%d:%d", bytes.Count(before, []byte("\n"))+1, chars+1)
	if l := r.place(0, 0); fmt.Sprintf("%d:%d", l.Line, l.Column) != want {
		t.Errorf("offset %d: at %d:%d, want %s", at, l.Line, l.Column, want)
	}
}

// FuzzSeam puts keys at made-up places of a stream that is longer than what is
// held whole, in one long line or in many.
func FuzzSeam(f *testing.F) {
	f.Add(uint64(1), 100, uint8(1), byte('\n'))                  // beside the first seam
	f.Add(uint64(2), windowSize-overlap-46, uint8(3), byte('x')) // ends on it, in one long line
	f.Add(uint64(3), windowSize-1, uint8(9), byte(0xC3))         // lead bytes without their second
	f.Add(uint64(4), 2*windowSize-3*overlap, uint8(2), byte(0x80))
	f.Fuzz(func(t *testing.T, seed uint64, at int, n uint8, fill byte) {
		if fill >= '0' && fill <= 'z' || fill == '-' || fill == '.' {
			fill = ' '
		}
		m := fakekey.New(seed)
		data := bytes.Repeat([]byte{fill}, 2*windowSize+windowSize/2)
		want := map[string]int{}
		for i := range int(n%16) + 1 {
			pos := (max(at, -at) + i*(50+m.IntN(windowSize))) % (len(data) - 100)
			if bytes.ContainsFunc(data[pos:pos+48], func(r rune) bool { return r >= '0' && r <= 'z' }) {
				continue // the places of two keys overlap
			}
			key := m.B10()
			copy(data[pos+1:], key)
			data[pos], data[pos+46] = '\n', ' '
			want[key[:12]] = pos + 1
		}
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r := scan(t, finding.LowConfidence, disk.Dir(path, disk.Options{Jobs: 1}))
		for _, f := range r.Findings {
			l := f.Locations[0]
			line := bytes.Count(data[:want[f.Prefix]], []byte("\n")) + 1
			if len(f.Locations) != 1 || l.Line != line || l.Column != 1 {
				t.Fatalf("%s at %d:%d (%d places), want %d:1", f.Prefix, l.Line, l.Column, len(f.Locations), line)
			}
			delete(want, f.Prefix)
		}
		if len(want) > 0 {
			t.Fatalf("not found: %v", want)
		}
	})
}

// TestLegacyFarFromItsName checks that a large file counts as context whole: the
// window that holds the key does not show the name.
func TestLegacyFarFromItsName(t *testing.T) {
	key := fakekey.New(10).Legacy()
	path := filepath.Join(t.TempDir(), "large.txt")
	text := "# for baseten\n" + strings.Repeat("nothing\n", 200_000) + "token: " + key + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := scan(t, finding.LowConfidence, disk.Dir(path, disk.Options{}))
	if len(r.Findings) != 1 || r.Findings[0].Confidence != finding.HighConfidence || len(r.Findings[0].Locations) != 1 {
		t.Errorf("%+v", r.Findings)
	}
	if r.Summary.Bytes != int64(len(text)) || r.Summary.Files != 1 {
		t.Errorf("counted %d bytes of %d, %d files", r.Summary.Bytes, len(text), r.Summary.Files)
	}
}
