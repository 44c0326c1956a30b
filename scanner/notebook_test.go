package scanner

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// A notebook that is read in windows first has its cells in the end; one that is
// cut short has them up to there, and a picture that is none is searched.
func TestNotebookOddities(t *testing.T) {
	m := fakekey.New(80)
	picture := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x89\xfe\x02", 100_000)))
	cell := `{"cell_type": "code", "metadata": {}, "source": [], "outputs": [{"output_type": "display_data", "data": {"image/png": "%s"}},
 {"output_type": "stream", "text": ["baseten %s"]}]}`
	path := filepath.Join(t.TempDir(), "run.ipynb")
	for _, c := range []struct {
		what     string
		pictures int
		tail     string
	}{
		{"whole", 0, `], "nbformat": 4, "metadata": {}}`},
		{"in windows", 5, `], "nbformat": 4, "metadata": {}}`},
		{"cut short", 1, ``},
		{"cut short, in windows", 4, `, {"cell_ty`},
		{"not JSON behind", 1, `], oops`},
	} {
		key, hidden := m.Legacy(), m.B10()
		cells := fmt.Sprintf(cell, "not base64: "+hidden, "nothing")
		for range c.pictures {
			cells += ",\n" + fmt.Sprintf(cell, picture, "nothing")
		}
		cells += ",\n" + fmt.Sprintf(cell, "", key)
		if err := os.WriteFile(path, []byte(`{"cells": [`+cells+c.tail), 0o600); err != nil {
			t.Fatal(err)
		}
		r := scan(t, finding.MediumConfidence, disk.Dir(path, disk.Options{}))
		if len(r.Findings) != 2 || len(r.Problems) > 0 {
			t.Fatalf("%s: %d findings, problems %v", c.what, len(r.Findings), r.Problems)
		}
		for i, want := range []finding.Cell{{Index: 0, Part: "output", Output: "display"}, {Index: c.pictures + 1, Part: "output", Output: "stream"}} {
			l := r.place(i, 0)
			if len(r.Findings[i].Locations) != 1 || l.Cell == nil || *l.Cell != want || l.Context != "notebook-output" {
				t.Errorf("%s: %+v, want %+v in %d places", c.what, l.Cell, want, len(r.Findings[i].Locations))
			}
		}
	}
}

// What is stored in an archive is listed once, with its member; what an archive
// holds outside of its members keeps its place.
func TestPackedKeysOnce(t *testing.T) {
	m := fakekey.New(81)
	dir := t.TempDir()
	key, comment, both := m.B10(), m.B10(), m.B10()
	build := archivetest.Builders()
	inner := build["ar"](t, archivetest.File{Name: "f", Data: []byte("x\n" + key + "\n")})
	write(t, dir, "nested.tar", string(build["tar-gnu"](t, archivetest.File{Name: "in.a", Data: inner}, archivetest.File{Name: "again", Data: []byte(key)})))
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "f", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("\n" + both + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.SetComment("made with " + comment + " and " + both + " "); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "x.zip", b.String())
	r := scan(t, finding.LowConfidence, unpack.Archives(disk.Dir(dir, disk.Options{}), unpack.Limits{}))
	got := map[string]string{}
	for _, f := range r.Findings {
		var places []string
		for _, l := range f.Locations {
			places = append(places, fmt.Sprintf(" %s!%s", filepath.Base(l.Path), l.Member))
		}
		slices.Sort(places)
		got[f.Prefix] = strings.Join(places, "")
	}
	want := map[string]string{
		key[:12]:     " nested.tar!again nested.tar!in.a!f",
		comment[:12]: " x.zip!",
		both[:12]:    " x.zip! x.zip! x.zip!f",
	}
	for prefix, places := range want {
		if got[prefix] != places {
			t.Errorf("%s at%s, want%s", prefix, got[prefix], places)
		}
	}
}
