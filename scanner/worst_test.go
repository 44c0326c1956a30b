package scanner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/git"
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
	if p := r.Problems[0]; !strings.HasSuffix(p.Path, "/noise.txt") || !strings.Contains(p.Error, "from line 3 on") || !strings.Contains(p.Error, "16 times") {
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
	write(t, dir, "a.txt", strings.Repeat(one+"\n", 9000))
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
