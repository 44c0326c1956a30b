package disk

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// readCached reads what is in memory already, and is not ok when the file's next bytes
// are not, or the file system cannot tell. The runtime does not know of the call, as it
// cannot wait: to it, a thread that copies for a while waits for a disk, and it would
// hand the thread's processor to another one at once.
func readCached(fd int, p []byte) (n int, ok bool) {
	if len(p) == 0 {
		return 0, false
	}
	iov := unix.Iovec{Base: &p[0]}
	iov.SetLen(len(p))
	const here = ^uintptr(0) // at the file's position, which moves
	r, _, errno := unix.RawSyscall6(unix.SYS_PREADV2, uintptr(fd), uintptr(unsafe.Pointer(&iov)), 1, here, here, unix.RWF_NOWAIT)
	return int(r), errno == 0
}
