package ignore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/gittest"
)

// tree is a small work tree with names that the patterns below are about.
var tree = []string{
	"a", "b.txt", "foo", "bar/foo", "bar/baz/foo", "bar/baz/a.txt", "foobar", "fooX/bar", "foo.d/bar", "d/foo/bar/x", "d/e/f/g",
	"deep/a/b/c/d", "with space", "trail ", "!bang", "#hash", "back\\slash", "[x]", "x[y", "UPPER.TXT", "star*", "q?", "tab\t", "e\u0301", "é",
	".env", "dir/.env", "dir/sub/.env.local", "build/out", "src/build/out", "src/build.txt", "node/a/node/b", "0", "5", "]", "-", "^", "^a", "dir/a]b",
}

// git runs git with dir as the home, and takes "nothing is ignored" for an answer.
func git(t *testing.T, dir string, stdin string, args ...string) string {
	t.Helper()
	cmd := gittest.Command(t, dir, args...)
	cmd.Env = append(cmd.Env, "HOME="+dir, "XDG_CONFIG_HOME="+dir+"/.config")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("git %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

// agree compares every path of a work tree with git check-ignore.
func agree(t *testing.T, root string, paths []string) {
	t.Helper()
	out := git(t, root, strings.Join(paths, "\x00")+"\x00", "check-ignore", "--no-index", "-z", "--stdin")
	want := strings.Split(out, "\x00")
	env := func(name string) string { return map[string]string{"HOME": root}[name] }
	m := New(root, Discover(root, env))
	for _, p := range paths {
		info, err := os.Lstat(filepath.Join(root, p))
		got := m.Ignored(p, err == nil && info.IsDir())
		if got != slices.Contains(want, p) {
			t.Errorf("%q: ignored is %v, git says %v\n%s", p, got, !got, ignoreFiles(root))
		}
	}
	if errs := m.Errors(); errs != nil {
		t.Error(errs)
	}
}

func ignoreFiles(root string) string {
	var b strings.Builder
	_ = filepath.Walk(root, func(name string, info os.FileInfo, err error) error {
		if err == nil && (info.Name() == ".gitignore" || info.Name() == "exclude" || info.Name() == "ignore") {
			data, _ := os.ReadFile(name)
			fmt.Fprintf(&b, "%s: %q\n", strings.TrimPrefix(name, root), data)
		}
		return nil
	})
	return b.String()
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repo makes a work tree and returns all of its paths, folders included.
func repo(t *testing.T) (root string, paths []string) {
	t.Helper()
	root = t.TempDir()
	git(t, root, "", "init", "-q")
	seen := map[string]bool{}
	for _, p := range tree {
		write(t, root, p, "")
		for ; p != ""; p = parent(p) {
			if !seen[p] {
				seen[p] = true
				paths = append(paths, p)
			}
		}
	}
	return root, append(paths, "not/there", "foo.gone")
}

func TestMatcherAgreesWithGit(t *testing.T) {
	root, paths := repo(t)
	cases := []map[string]string{
		{".gitignore": "foo\n"}, {".gitignore": "/foo\n"}, {".gitignore": "bar/\n"}, {".gitignore": "foo/\n"}, {".gitignore": "bar/foo\n"},
		{".gitignore": "**/foo\n"}, {".gitignore": "bar/**\n"}, {".gitignore": "bar/**/foo\n"}, {".gitignore": "**\n!foo\n"}, {".gitignore": "*\n!*/\n!foo\n"},
		{".gitignore": "d/**/x\n!d/foo/bar/x\n"}, {".gitignore": "bar\n!bar/foo\n"}, {".gitignore": "bar/*\n!bar/foo\n"}, {".gitignore": "foo**/bar\n"},
		{".gitignore": "f**bar\n"}, {".gitignore": "/f*/bar\n"}, {".gitignore": "**/\n"}, {".gitignore": "/**/\n"}, {".gitignore": "/\n"}, {".gitignore": "//\n"},
		{".gitignore": "!\n"}, {".gitignore": "\\!bang\n\\#hash\n"}, {".gitignore": "#hash\n!bang\n"}, {".gitignore": "trail \n"}, {".gitignore": "trail\\ \n"},
		{".gitignore": "with space   \n"}, {".gitignore": "tab\t\n"}, {".gitignore": "\ufefffoo\r\nbar\r\n"}, {".gitignore": "foo\rbar\n"}, {".gitignore": "foo"},
		{".gitignore": "[a-f]\n"}, {".gitignore": "[!a]\n"}, {".gitignore": "[^a]\n"}, {".gitignore": "[]]\n"}, {".gitignore": "[]-]\n"}, {".gitignore": "[[:digit:]]\n"},
		{".gitignore": "[[:nope:]]\n"}, {".gitignore": "[[:digit:]\n"}, {".gitignore": "[x\n"}, {".gitignore": "\\[x\\]\n"}, {".gitignore": "x[[]y\n"}, {".gitignore": "[\\]]\n"},
		{".gitignore": "[a-\\c]\n"}, {".gitignore": "[\\a-c]\n"}, {".gitignore": "[z-a]\n"}, {".gitignore": "foo\\\n"}, {".gitignore": "back\\\\slash\n"}, {".gitignore": "star\\*\nq\\?\n"},
		{".gitignore": "???\n"}, {".gitignore": "b*r/b?z/*.txt\n"}, {".gitignore": "*.TXT\n"}, {".gitignore": "é\n"}, {".gitignore": "?\n"}, {".gitignore": "deep/*/b\n"},
		{".gitignore": "deep/**/d\n"}, {".gitignore": "deep/**/**/d\n"}, {".gitignore": "**/b/**\n"}, {".gitignore": "bar/***\n"}, {".gitignore": "***/foo\n"}, {".gitignore": "./foo\n"},
		{".gitignore": ".env\n", "dir/.gitignore": "!.env\n"}, {".gitignore": "dir/\n", "dir/.gitignore": "!.env\n"}, {"dir/.gitignore": "/.env\nsub/\n"}, {"dir/.gitignore": "sub/.env.local\n"},
		{".gitignore": "*\n", ".git/info/exclude": "!foo\n"}, {".git/info/exclude": "foo\n"}, {".git/info/exclude": "foo\n", ".gitignore": "!/foo\n"},
		{".config/git/ignore": "foo\n"}, {".config/git/ignore": "foo\n", ".git/info/exclude": "!/foo\n"}, {".gitconfig": "[core]\n\texcludesFile = ~/mine # x\n", "mine": "foo\n"},
		{".gitconfig": "[user]\nname=x\n[Core] EXCLUDESFILE = \"~/mine\"\n", "mine": "bar/\n"}, {".gitignore": "foo/*\n", "bar/.gitignore": "foo\n!foo\n"}, {".gitignore": "build/\n!src/build/\n"},
	}
	for _, files := range cases {
		for name, text := range files {
			write(t, root, name, text)
		}
		agree(t, root, paths)
		for name := range files {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMatcherAgreesWithGitAtRandom(t *testing.T) {
	root, paths := repo(t)
	r := rand.New(rand.NewPCG(7, 0xb10))
	pieces := []string{"*", "**", "?", "/", "/", "foo", "bar", "a", "b", "d", "e", "!", "[a-f]", "[!f]", "[", "]", "\\", ".env", ".txt", "build", " ", "o", "x", "***", "**/", "/**"}
	line := func() string {
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String() + "\n"
	}
	for range 150 {
		files := map[string]string{}
		for _, name := range []string{".gitignore", "bar/.gitignore", "d/.gitignore", ".git/info/exclude"} {
			for range r.IntN(4) {
				files[name] += line()
			}
			write(t, root, name, files[name])
		}
		agree(t, root, paths)
		if t.Failed() {
			return
		}
	}
}

func TestMatcherFoldsCase(t *testing.T) {
	root := t.TempDir()
	write(t, root, ".gitignore", "UPPER*\n")
	if !New(root, Options{IgnoreCase: true}).Ignored("upper.txt", false) || New(root, Options{}).Ignored("upper.txt", false) {
		t.Error("core.ignoreCase is not honoured")
	}
}

func TestMatcherReportsWhatItCannotRead(t *testing.T) {
	root := t.TempDir()
	write(t, root, "x", strings.Repeat("\n", maxFile+1))
	write(t, root, "y", strings.Repeat("*a", maxLine)+"\n")
	m := New(root, Options{Excludes: []string{filepath.Join(root, "gone"), filepath.Join(root, "x"), filepath.Join(root, "y")}})
	if errs := m.Errors(); len(errs) != 2 || !strings.Contains(errs[1].Error(), "not used") || !strings.Contains(errs[0].Error(), "larger than") {
		t.Errorf("errors: %v", errs)
	}
	if m.Ignored("a", false) || m.Ignored("", true) || m.Ignored(strings.Repeat("a/", 2000), true) || m.Ignored(strings.Repeat("b/", 100000), true) {
		t.Error("something is ignored")
	}
}

func TestLinkedWorkTree(t *testing.T) {
	root, _ := repo(t)
	git(t, root, "", "commit", "-q", "--allow-empty", "-m", "x")
	write(t, root, ".git/info/exclude", "secret\n")
	linked := filepath.Join(t.TempDir(), "w")
	git(t, root, "", "worktree", "add", "-q", linked)
	m := New(linked, Discover(linked, func(string) string { return "" }))
	if !m.Ignored("secret", false) || m.Ignored("other", false) {
		t.Error("info/exclude of the main work tree is not used")
	}
}

func FuzzWildmatch(f *testing.F) {
	f.Add("a/**/b", "a/x/y/b", true)                    // folders between
	f.Add("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaa", true) // slow without a memory
	f.Add("[[:alpha:]-z]", "q", false)                  // class and range
	f.Fuzz(func(t *testing.T, pattern, text string, pathname bool) {
		if len(pattern)*len(text) > 1<<16 {
			return
		}
		got := wildmatch(pattern, text, pathname)
		if !strings.ContainsAny(pattern, `*?[\`) && got != (pattern == text) {
			t.Errorf("%q %q: %v", pattern, text, got)
		}
	})
}
