package scanner

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/worstcase"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/target"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// What a text hides deeper and in more ways than is decoded makes the run incomplete.
func TestBudgetOfDecodingSpeaks(t *testing.T) {
	dir, key := t.TempDir(), fakekey.New(1).B10()
	escapes := "\n\n" + strings.Repeat(`%41&#65;\x41=41\101`, 200_000)
	if err := os.WriteFile(filepath.Join(dir, "noise.txt"), append([]byte(escapes), "\n"+key+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "other.txt", key)
	r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{}))
	if r.Summary.Complete || len(r.Problems) != 1 || len(r.Findings) != 1 || len(r.Findings[0].Locations) != 2 {
		t.Fatalf("%+v, %d findings", r.Problems, len(r.Findings))
	}
	if p := r.Problems[0]; !strings.HasSuffix(p.Path, "/noise.txt") || !strings.Contains(p.Error, "from line 3 on") || !strings.Contains(p.Error, "8 times") {
		t.Errorf("%+v", p)
	}
}

// Keys in many places make a small report that says what it leaves out, and it is the
// same in whatever order they come.
func TestPlacesAreBounded(t *testing.T) {
	m, dir := fakekey.New(7), t.TempDir()
	var keys []string
	for range 40 {
		keys = append(keys, m.B10())
	}
	one := m.B10()
	write(t, dir, "a.txt", strings.Repeat(one+"\n", 4000))
	for i := range 700 {
		write(t, dir, fmt.Sprintf("d/%03d.txt", i), strings.Join(keys, "\n"))
	}
	write(t, dir, "z.txt", one)
	var first []finding.Finding
	for _, jobs := range []int{1, 3} {
		r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{Jobs: jobs}))
		if len(r.Findings) != 41 || r.Summary.Complete || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "further places are not listed") {
			t.Fatalf("%d findings, %+v", len(r.Findings), r.Problems)
		}
		all := 0
		for _, f := range r.Findings {
			all += len(f.Locations)
		}
		if all > allPlaces || all < allPlaces/2 {
			t.Errorf("%d places", all)
		}
		places := r.of(one)
		if last := places[len(places)-1]; places[0].Line != 1 || !strings.HasSuffix(last.Path, "z.txt") {
			t.Errorf("%s: the first place is in line %d, the last in %s", one[:12], places[0].Line, last.Path)
		}
		if first == nil {
			first = r.Findings
		} else if d := cmp.Diff(first, r.Findings); d != "" {
			t.Error(d)
		}
	}
}

// A small repository that holds keys under many names is done at once, with a small report.
func TestKeysTimesNamesAreBounded(t *testing.T) {
	g := newGitRepo(t)
	var text strings.Builder
	for range 100 {
		text.WriteString(g.m.B10() + "\n")
	}
	id := g.input(text.String(), "hash-object", "-w", "--stdin")
	var index strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&index, "100644 %s 0\tn%05d\n", id, i)
	}
	g.input(index.String(), "update-index", "--index-info")
	g.git("commit", "-qm", "many")
	r := g.history(git.Options{})
	all := 0
	for _, f := range r.Findings {
		all += len(f.Locations)
		if last := f.Locations[len(f.Locations)-1]; !strings.HasSuffix(f.Locations[0].Path, "n00000") || !strings.HasSuffix(last.Path, "n00999") {
			t.Fatalf("the first place is %s, the last %s", f.Locations[0].Path, last.Path)
		}
	}
	if len(r.Findings) != 100 || all > allPlaces || all < allPlaces/2 || r.Summary.Complete {
		t.Errorf("%d findings with %d places, %+v", len(r.Findings), all, r.Problems)
	}
}

// A counter counts the bytes of what is handed over.
type counter struct {
	source.Sink
	bytes *atomic.Int64
}

func (c counter) Blob(b *source.Blob) (int, error) {
	c.bytes.Add(int64(len(b.Data)))
	return c.Sink.Blob(b)
}

// worstRoutes are the ways for a text to reach the detector.
func worstRoutes(t *testing.T, name string, data []byte) map[string]source.Source {
	t.Helper()
	g, dir, packed := newGitRepo(t), t.TempDir(), t.TempDir()
	g.commit(name, string(data))
	write(t, dir, name, string(data))
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(data); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	write(t, packed, name+".gz", z.String())
	return map[string]source.Source{
		"folder":  disk.Dir(dir, disk.Options{}),
		"stdin":   disk.Reader(bytes.NewReader(data), finding.Location{Path: "<stdin>"}),
		"archive": unpack.Archives(disk.Dir(packed, disk.Options{}), unpack.Limits{}),
		"history": target.Of(g.dir, target.Options{NoFiles: true}),
	}
}

// Whichever way a text comes, and whatever it holds, its bytes are handed over little more
// than once, and no more matches are judged than the limits say: the rest is counted, and
// the run incomplete.
func TestRoutesAreBounded(t *testing.T) {
	for _, c := range worstcase.All() {
		if c.Name != "b10-lines" && c.Name != "legacy-line" {
			continue
		}
		data := c.Make(560_000)
		findings := map[string]bool{}
		for route, src := range worstRoutes(t, c.Name, data) {
			var n atomic.Int64
			walk := src.Walk
			src.Walk = func(ctx context.Context, to source.Sink) error { return walk(ctx, counter{to, &n}) }
			r := scan(t, finding.LowConfidence, src)
			most := len(data) + source.WindowSize + len(data)/8
			if route == "archive" {
				most += len(data) // as it is packed
			}
			if n.Load() > int64(most) {
				t.Errorf("%s, %s: %d bytes are handed over as %d", c.Name, route, len(data), n.Load())
			}
			if most := maxJudged + len(data)/judgedStep + 2*fewJudged; len(r.Findings) > most || len(r.Findings) < maxJudged {
				t.Errorf("%s, %s: %d findings of %d", c.Name, route, len(r.Findings), most)
			}
			if r.Summary.Complete || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error, "counted, not judged") {
				t.Errorf("%s, %s: %+v", c.Name, route, r.Problems)
			}
			findings[fmt.Sprint(len(r.Findings), r.Findings[0].Fingerprint)] = true
		}
		if len(findings) != 1 {
			t.Errorf("%s: the routes differ: %v", c.Name, findings)
		}
	}
}

// Noise in front of a key, in other files, does not take it its turn.
func TestKeyBehindNoiseIsJudged(t *testing.T) {
	judged := allJudged
	allJudged = 100
	defer func() { allJudged = judged }()
	m, dir := fakekey.New(11), t.TempDir()
	for i := range 30 {
		var noise strings.Builder
		for range 40 {
			noise.WriteString(m.B10() + "\n")
		}
		write(t, dir, fmt.Sprintf("%02d.txt", i), noise.String())
	}
	key := m.B10()
	write(t, dir, "z.env", "KEY="+key)
	r := scan(t, finding.LowConfidence, disk.Dir(dir, disk.Options{Jobs: 1}))
	if len(r.of(key)) != 1 || r.Summary.Complete || len(r.Findings) > 100+31*fewJudged+40 {
		t.Errorf("found %d times, %d findings, %d problems", len(r.of(key)), len(r.Findings), len(r.Problems))
	}
}
