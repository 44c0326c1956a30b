//go:build !unix

package disk

import "os"

type file struct{ *os.File }

func openFile(_ *folder, path string) (file, error) {
	f, err := os.Open(path)
	return file{f}, err
}

// stat returns the size, a stamp that changes with the content, and whether the
// file is a regular one.
func (f file) stat() (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	t := info.ModTime()
	return stamp{size: info.Size(), sec: t.Unix(), nsec: int64(t.Nanosecond()), regular: info.Mode().IsRegular()}, nil
}
