//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// syncDir does nothing: a folder cannot be opened for that here.
func syncDir(string) error { return nil }

// sameOwner does nothing: a new file belongs to its folder's owner here.
func sameOwner(*os.File, fs.FileInfo) {}

// lock does nothing, and inUse need not ask: a file that is open cannot be removed here.
func lock(*os.File) {}

func inUse(string) bool { return false }
