package workstation

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Reachable reports whether the folders above a file let through those whose bit
// is in who: 0o001 for everyone, 0o010 for the group, or both. What cannot be
// looked at counts as open.
func Reachable(name string, who fs.FileMode) bool {
	real, err := filepath.EvalSymlinks(name)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return true
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&who == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// openToAll reports whether everyone on the machine may read a file. On Windows,
// where mode bits say nothing, it says no.
func openToAll(name string) bool {
	if runtime.GOOS == "windows" {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().Perm()&0o004 != 0 && Reachable(name, 0o001)
}
