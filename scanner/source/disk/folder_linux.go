package disk

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// An openDir does what an os.File does at a third of the cost: a folder scan asks for
// as many names as it reads files.
type openDir struct{ file }

func newOpenDir(path string) (openDir, error) {
	f, err := openAt(unix.AT_FDCWD, path, unix.O_DIRECTORY)
	return openDir{f}, err
}

func (d openDir) descriptor() int { return d.fd }

// The records of getdents64(2), struct linux_dirent64: the number of the file, an
// offset, then the length of the record, the kind, and the name with a zero byte
// after it.
const (
	direntLength = 16
	direntKind   = 18
	direntName   = 19
)

var direntBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// items returns what the folder holds, in no order. path is where it is.
func (d openDir) items(path string) ([]item, error) {
	buf := direntBuffers.Get().(*[32 << 10]byte)
	defer direntBuffers.Put(buf)
	var items []item
	for {
		n, err := unix.Getdents(d.fd, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return items, &fs.PathError{Op: "getdents64", Path: path, Err: err}
		case n == 0:
			return items, nil
		}
		if items, err = parseDirents(items, path, buf[:n]); err != nil {
			return items, err
		}
	}
}

// parseDirents appends the items of a buffer of records. Their names share one string.
func parseDirents(items []item, path string, b []byte) ([]item, error) {
	all := string(b)
	for at := 0; at+direntName < len(b); {
		size := int(binary.NativeEndian.Uint16(b[at+direntLength:]))
		if size <= direntName || at+size > len(b) {
			break
		}
		name := all[at+direntName : at+size]
		name = name[:max(0, strings.IndexByte(name, 0))]
		kind := b[at+direntKind]
		at += size
		if name == "" || name == "." || name == ".." {
			continue
		}
		it := item{name, kind == unix.DT_DIR, kind == unix.DT_REG}
		if kind == unix.DT_UNKNOWN { // some file systems do not say
			info, err := os.Lstat(filepath.Join(path, name))
			if errors.Is(err, fs.ErrNotExist) { // gone since it was listed
				continue
			}
			if err != nil {
				return items, err
			}
			it.dir, it.regular = info.IsDir(), info.Mode().IsRegular()
		}
		items = append(items, it)
	}
	return items, nil
}
