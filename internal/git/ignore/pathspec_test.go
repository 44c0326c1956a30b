package ignore

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPathSpec(t *testing.T) {
	for _, c := range []struct {
		text      string
		yes, no   string // paths, separated by spaces
		wantError string
	}{
		{text: "foo\n", yes: "foo a/foo foo/x a/foo/x", no: "foob bfoo"},
		{text: "foo/\n", yes: "foo/ foo/x a/foo/x", no: "foo a/foo"},
		{text: "/foo\n", yes: "foo foo/x", no: "a/foo"},
		{text: "a/foo\n", yes: "a/foo a/foo/x", no: "b/a/foo"},
		{text: "a/**\n", yes: "a/ a/x a/x/y", no: "a b/a/x"},    // git keeps a/ itself
		{text: "a/**\n!a/keep\n", yes: "a/x", no: "a/keep"},     // the walk never asks: a/ is gone
		{text: "a/**/b\n", yes: "a/b a/x/b a/x/y/b/z", no: "b"}, //
		{text: "**/\n", yes: "a/ a/b", no: "a"},                 //
		{text: "**\n!a\n", yes: "b c/d", no: "a b/a"},           //
		{text: "  *.log  \n# c\n\n", yes: "x.log a/x.log", no: "x.log1 c"},
		{text: "[^a]\n", yes: "b", no: "a"},
		{text: "[[:alpha:]]\n", yes: "a]", no: "z z]"}, // no classes: a set, then a bracket
		{text: "[a\n", yes: "[a", no: "a"},
		{text: "\\#x\n\\!y\n", yes: "#x !y", no: "x y"},
		{text: "/\n", no: "a"},
		{text: "x\\", wantError: "backslash"},
		{text: "ok\nx\\ \n", wantError: "line 2"},
		{text: "[z-a]\n", wantError: "backwards"},
		{text: "!\n", wantError: "is empty"},
	} {
		s, err := ParsePathSpec([]byte(c.text))
		if c.wantError != "" {
			if err == nil || !strings.Contains(err.Error(), c.wantError) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.wantError)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		for _, p := range strings.Fields(c.yes) {
			if !s.Match(p) {
				t.Errorf("%q does not match %q", c.text, p)
			}
		}
		for _, p := range strings.Fields(c.no) {
			if s.Match(p) {
				t.Errorf("%q matches %q", c.text, p)
			}
		}
	}
}

const pathspecScript = `
import json, sys
sys.path.insert(0, sys.argv[1])
import pathspec
out = []
for text, paths in json.load(sys.stdin):
    lines = [l.strip() for l in text.splitlines()]
    try:
        spec = pathspec.PathSpec.from_lines(pathspec.patterns.GitWildMatchPattern, [l for l in lines if l and not l.startswith("#")])
    except Exception:
        out.append(None)
        continue
    out.append([bool(spec.match_file(p)) for p in paths])
json.dump(out, sys.stdout)
`

// TestAgainstPathspec runs when B10LINT_PATHSPEC names a folder with the pathspec package.
func TestAgainstPathspec(t *testing.T) {
	dir := os.Getenv("B10LINT_PATHSPEC")
	if dir == "" {
		t.Skip("B10LINT_PATHSPEC is not set")
	}
	r := rand.New(rand.NewPCG(9, 0xb10))
	pieces := []string{"*", "**", "?", "/", "/", "foo", "bar", "a", "b", "!", "[a-f]", "[!f]", "[^a]", "[", "]", "\\", ".env", "-", "#", " ", "é", "[[:alpha:]]", "[]a-]", "[a-c-e]", "(", "+", ".", "$", "^", "|"}
	paths := append([]string{"foo/", "bar/", "a/b/", "a-", "a]", "x\ny", "foo\n", "(a)", "a|b", "$", "^", "e", "f"}, tree...)
	var texts []string
	for range 4000 {
		var b strings.Builder
		for range 1 + r.IntN(2) {
			for range 1 + r.IntN(5) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			b.WriteByte('\n')
		}
		texts = append(texts, b.String())
	}
	var in []any
	for _, text := range texts {
		in = append(in, []any{text, paths})
	}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-W", "ignore", "-c", pathspecScript, dir)
	cmd.Stdin = bytes.NewReader(data)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want [][]bool
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		var got []bool
		if s, err := ParsePathSpec([]byte(text)); err == nil {
			for _, p := range paths {
				got = append(got, s.Match(p))
			}
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%q (-pathspec +ours):\n%s", text, diff)
		}
	}
}

func FuzzPathSpec(f *testing.F) {
	f.Add([]byte("a/**/b\n!*.py[cod]\n"), "a/x/b")
	f.Add([]byte("[[:x:]-\\]\n"), "[")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		if s, err := ParsePathSpec(text); err == nil {
			s.Match(path)
		}
	})
}
