package gitdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

func TestFind(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "usual/.git/HEAD", "")
	put(t, dir, "usual/.git/worktrees/w/commondir", "../..\n")
	put(t, dir, "linked/.git", "gitdir: "+filepath.Join(dir, "usual/.git/worktrees/w")+"\r\n")
	put(t, dir, "sub/.git", "gitdir: ../usual/.git/modules/sub\n")
	put(t, dir, "bare/HEAD", "")
	put(t, dir, "bogus/.git", "nonsense")
	put(t, dir, "long/.git", "gitdir: "+strings.Repeat("x", maxPointer))
	put(t, dir, "odd/.git/commondir/x", "")
	for _, c := range []struct {
		path, own, common string
		workTree          bool
	}{
		{"usual", "usual/.git", "usual/.git", true},
		{"usual/.git", "usual/.git", "usual/.git", false},
		{"linked", "usual/.git/worktrees/w", "usual/.git", true},
		{"linked/.git", "usual/.git/worktrees/w", "usual/.git", false},
		{"sub", "usual/.git/modules/sub", "usual/.git/modules/sub", true},
		{"bare", "bare", "bare", false},
	} {
		path, own, common := filepath.Join(dir, c.path), filepath.Join(dir, c.own), filepath.Join(dir, c.common)
		gotOwn, gotCommon, err := Find(path)
		if gotOwn != own || gotCommon != common || err != nil {
			t.Errorf("Find(%s): %s, %s, %v", c.path, gotOwn, gotCommon, err)
		}
		if !c.workTree {
			own, common = "", ""
		}
		if gotOwn, gotCommon = OfWorkTree(path); gotOwn != own || gotCommon != common {
			t.Errorf("OfWorkTree(%s): %s, %s", c.path, gotOwn, gotCommon)
		}
	}
	for path, want := range map[string]string{
		"absent": fs.ErrNotExist.Error(), "bogus": ErrNotRepository.Error(), "bare/HEAD": ErrNotRepository.Error(),
		"long": "larger than", "odd": "not a regular file",
	} {
		if _, _, err := Find(filepath.Join(dir, path)); err == nil || !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), want) {
			t.Errorf("Find(%s): %v, want %s", path, err, want)
		}
		if own, common := OfWorkTree(filepath.Join(dir, path)); own != "" || common != "" {
			t.Errorf("OfWorkTree(%s): %s, %s", path, own, common)
		}
	}
}

func TestIs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"no/HEAD", "no/objects/x", "yes/HEAD", "yes/objects/x", "yes/refs/x", "linked/HEAD", "linked/commondir", "headless/objects/x", "headless/refs/x"} {
		put(t, dir, name, "")
	}
	for name, want := range map[string]bool{"no": false, "yes": true, "linked": true, "headless": false, "absent": false} {
		if got := Is(filepath.Join(dir, name)); got != want {
			t.Errorf("Is(%s) = %v", name, got)
		}
	}
}
