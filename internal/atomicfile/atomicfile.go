// Package atomicfile writes a file whole or not at all. The bytes go to a
// temporary file in the same folder, which takes the name of the target when all
// of it is on the disk; until then, and after any failure, the old file stands.
// What a process that was killed left behind is removed by the next one that writes
// the same file.
package atomicfile

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Mode is the permission bits of the file that is written.
type Mode struct {
	// Perm is for a file that does not exist yet, before the umask.
	Perm fs.FileMode
	// Force sets Perm on a file that exists, too; otherwise it keeps its own.
	Force bool
}

// A File is a file being written. Use Commit to give it its name, or Abandon to
// leave everything as it was; exactly one of them takes effect, the first. It is
// not safe for use by several goroutines at once.
type File struct {
	f      *os.File
	target string // the real file, links followed
	direct bool   // f is a device or a pipe, and no temporary file
	err    error  // the first write error
	done   bool
}

// Create begins to write the file of a name. A symbolic link is followed, and the
// file it leads to replaced, which need not exist. What is not a regular file (a
// device, a pipe, a socket) and every name under /dev and /proc is opened and
// written to directly, and never replaced. An existing file that may not be
// written to, a folder, and a folder that takes no new file are errors; nothing has
// been changed then.
func Create(name string, mode Mode) (*File, error) {
	if name == "" {
		return nil, errors.New("no file name")
	}
	info, err := os.Stat(name)
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	switch {
	case exists && info.IsDir():
		return nil, &fs.PathError{Op: "write", Path: name, Err: errors.New("is a directory")}
	case exists && !info.Mode().IsRegular(), direct(name):
		// Append, because a name like /dev/stdout may lead to a file that has
		// other output in it.
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return nil, err
		}
		return &File{f: f, direct: true}, nil
	}
	target, err := resolve(name)
	if err != nil {
		return nil, err
	}
	if exists {
		f, err := os.OpenFile(target, os.O_WRONLY, 0) // a file that is protected is not replaced
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return temporary(target, info, mode)
}

// WriteFile writes data to the file of a name, whole or not at all.
func WriteFile(name string, data []byte, mode Mode) error {
	f, err := Create(name, mode)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Abandon())
	}
	return f.Commit()
}

// direct reports whether a name is one of those that stand for an open file or a
// device whatever it leads to, such as /dev/stdout or /proc/self/fd/1.
func direct(name string) bool {
	abs, err := filepath.Abs(name)
	if err != nil {
		return false
	}
	slash := filepath.ToSlash(abs)
	return strings.HasPrefix(slash, "/dev/") || strings.HasPrefix(slash, "/proc/")
}

const maxLinks = 40 // as the kernel of Linux allows

// resolve follows symbolic links in the last part of name, to a file that may
// not exist. The folder of a link is resolved first, since its target is relative
// to the folder's real place.
func resolve(name string) (string, error) {
	start := name
	for range maxLinks {
		link, err := os.Readlink(name)
		if err != nil {
			return name, nil // no link, or not there: the caller will see which
		}
		if !filepath.IsAbs(link) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			link = dir + string(filepath.Separator) + link
		}
		name = link
	}
	return "", &fs.PathError{Op: "write", Path: start, Err: errors.New("too many levels of symbolic links")}
}

// The name of a temporary file is that of the target between a dot and so many random
// characters, and the suffix.
const (
	random = 10
	suffix = ".tmp"
	// youth is how old a temporary file is, at least, that is removed: one that has just
	// been created may not be locked yet.
	youth = time.Minute
)

// removeLeft removes the temporary files of a target that no process has open. What it
// cannot remove stays.
func removeLeft(dir, base string) {
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return
	}
	for _, e := range entries {
		middle, ours := strings.CutPrefix(e.Name(), "."+base+".")
		middle, ends := strings.CutSuffix(middle, suffix)
		if !ours || !ends || len(middle) != random || strings.Trim(middle, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > youth && !inUse(name) {
			_ = os.Remove(name)
		}
	}
}

// temporary makes the file that will take the target's name. old is the
// target's, nil when there is none.
func temporary(target string, old fs.FileInfo, mode Mode) (*File, error) {
	dir, base := filepath.Split(target)
	removeLeft(dir, base)
	perm := mode.Perm.Perm()
	keep := old != nil && !mode.Force
	if keep {
		perm = old.Mode().Perm()
	}
	// Only what the umask leaves of perm, and never more than the final mode.
	f, err := os.OpenFile(filepath.Join(dir, "."+base+"."+rand.Text()[:random]+suffix), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, fmt.Errorf("making a temporary file for %s: %w", target, err)
	}
	lock(f)
	out := &File{f: f, target: target}
	if keep {
		err = f.Chmod(perm)
		sameOwner(f, old)
	} else if mode.Force && perm&0o077 == 0 {
		err = f.Chmod(perm)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("setting the mode of %s: %w", f.Name(), err), out.Abandon())
	}
	return out, nil
}

// Write appends p. After an error the file can only be abandoned.
func (f *File) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	if f.done {
		return 0, fs.ErrClosed
	}
	n, err := f.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	f.err = err
	return n, err
}

// Commit puts what was written on the disk and gives it the target's name. After
// a failed Write, or when any step of it fails, it abandons the file and returns the
// error; the old file then stands as it was.
func (f *File) Commit() error {
	if f.done {
		return fs.ErrClosed
	}
	if f.err != nil {
		return errors.Join(f.err, f.Abandon())
	}
	if f.direct {
		f.done = true
		return f.f.Close() // a device or a pipe has nothing to be synced
	}
	err := f.f.Sync()
	if err == nil {
		err = f.f.Close() // as Windows needs, to rename it
	}
	// Something else may have come to the name since.
	if info, gone := os.Lstat(f.target); err == nil && gone == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "replace", Path: f.target, Err: errors.New("it is no longer a regular file")}
	}
	if err == nil {
		err = os.Rename(f.f.Name(), f.target)
	}
	if err != nil {
		return errors.Join(err, f.Abandon())
	}
	f.done = true
	return syncDir(filepath.Dir(f.target))
}

// Abandon removes what was written and leaves the target as it was. It does
// nothing after Commit or Abandon, so it can be deferred.
func (f *File) Abandon() error {
	if f.done {
		return nil
	}
	f.done = true
	err := f.f.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	if f.direct {
		return err
	}
	if gone := os.Remove(f.f.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}
