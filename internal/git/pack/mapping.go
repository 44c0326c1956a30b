package pack

import (
	"io/fs"
	"runtime"
	"runtime/debug"

	"github.com/b10lint/b10lint/internal/git/gitdir"
)

// openMapped maps the regular file at path. Its bytes must only be touched under
// guard: the file may shrink, or its disk fail, at any time.
func openMapped(path string) ([]byte, error) {
	f, size, err := gitdir.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size == 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errTruncated}
	}
	if int64(int(size)) != size {
		return nil, &fs.PathError{Op: "map", Path: path, Err: ErrTooLarge}
	}
	return mapFile(f, int(size))
}

// guard runs f and turns a fault on a mapped page, which would otherwise end the
// process, into an error. Every other panic goes through.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			err = faultError(r)
		}
	}()
	return f()
}

func faultError(r any) error {
	e, ok := r.(runtime.Error)
	if ok {
		// Only a fault at an address that is not nil has an Addr.
		_, ok = e.(interface{ Addr() uintptr })
	}
	if !ok {
		panic(r)
	}
	return errChanged
}
