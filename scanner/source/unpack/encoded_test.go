package unpack

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// A text with an encoded archive in it, from every kind of source: small and in windows,
// at the seam of which the digits lie.
func TestEncodedInEverySource(t *testing.T) {
	m := fakekey.New(9)
	key := m.B10()
	noise := []byte(m.Word(30 << 10))
	gz := archivetest.Gzip(t, append(append([]byte("KEY="+key+"\n"), noise...), key...))
	digits := base64.StdEncoding.EncodeToString(gz)
	for name, before := range map[string]int{"small": 10, "large": source.WindowSize/9 - 100} {
		text := []byte(strings.Repeat("some text", 1) + strings.Repeat("\nsome text", before) + "\nrelease: " + digits + "\nmore: x\n")
		line := before + 2
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		object := &source.Blob{At: finding.Location{Blob: "ab12", Object: "blob"}, Data: text}
		for kind, src := range map[string]source.Source{
			"dir": disk.Dir(dir, disk.Options{}), "object": blobs(object), "windows": windowed(text, false),
			"stdin": disk.Reader(bytes.NewReader(text), finding.Location{Path: "-"}),
		} {
			got := run(t, src, Limits{}, key)
			places := got.places[key]
			want := fmt.Sprint("base64 in line ", line)
			if len(places) != 2 || places[0].Member != want || places[0].Line != 1 || places[0].Exposure != "" || len(got.problems) > 0 {
				t.Errorf("%s, %s: %+v, problems %v", name, kind, places, got.problems)
			}
		}
	}
}

// The versions of an object hold what it holds: it counts as a hit, and only where something
// is new in the digits are they looked at.
func TestEncodedHits(t *testing.T) {
	m := fakekey.New(10)
	text := []byte("some: text\nrelease: " + base64.StdEncoding.EncodeToString(archivetest.Gzip(t, []byte("KEY="+m.B10()+m.Word(100)))) + "\nother: text\n")
	for name, c := range map[string]struct {
		fresh []finding.Span
		hits  int
	}{
		"all": {nil, 1}, "in the digits": {[]finding.Span{{Start: 60, End: 61}}, 1},
		"before": {[]finding.Span{{Start: 2, End: 4}}, 0}, "behind": {[]finding.Span{{Start: len(text) - 4, End: len(text)}}, 0},
	} {
		s := &spy{keys: nil, places: map[string][]finding.Location{}}
		s.keys = []string{"b10_"}
		hits := 0
		src := source.Source{Walk: func(_ context.Context, to source.Sink) (err error) {
			hits, err = to.Blob(&source.Blob{At: finding.Location{Blob: "ab12"}, Data: text, Fresh: c.fresh})
			return err
		}}
		if err := Archives(src, Limits{}).Walk(t.Context(), s); err != nil || hits != c.hits {
			t.Errorf("%s: %d hits, %v", name, hits, err)
		}
	}
}
