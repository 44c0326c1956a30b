// Package gitdir says where a git repository keeps what is its own, and reads small
// files there, as gitrepository-layout(5) describes them. It runs nothing, and what
// a file says is followed one step, as git does, so that no repository leads round
// in circles.
package gitdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/internal/regular"
)

// ErrNotRepository is the error for a path that holds no git repository.
var ErrNotRepository = errors.New("not a git repository: it has no object folder")

// Find returns the folder with the HEAD and index of the repository at path, and the
// one with what its linked work trees share: refs, config, objects. Both are the
// same but for a linked work tree. path is a work tree, a .git folder, a .git file (of
// a linked work tree or submodule), or a bare repository. Find does not check that
// there is a repository in a folder. The error is ErrNotRepository for a file that
// does not lead to one.
func Find(path string) (own, common string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", err
	}
	if info.IsDir() {
		own = path // bare, or the .git folder itself
		path = filepath.Join(path, ".git")
		if info, err = os.Stat(path); err == nil && info.IsDir() {
			own = path
		}
	}
	if err == nil && !info.IsDir() {
		text, err := regular.ReadFile(path, maxPointer)
		if err != nil {
			return "", "", err
		}
		name, ok := strings.CutPrefix(string(text), "gitdir:")
		if !ok {
			return "", "", &fs.PathError{Op: "open", Path: path, Err: ErrNotRepository}
		}
		own = Resolve(filepath.Dir(path), strings.TrimSpace(name))
	}
	text, err := regular.ReadFile(filepath.Join(own, "commondir"), maxPointer)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return own, own, nil
	case err != nil:
		return "", "", err
	}
	return own, Resolve(own, strings.TrimSpace(string(text))), nil
}

// OfWorkTree is Find for a folder that has a .git. Both results are empty for any
// other folder, and when it cannot be followed.
func OfWorkTree(root string) (own, common string) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		return "", ""
	}
	own, common, err := Find(root)
	if err != nil {
		return "", ""
	}
	return own, common
}

// Is reports whether a folder looks like a repository's own: it has a HEAD, objects
// and refs, or is a linked work tree's.
func Is(dir string) bool {
	has := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	return has("objects") && has("refs") || has("commondir")
}

// maxPointer is the largest file, in bytes, that should hold nothing but a path.
const maxPointer = 1 << 20

// Resolve returns the path that a file in dir means by name.
func Resolve(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}
