package pack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/gittest"
)

func TestOpenNotRepository(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), []byte("text"))
	bogus := filepath.Join(dir, "bogus")
	writeFile(t, filepath.Join(bogus, ".git"), []byte("not a pointer"))
	lost := filepath.Join(dir, "lost")
	writeFile(t, filepath.Join(lost, ".git"), []byte("gitdir: ../nowhere\n"))
	for path, want := range map[string]error{
		dir: gitdir.ErrNotRepository, filepath.Join(dir, "file"): gitdir.ErrNotRepository, bogus: gitdir.ErrNotRepository,
		lost: gitdir.ErrNotRepository, filepath.Join(dir, "absent"): os.ErrNotExist,
	} {
		if s, err := Open(path, Options{}); !errors.Is(err, want) {
			t.Errorf("%s: %v %v, want %v", path, s, err, want)
		}
	}
}

func TestOpenUnknownFormat(t *testing.T) {
	dir := bareDir(t)
	writeFile(t, filepath.Join(dir, "config"), []byte("[extensions]\n\tobjectFormat = blake3\n"))
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "blake3") {
		t.Errorf("got %v", err)
	}
}

// TestDetectHash takes the configuration away, and then what is told by names.
func TestDetectHash(t *testing.T) {
	dir, _ := makeRepo(t, 2, 10, "--object-format=sha256")
	remove := func(path string) {
		if err := os.Remove(filepath.Join(dir, ".git", path)); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *Store {
		s, p := openTest(t, dir, Options{})
		noProblems(t, p)
		if s.HashSize() != sha256Size {
			t.Errorf("hash of %d bytes", s.HashSize())
		}
		return s
	}
	open()
	remove("config")
	open()
	gittest.Run(t, dir, "config", "core.repositoryformatversion", "1")
	gittest.Run(t, dir, "config", "extensions.objectformat", "sha256")
	unpackAll(t, dir)
	remove("config")
	open()
}

func TestObjectFormat(t *testing.T) {
	for text, want := range map[string]int{
		"":                                      sha1Size,
		"[extensions]\nobjectformat=sha256":     sha256Size,
		"[Extensions]\n\tobjectFormat = SHA256": sha256Size,
		"[extensions] objectFormat = \"sha256\" # why": sha256Size,
		"[core]\nobjectformat = sha256\n":              sha1Size,
		"[extensions \"x\"]\nobjectformat = sha256\n":  sha1Size,
		"# [extensions]\nobjectformat = sha256\n":      sha1Size,
	} {
		dir := bareDir(t)
		writeFile(t, filepath.Join(dir, "config"), []byte(text))
		s, _ := openTest(t, dir, Options{})
		if got := s.HashSize(); got != want {
			t.Errorf("%q: hash of %d bytes, want %d", text, got, want)
		}
	}
}

// alternatesOf makes repository i of a chain in which each has one object.
func alternatesOf(t *testing.T, root string, i int, lines string) (dir string, id ID) {
	dir = filepath.Join(root, fmt.Sprint(i))
	text := fmt.Sprintf("object %d", i)
	id = idOf(Blob, text)
	writeFile(t, filepath.Join(dir, "config"), nil)
	writeLoose(t, dir, id, deflate(fmt.Sprintf("blob %d\x00%s", len(text), text)))
	writeFile(t, filepath.Join(dir, "objects/info/alternates"), []byte(lines))
	return dir, id
}

// TestAlternates follows alternates that are relative, absolute, quoted, absent,
// nested too deep, and that lead in a circle.
func TestAlternates(t *testing.T) {
	root := t.TempDir()
	want := map[string]string{}
	for i := range 8 {
		next := filepath.Join(root, fmt.Sprint(i+1), "objects")
		lines := []string{
			fmt.Sprintf("# a comment\n\n../../%d/objects\n", i+1), next + "\n", `"` + next + `"` + "\n", "../../4/objects\r\n../../0/objects\n",
		}[i%4]
		_, id := alternatesOf(t, root, i, lines)
		if i <= alternateDepth {
			want[id.String()] = "blob 8"
		}
	}
	_, extra := alternatesOf(t, root, 20, "../../absent\n../../20/objects\n")
	want[extra.String()] = "blob 9"
	s, p := openTest(t, filepath.Join(root, "0"), Options{Alternates: []string{filepath.Join(root, "20/objects")}})
	got, _ := sweepTest(t, s, SweepOptions{})
	checkObjects(t, got, want)
	if len(p.all) != 2 || !errors.Is(p.all[0], errAlternateDepth) || !errors.Is(p.all[1], os.ErrNotExist) {
		t.Errorf("problems: %v", p.all)
	}
	if n := len(s.ObjectDirs()); n != 7 {
		t.Errorf("%d object folders, want 7", n)
	}
}

// TestObjectDir reads a quarantine folder, as a pre-receive hook has to.
func TestObjectDir(t *testing.T) {
	root := t.TempDir()
	_, main := alternatesOf(t, root, 1, "")
	quarantine, incoming := alternatesOf(t, root, 2, "")
	s, p := openTest(t, filepath.Join(root, "1"), Options{
		ObjectDir:  filepath.Join(quarantine, "objects"),
		Alternates: []string{filepath.Join(root, "1/objects")},
	})
	noProblems(t, p)
	if !s.Has(main) || !s.Has(incoming) || s.Has(idOf(Blob, "")) {
		t.Error("the store does not hold what it should")
	}
	if s.ObjectDirs()[0] != filepath.Join(quarantine, "objects") {
		t.Errorf("folders %v", s.ObjectDirs())
	}
}

// TestSubmodule opens a submodule by its .git file.
func TestSubmodule(t *testing.T) {
	sub, _ := makeRepo(t, 4, 20)
	super := filepath.Join(t.TempDir(), "super")
	gittest.Run(t, sub, "init", "-q", super)
	gittest.Run(t, super, "submodule", "--quiet", "add", sub, "deps/sub")
	s, p := openTest(t, filepath.Join(super, "deps/sub"), Options{})
	if want := filepath.Join(super, ".git/modules/deps/sub"); s.GitDir() != want {
		t.Errorf("opened %s, want %s", s.GitDir(), want)
	}
	got, stats := sweepTest(t, s, SweepOptions{})
	checkSweep(t, filepath.Join(super, "deps/sub"), got, stats)
	noProblems(t, p)
}

// TestPartialClone reads a clone without blobs: what is there is handed over, and
// what is promised is just not there.
func TestPartialClone(t *testing.T) {
	src, _ := makeRepo(t, 5, 40)
	gittest.Run(t, src, "config", "uploadpack.allowFilter", "true")
	clone := filepath.Join(t.TempDir(), "clone")
	gittest.Run(t, src, "clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+src, clone)
	s, p := openTest(t, clone, Options{})
	packs := s.Packs()
	if len(packs) != 1 || !packs[0].Promisor {
		t.Errorf("packs %+v", packs)
	}
	got, stats := sweepTest(t, s, SweepOptions{})
	if stats.Handed[Commit] != 40 || stats.Handed[Blob] != 0 || len(got.wrong) > 0 {
		t.Errorf("stats %+v", stats)
	}
	noProblems(t, p)
	blob, err := ParseID(gittest.Run(t, src, "rev-parse", "main:dir0/file0.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Reader().Object(blob); !errors.Is(err, ErrNotFound) {
		t.Errorf("reading a promised blob gave %v", err)
	}
}

// TestNotRegular has folders where files belong.
func TestNotRegular(t *testing.T) {
	dir := bareDir(t)
	for _, path := range []string{"objects/pack/pack-x.pack", "objects/ab/" + strings.Repeat("c", 38)} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	s, p := openTest(t, dir, Options{})
	got, _ := sweepTest(t, s, SweepOptions{})
	if len(p.all) != 2 || len(got.objects) != 0 {
		t.Errorf("problems %v", p.all)
	}
}
