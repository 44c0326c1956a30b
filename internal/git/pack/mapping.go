package pack

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
)

// openRegular opens path if it is a regular file, and gives its size. Anything
// else (a pipe, a device) could block or never end.
func openRegular(path string) (*os.File, int64, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, 0, err
	} else if !info.Mode().IsRegular() {
		return nil, 0, &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("not a regular file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// openMapped maps the regular file at path. Its bytes must only be touched under
// guard: the file may shrink, or its disk fail, at any time.
func openMapped(path string) ([]byte, error) {
	f, size, err := openRegular(path)
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
