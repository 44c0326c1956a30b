package scanner

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/target"
)

func TestIsComment(t *testing.T) {
	for _, c := range []struct {
		path, text string
		want       bool
	}{
		{"a.sh", "K=1 # MARK made up", true},
		{"a.sh", "#MARK made up", true},
		{"a.py", "\n    # MARK", true},
		{"a.go", "x := 1 // MARK: see #12", true},
		{"a.go", "\t\t/// MARK", true},
		{"a.c", "/* MARK x */", true},
		{"a.c", "/*\n * MARK x\n */", true},
		{"a.js", "/** MARK x */", true},
		{"a.xml", "<!-- MARK x -->", true},
		{"a.sql", "SELECT 1; -- MARK x", true},
		{"a.el", ";; MARK x", true},
		{"a.tex", "% MARK x", true},
		{"a.j2", "{# MARK x #}", true},
		{"a.bat", "@REM MARK x", true},
		{"a.vb", "' MARK x", false}, // may as well be a string
		{"a.py", `x = "a" # MARK x`, true},
		{"a.py", `x = "a\"b" # MARK x`, true},
		{"a.py", `print("# MARK x")`, false},
		{"a.py", `print('# MARK x')`, false},
		{"a.go", "x := `# MARK x`", false},
		{"a.go", "// allow looks for MARK and its reason", false},
		{"a.go", "// `MARK` is the marker", false},
		{"a.go", `const marker = "MARK"`, false},
		{"a.sh", "# MARKed as seen", false},
		{"a.sh", "x=MARK", false},
		{"a.sh", "a * MARK", false},
		{"page.md", "# MARK a heading", false},
		{"page.md", "<!-- MARK x -->", true},
		{"page.md", "`<!-- MARK x -->`", false},
		{"page.md", "\n```html\n<!-- MARK x -->\n```\n", false},
		{"page.md", "\n```html\n```\n<!-- MARK x -->\n", true},
		{"NOTES.TXT", "# MARK x", false},
		{"a.ipynb", `{"source": ["# MARK x"]}`, false}, // no notebook
	} {
		text := strings.ReplaceAll(c.text, "MARK", allowMarker)
		b := &source.Blob{At: finding.Location{Path: c.path}, Data: []byte(text)}
		if got := isComment(b, newOutline(b), strings.Index(text, allowMarker)); got != c.want {
			t.Errorf("%s: %q: %v", c.path, c.text, got)
		}
	}
}

// unusedIn scans files of a new repository and returns where comments are unused.
func unusedIn(t *testing.T, files map[string][]byte) (places []string) {
	t.Helper()
	dir := newGitRepo(t).dir
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := target.Of(dir, target.Options{NoHistory: true})
	_, found, err := Scan(t.Context(), source.Target{Source: src}, Options{Comments: CommentsInFiles})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range found.Comments {
		places = append(places, filepath.Base(at.Path)+":"+strconv.Itoa(at.Line)+":"+strconv.Itoa(at.Column))
	}
	return places
}

func TestUnusedComments(t *testing.T) {
	key := fakekey.New(77).B10()
	mark := "# " + allowMarker
	long := strings.Repeat("x = 1\n", 200_000) // several windows
	got := unusedIn(t, map[string][]byte{
		"same":    []byte("k = '" + key + "' " + mark + " x\n"),
		"before":  []byte(mark + "\nk = '" + key + "'\n"),
		"after":   []byte("k = '" + key + "'\n" + mark + " x\n"),
		"far":     []byte("é\n  " + mark + " x\n\nk = '" + key + "'\n"),
		"two":     []byte("k = '" + key + "' " + mark + " x\n" + mark + " y\n"),
		"binary":  []byte("\x00\n" + mark + " x\n"),
		"end":     []byte("\n" + mark),
		"windows": []byte(long + mark + " x\n" + long + mark + " y\nk = '" + key + "'\n" + long),
		"pair":    []byte("1" + allowMarker[1:] + " " + mark + "\n"),
	})
	want := []string{"after:2:3", "end:2:3", "far:2:5", "pair:1:17", "two:2:3", "windows:200001:3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A comment just before a seam between windows belongs to the key behind it,
// wherever the seam is.
func TestCommentAtSeam(t *testing.T) {
	key := fakekey.New(78).B10()
	pair := []byte("\n# " + allowMarker + " x\nk = '" + key + "'\n")
	files := map[string][]byte{}
	for at := range 40 {
		pad := bytes.Repeat([]byte("y\n"), (512<<10-16<<10-80)/2+2*at)
		files[strconv.Itoa(at)] = append(append(pad, pair...), bytes.Repeat([]byte("z\n"), 200<<10)...)
	}
	if got := unusedIn(t, files); len(got) != 0 {
		t.Error(got)
	}
}

func TestMarkersAreBounded(t *testing.T) {
	if got := unusedIn(t, map[string][]byte{"many": bytes.Repeat([]byte("# "+allowMarker+"\n"), 3*maxComments)}); len(got) != maxComments {
		t.Errorf("%d comments", len(got))
	}
}
