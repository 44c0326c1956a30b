package revoke

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
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
	// One byte far behind the end, so that the file itself can be read by people.
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if err != nil {
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			err = ErrBusy
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

// syncFolder does nothing: Windows writes names through by itself.
func syncFolder(string) error { return nil }
