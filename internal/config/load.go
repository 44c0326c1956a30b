package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Root returns the folder whose configuration holds for name: the root of the git
// work tree that name lies in, else the folder itself, or that of a file. name
// need not exist.
func Root(name string) (dir string, repository bool, err error) {
	dir, err = filepath.Abs(name)
	if err != nil {
		return "", false, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at, true, nil
		}
		if at == filepath.Dir(at) {
			return dir, false, nil
		}
	}
}

// Load reads a configuration file. The error is fs.ErrNotExist if there is none,
// else an *Error or several joined.
func Load(name string) (*Config, error) {
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	return Parse(name, data)
}

// read returns the content of a regular file of bounded size. A symbolic link is
// refused: in a repository that others may write to, it would let a change choose
// a file that is not under review.
func read(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	switch {
	case err != nil:
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err)}
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &Error{File: name, Text: "is a symbolic link", Hint: "put a regular file in its place, or name the other one with --config"}
	case !info.Mode().IsRegular():
		return nil, &Error{File: name, Text: "is not a regular file", Hint: "put a regular file in its place, or leave it out with --no-config"}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err), Hint: "check who may read it"}
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, &Error{File: name, Text: "was replaced while it was read", Hint: "run again"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, &Error{File: name, Text: "cannot be read: " + plain(err)}
	}
	if len(data) > maxSize {
		return nil, &Error{File: name, Text: fmt.Sprintf("is larger than %d MiB", maxSize>>20)}
	}
	return data, nil
}

// plain returns the words of an error without the path that stands beside them.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
