// Package sourcetest makes files and takes blobs, for the tests of several sources.
package sourcetest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// Write makes files below root: "name: text" with | for line ends, "name -> target"
// for a symbolic link, "name/" for a folder.
func Write(t *testing.T, root string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		name, target, isLink := strings.Cut(line, " -> ")
		name, text, _ := strings.Cut(name, ": ")
		full := filepath.Join(root, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			full = filepath.Join(full, "x")
		}
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		switch {
		case err != nil || strings.HasSuffix(name, "/"):
		case isLink:
			if runtime.GOOS == "windows" {
				t.Skip("making a symbolic link needs a right that few have")
			}
			err = os.Symlink(filepath.FromSlash(target), full)
		default:
			err = os.WriteFile(full, []byte(strings.ReplaceAll(text, "|", "\n")), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A Recorder is a Sink that keeps what it is given.
type Recorder struct {
	Blobs    map[string]string
	At       []finding.Location
	Problems []finding.Problem
}

// Blob keeps the data by path, and the location.
func (r *Recorder) Blob(b *source.Blob) (int, error) {
	if r.Blobs == nil {
		r.Blobs = map[string]string{}
	}
	r.Blobs[b.At.Path] += string(b.Data)
	r.At = append(r.At, b.At)
	return 0, nil
}

// Problem keeps the problem.
func (r *Recorder) Problem(p finding.Problem) error {
	r.Problems = append(r.Problems, p)
	return nil
}
