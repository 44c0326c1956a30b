//go:build unix

package revoke

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openExclusive opens a file for appending and locks it. The lock ends with the
// process, however it ends.
func openExclusive(path string, create bool) (*os.File, error) {
	flags := os.O_RDWR | os.O_APPEND
	if create {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = ErrBusy
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	// Another run may have taken the name away between the opening and the lock.
	mine, err := f.Stat()
	named, nameErr := os.Stat(path)
	if err = errors.Join(err, nameErr); err == nil && !os.SameFile(mine, named) {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

// syncFolder puts a new file's name on the disk, where the file system can.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil // a folder that may be written and not read
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
