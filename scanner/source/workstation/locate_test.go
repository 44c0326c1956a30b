package workstation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/gittest"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/git"
	"github.com/b10lint/b10lint/scanner/source/sourcetest"
)

// exposures locates files below root, by their names.
func exposures(t *testing.T, o Options, root string, want map[string]finding.Exposure) {
	t.Helper()
	var places []finding.Location
	for name := range want {
		places = append(places, finding.Location{Path: filepath.ToSlash(filepath.Join(root, name))})
	}
	found, err := Locate(context.Background(), o, places)
	if err != nil || len(found) != len(places) {
		t.Fatalf("%d places: %v", len(found), err)
	}
	for i, at := range found {
		name, _ := filepath.Rel(filepath.ToSlash(root), places[i].Path)
		name = filepath.ToSlash(name)
		if at.Exposure != want[name] {
			t.Errorf("%s: %+v, want %s", name, at, want[name])
		}
	}
}

func TestExposures(t *testing.T) {
	outer := t.TempDir()
	lib := filepath.Join(outer, "lib")
	sourcetest.Write(t, lib, "l.py")
	gittest.Run(t, lib, "init", "-q")
	gittest.Run(t, lib, "add", ".")
	gittest.Run(t, lib, "commit", "-q", "-m", "x")
	root := filepath.Join(outer, "r")
	sourcetest.Write(t, root, "app.py", "staged.py", "new.py", ".gitignore: .env|dir/*|!dir/kept", ".env", "forced/.env", "dir/a", "dir/kept", "intent", "nested/.gitignore: b", "nested/a", "nested/b", "deep/er/f", "fake/.git/x", "fake/f")
	gittest.Run(t, root, "init", "-q")
	gittest.Run(t, root, "submodule", "add", "-q", lib, "sub")
	gittest.Run(t, root, "add", "app.py", ".gitignore")
	gittest.Run(t, root, "add", "-f", "forced/.env", "deep")
	gittest.Run(t, root, "commit", "-q", "-m", "x")
	gittest.Run(t, root, "add", "staged.py")
	gittest.Run(t, root, "add", "-N", "intent")
	gittest.Run(t, filepath.Join(root, "nested"), "init", "-q")
	sourcetest.Write(t, root, "sub/secret", "sub/ig", "sub/.gitignore: ig")
	linked := filepath.Join(outer, "w")
	gittest.Run(t, root, "worktree", "add", "-q", linked)
	sourcetest.Write(t, linked, "mine", ".env")
	sourcetest.Write(t, root, ".git/config.bak")
	exposures(t, Options{}, root, map[string]finding.Exposure{
		"app.py": finding.Committed, "staged.py": finding.Committed, "new.py": finding.Untracked, ".env": finding.Ignored,
		"forced/.env": finding.Committed, "dir/a": finding.Ignored, "dir/kept": finding.Untracked, "intent": finding.Untracked,
		"nested/a": finding.Untracked, "nested/b": finding.Ignored, "deep/er/f": finding.Committed, "fake/f": finding.Untracked,
		"sub/l.py": finding.Committed, "sub/secret": finding.Untracked, "sub/ig": finding.Ignored, ".git/config.bak": finding.Plain,
		"deep/er/gone": finding.Untracked,
	})
	exposures(t, Options{}, linked, map[string]finding.Exposure{
		"app.py": finding.Committed, "staged.py": finding.Untracked, "mine": finding.Untracked, ".env": finding.Ignored,
	})
	sourcetest.Write(t, outer, "plain")
	exposures(t, Options{}, outer, map[string]finding.Exposure{"plain": finding.Plain, "r/app.py": finding.Committed, "r/.env": finding.Ignored})
}

// Paths as users name them: through links, relative, and in another case where the
// file system does not care.
func TestExposureByAnotherName(t *testing.T) {
	outer := t.TempDir()
	root := filepath.Join(outer, "r")
	sourcetest.Write(t, root, "Src/App.py", "Src/x")
	gittest.Run(t, root, "init", "-q")
	gittest.Run(t, root, "add", "Src/App.py")
	t.Chdir(filepath.Join(root, "Src"))
	states := git.NewWorkTrees(nil).States([]string{"App.py", "../Src/App.py", "x"})
	for i, want := range []finding.Exposure{finding.Committed, finding.Committed, finding.Untracked} {
		if s := states[i]; s.Exposure != want || s.Err != nil || !strings.HasPrefix(s.Rel, "Src/") {
			t.Errorf("%+v, want %s", s, want)
		}
	}
	if runtime.GOOS != "windows" {
		if err := os.Symlink(root, filepath.Join(outer, "link")); err != nil {
			t.Fatal(err)
		}
		exposures(t, Options{}, filepath.Join(outer, "link"), map[string]finding.Exposure{"Src/App.py": finding.Committed})
	}
	// What a Mac or Windows would ask with core.ignoreCase set.
	gittest.Run(t, root, "config", "core.ignoreCase", "true")
	if s := git.NewWorkTrees(nil).State(filepath.Join(root, "src", "APP.py")); s.Exposure != finding.Committed || s.Err != nil {
		t.Errorf("in another case: %+v", s)
	}
}

// On a Mac names may come decomposed; git has them composed and says so in its
// configuration.
func TestExposureOfDecomposedName(t *testing.T) {
	root := t.TempDir()
	sourcetest.Write(t, root, "\u00e9.env") // é, composed
	gittest.Run(t, root, "init", "-q")
	gittest.Run(t, root, "add", ".")
	gittest.Run(t, root, "config", "core.precomposeUnicode", "true")
	if s := git.NewWorkTrees(nil).State(filepath.Join(root, "e\u0301.env")); s.Exposure != finding.Committed {
		t.Errorf("%+v", s)
	}
}

func TestExposureInHome(t *testing.T) {
	dir := t.TempDir()
	sourcetest.Write(t, dir, ".trussrc", "other", ".bashrc")
	gittest.Run(t, dir, "init", "-q")
	gittest.Run(t, dir, "add", ".bashrc")
	o := Options{Dir: dir, System: "linux"}
	exposures(t, o, dir, map[string]finding.Exposure{".trussrc": finding.Home, "other": finding.Untracked, ".bashrc": finding.Committed})
	places := []finding.Location{{Path: source.EnvironmentPath + "X", Exposure: finding.Home}, {Path: filepath.ToSlash(filepath.Join(dir, ".bashrc"))}, {Path: filepath.ToSlash(filepath.Join(dir, ".trussrc"))}}
	var hits []source.Hit
	for _, at := range places {
		hits = append(hits, source.Hit{At: at})
	}
	found, err := Home(o).Locate(context.Background(), hits)
	if err != nil || found[0][0].Exposure != finding.Home || found[1][0].Exposure != finding.Committed || found[2][0].Exposure != finding.Home {
		t.Errorf("%+v %v", found, err)
	}
}

// A repository that cannot be read narrows nothing, and is said.
func TestExposureUnknown(t *testing.T) {
	for name, damage := range map[string]string{"index": "r/.git/index: broken", "elsewhere": "r/.git: gitdir: nowhere"} {
		outer := t.TempDir()
		sourcetest.Write(t, outer, "r/.env", "r/.gitignore: .env")
		if name == "index" {
			gittest.Run(t, filepath.Join(outer, "r"), "init", "-q")
		}
		sourcetest.Write(t, outer, damage)
		root := filepath.Join(outer, "r")
		at := finding.Location{Path: filepath.ToSlash(filepath.Join(root, ".env"))}
		found, err := Locate(context.Background(), Options{}, []finding.Location{at, at})
		var parts source.LocateError
		if !errors.As(err, &parts) || len(parts) != 1 || parts[0].Hint == "" || len(found) != 2 || found[0].Exposure != finding.Untracked {
			t.Errorf("%s: %+v %v", name, found, err)
		}
	}
}

func TestReadable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	dir := t.TempDir()
	sourcetest.Write(t, dir, "d/f")
	name, folder := filepath.Join(dir, "d", "f"), filepath.Join(dir, "d")
	for _, d := range []string{dir, filepath.Dir(dir)} { // TempDir makes the upper one for its owner alone
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if !Reachable(filepath.Join(dir, "x"), 0o001) {
		t.Skip("the folder for temporary files is closed to others")
	}
	for _, c := range []struct {
		file, folder os.FileMode
		want         bool
	}{{0o644, 0o755, true}, {0o604, 0o701, true}, {0o640, 0o755, false}, {0o600, 0o755, false}, {0o644, 0o750, false}, {0o644, 0o700, false}} {
		if err := errors.Join(os.Chmod(name, c.file), os.Chmod(folder, c.folder)); err != nil {
			t.Fatal(err)
		}
		if got := openToAll(name); got != c.want {
			t.Errorf("file %04o in a folder %04o: %v", c.file, c.folder, got)
		}
	}
}
