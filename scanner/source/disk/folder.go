package disk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// A folder is an open folder. Where the system can, its files are opened from it by
// their names alone: to look up the whole path of each costs as much again as opening it.
type folder struct {
	openDir
	users atomic.Int32
}

// An item is what a folder holds: a folder, a regular file, or what is passed over.
type item struct {
	name         string
	dir, regular bool
}

// openFolder opens a folder and reads what it holds, sorted by name, which keeps
// neighbours on the disk together. On an error it returns what it could read, and a
// folder that is nil or to be released.
func openFolder(path string) (*folder, []item, error) {
	d, err := newOpenDir(path)
	if err != nil {
		return nil, nil, err
	}
	f := &folder{openDir: d}
	f.users.Store(1)
	items, err := d.items(path)
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return f, items, err
}

func (f *folder) retain() { f.users.Add(1) }

func (f *folder) release() {
	if f != nil && f.users.Add(-1) == 0 {
		_ = f.Close()
	}
}

// Exists reports whether a folder has an entry of that name; not, for the folder "".
func Exists(dir, name string) bool {
	if dir == "" {
		return false
	}
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}
