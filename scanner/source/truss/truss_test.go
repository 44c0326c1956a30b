package truss

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source/sourcetest"
)

var update = flag.Bool("update", false, "rewrite golden files; of the truss layouts, with what B10LINT_TRUSS says")

const layoutsFile = "testdata/truss_layouts.txt"

// A layout is one case of testdata/truss_layouts.txt.
type layout struct {
	name        string
	files, want []string
}

func readLayouts(t *testing.T) (head string, out []layout) {
	t.Helper()
	data, err := os.ReadFile(layoutsFile)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(data), "== ")
	for _, part := range parts[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		have, want, _ := strings.Cut(rest, "want\n")
		out = append(out, layout{name, lines(have), lines(want)})
	}
	return parts[0], out
}

func lines(text string) []string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

func uploaded(t *testing.T, root string) []string {
	t.Helper()
	entries, problems := UploadSet(filepath.Join(root, "t"), Options{})
	for _, p := range problems {
		t.Errorf("problem: %s: %s", p.Path, p.Error)
	}
	out := []string{}
	for _, e := range entries {
		switch {
		case e.Link != "":
			out = append(out, e.Path+"@")
		case e.SentOnly:
			out = append(out, e.Path+"?")
		default:
			out = append(out, e.Path)
		}
	}
	return out
}

func TestUploadSet(t *testing.T) {
	_, layouts := readLayouts(t)
	if len(layouts) < 30 {
		t.Fatalf("only %d layouts", len(layouts))
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			root := t.TempDir()
			sourcetest.Write(t, root, l.files...)
			if diff := cmp.Diff(l.want, uploaded(t, root)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrussWalk(t *testing.T) {
	root := t.TempDir()
	l := layout{files: []string{"t/config.yaml: {}", "t/.env: no", "t/.env.local: yes", "t/l -> ../outside", "outside: no", "t/.truss_ignore: config.yaml|.env"}}
	sourcetest.Write(t, root, l.files...)
	var r sourcetest.Recorder
	if err := Uploads(filepath.Join(root, "t"), Options{}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	dir := filepath.ToSlash(filepath.Join(root, "t"))
	want := map[string]string{dir + "/config.yaml": "{}", dir + "/.env.local": "yes", dir + "/.truss_ignore": "config.yaml\n.env"}
	if diff := cmp.Diff(want, r.Blobs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(r.At, func(at finding.Location) bool { return at.Exposure != finding.Shipped }) {
		t.Error("not everything is marked as shipped")
	}
	err := Uploads(filepath.Join(root, "gone"), Options{}).Walk(context.Background(), &r)
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestUploadProblems(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		warning          bool
		files            []string
	}{
		{"broken link", "t/l", "broken symbolic link", true, []string{"t/config.yaml: {}", "t/l -> nowhere"}},
		{"bad list", "t/.truss_ignore", "line 2", false, []string{"t/config.yaml: {}", "t/.truss_ignore: a|b\\"}},
		{"bad yaml", "t/config.yaml", "not YAML", false, []string{"t/config.yaml: {a: [}"}},
		{"external file", "x", "not a folder", false, []string{"t/config.yaml: {external_package_dirs: [../x]}", "x: 1"}},
		{"external link", "x", "symbolic link", false, []string{"t/config.yaml: {external_package_dirs: [../x]}", "x -> y", "y/z"}},
		{"external gone", "x", "", false, []string{"t/config.yaml: {external_package_dirs: [../x]}"}},
		{"chain with code", "t/c.py", "only running it", true, []string{"t/c.py: import truss_chains|external_package_dirs=[x]"}},
	} {
		root := t.TempDir()
		sourcetest.Write(t, root, c.files...)
		_, problems := UploadSet(filepath.Join(root, "t"), Options{})
		want := filepath.ToSlash(filepath.Join(root, c.file))
		if len(problems) != 1 || problems[0].Path != want || !strings.Contains(problems[0].Error, c.text) || problems[0].Warning != c.warning || problems[0].Hint == "" && !strings.HasPrefix(c.name, "external") {
			t.Errorf("%s: %+v", c.name, problems)
		}
	}
}

func TestUploadSetWithConfig(t *testing.T) {
	root := t.TempDir()
	sourcetest.Write(t, root, []string{"t/config.yaml: {}", "prod.yaml: {a: 1}", "t/m.py"}...)
	entries, problems := UploadSet(filepath.Join(root, "t"), Options{Config: filepath.Join(root, "prod.yaml")})
	if len(entries) != 2 || len(problems) != 0 || entries[0].Path != "config.yaml" || !strings.HasSuffix(entries[0].File, "prod.yaml") || !entries[0].Sent || entries[0].SentOnly {
		t.Errorf("%+v %+v", entries, problems)
	}
}
