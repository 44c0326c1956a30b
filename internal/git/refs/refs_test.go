package refs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func id(c string) string { return strings.Repeat(c, 40) }

func TestRefs(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "HEAD", "ref: refs/heads/main\n")
	put(t, dir, "packed-refs", "# pack-refs with: peeled\n"+id("1")+" refs/heads/main\n"+id("2")+" refs/tags/v1\n^"+id("3")+"\n")
	put(t, dir, "refs/heads/main", id("4")+"\n") // newer than the packed one
	put(t, dir, "refs/heads/a/b", id("5")+"\n")
	put(t, dir, "refs/heads/main.lock", "half")
	put(t, dir, "refs/remotes/origin/HEAD", "ref: refs/remotes/origin/main\n")
	put(t, dir, "refs/stash", id("6")+"\n")
	put(t, dir, "logs/refs/stash", id("0")+" "+id("7")+" x <x> 1 +0000\tone\n"+id("7")+" "+id("6")+" x <x> 1 +0000\ttwo\n")
	put(t, dir, "worktrees/w/HEAD", id("8")+"\n")
	put(t, dir, "worktrees/w/refs/bisect/bad", id("9")+"\n")
	put(t, dir, "index", "")
	put(t, dir, "worktrees/w/index", "")
	refs, errs := Refs(dir)
	var got []string
	for _, r := range refs {
		got = append(got, r.Short()+" "+r.ID[:1])
	}
	want := []string{"a/b 5", "main 4", "stash 6", "stash@{1} 7", "v1 2", "worktrees/w/HEAD 8", "worktrees/w/refs/bisect/bad 9"}
	if !slices.Equal(got, want) || len(errs) != 0 {
		t.Errorf("got %q, want %q; %v", got, want, errs)
	}
	for name, f := range map[string]func() (string, error){
		"Head": func() (string, error) { return Head(dir, refs) }, "HeadOnly": func() (string, error) { return HeadOnly(dir, dir) },
	} {
		if head, err := f(); head != id("4") || err != nil {
			t.Errorf("%s: %q %v", name, head, err)
		}
	}
	if got := Indexes(dir); len(got) != 2 {
		t.Errorf("indexes %q", got)
	}
	put(t, dir, "refs/heads/bad", "neither\n")
	put(t, dir, "reftable/tables.list", "")
	_, errs = Refs(dir)
	if len(errs) != 2 || !errors.Is(errs[0], ErrReftable) || !strings.Contains(errs[1].Error(), "bad: not a reference") {
		t.Errorf("errors %v", errs)
	}
}

func TestHeads(t *testing.T) {
	for text, want := range map[string]string{
		"ref: refs/heads/none\n": "", id("a") + "\n": id("a"), strings.ToUpper(id("b")): id("b"),
	} {
		dir := t.TempDir()
		put(t, dir, "HEAD", text)
		if got, err := Head(dir, nil); got != want || err != nil {
			t.Errorf("%q: %q %v", text, got, err)
		}
		if got, err := HeadOnly(dir, dir); got != want || err != nil {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	dir := t.TempDir()
	put(t, dir, "HEAD", "ref: ../../../etc/passwd")
	if _, err := HeadOnly(dir, dir); err == nil {
		t.Error("a reference outside the repository was followed")
	}
	put(t, dir, "HEAD", "nonsense")
	if _, err := Head(dir, nil); err == nil {
		t.Error("nonsense is taken for a HEAD")
	}
}

func TestShallow(t *testing.T) {
	dir := t.TempDir()
	if ids, err := Shallow(dir); ids != nil || err != nil {
		t.Errorf("%v %v", ids, err)
	}
	put(t, dir, "shallow", id("b")+"\n"+id("a")+"\n\nx\n")
	if ids, err := Shallow(dir); !slices.Equal(ids, []string{id("a"), id("b")}) || err != nil {
		t.Errorf("%v %v", ids, err)
	}
}

func TestModules(t *testing.T) {
	got := ParseModules([]byte("[submodule \"a/b\"]\n\tpath = libs/a\n\turl = x\n[submodule \"no path\"]\n[submodule \"q\\\"\"]\n path=\"q\"\n"))
	if want := []Module{{"a/b", "libs/a"}, {`q"`, "q"}}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	dir := t.TempDir()
	for _, m := range []string{"modules/a", "modules/deep/er/b", "modules/a/modules/c"} {
		put(t, dir, m+"/HEAD", "ref: refs/heads/main\n")
		put(t, dir, m+"/objects/x", "")
		put(t, dir, m+"/refs/x", "")
	}
	dirs, errs := ModuleDirs(dir)
	for i := range dirs {
		dirs[i], _ = filepath.Rel(dir, dirs[i])
		dirs[i] = filepath.ToSlash(dirs[i])
	}
	if want := []string{"modules/a", "modules/a/modules/c", "modules/deep/er/b"}; !slices.Equal(dirs, want) || errs != nil {
		t.Errorf("got %q, want %q; %v", dirs, want, errs)
	}
}

// Whatever is in the files, references have names and whole ids.
func FuzzRefs(f *testing.F) {
	f.Add([]byte(id("1")+" refs/heads/main\n"), []byte(id("2")), []byte("ref: refs/heads/x")) // sound
	f.Add([]byte("^"+id("1")+"\n\n# x\n"), []byte("ref: HEAD"), []byte(id("1")))              // no reference at all, and a detached head
	f.Add([]byte(id("1")+"\n"), []byte{0}, []byte("ref:"))                                    // cut short
	f.Fuzz(func(t *testing.T, packed, loose, head []byte) {
		dir := t.TempDir()
		put(t, dir, "packed-refs", string(packed))
		put(t, dir, "refs/heads/x", string(loose))
		put(t, dir, "HEAD", string(head))
		refs, _ := Refs(dir)
		for _, r := range refs {
			if !isID(r.ID) {
				t.Errorf("%q has the id %q", r.Name, r.ID)
			}
		}
		a, _ := Head(dir, refs)
		b, _ := HeadOnly(dir, dir)
		if a != "" && !isID(a) || b != "" && !isID(b) {
			t.Errorf("heads %q and %q", a, b)
		}
		ParseModules(packed)
	})
}
