package pack

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/b10lint/b10lint/internal/inflate"
	"github.com/b10lint/b10lint/internal/regular"
)

// A looseDir names the loose objects of one object folder.
type looseDir struct {
	dir string
	ids idTable
}

// listLoose lists the loose objects under dir. Files with other names (there are
// temporary ones) are not objects.
func listLoose(dir string, hash int, problem func(string, error)) *looseDir {
	entries, err := os.ReadDir(dir)
	if err != nil {
		problem(dir, err)
	}
	var ids []byte
	for _, e := range entries {
		if _, err := hex.DecodeString(e.Name()); err != nil || len(e.Name()) != 2 {
			continue
		}
		sub := filepath.Join(dir, e.Name())
		files, err := os.ReadDir(sub)
		if err != nil {
			problem(sub, err)
		}
		for _, f := range files {
			if with, err := hex.AppendDecode(ids, []byte(e.Name()+f.Name())); err == nil && len(with) == len(ids)+hash {
				ids = with
			}
		}
	}
	// Folders and files come by name, but a file system may hold a name in both cases.
	sorted := slices.Collect(slices.Chunk(ids, hash))
	slices.SortFunc(sorted, bytes.Compare)
	sorted = slices.CompactFunc(sorted, bytes.Equal)
	return &looseDir{dir: dir, ids: idTable{b: bytes.Join(sorted, nil), n: len(sorted), hash: hash, stride: hash}}
}

func loosePath(dir string, id ID) string {
	name := id.String()
	return filepath.Join(dir, name[:2], name[2:])
}

// A looseReader reads loose objects, one at a time. They are "kind size\x00" and
// the content, compressed together.
type looseReader struct {
	inf inflate.Decoder
	src []byte // the start of the file, or all of it

	f      *os.File
	disk   int64 // size of the file
	kind   Kind
	size   int64 // of the content
	header int   // bytes before it
}

const (
	// looseHeaderMost is more than "commit", a 64-bit number and what is between.
	looseHeaderMost = 32
	// looseRead is what is read of a file before it is known what it holds.
	looseRead = 32 << 10
)

// open reads the header of the loose object at path. After success the caller
// must call close.
func (l *looseReader) open(path string) (err error) {
	l.f, l.disk, err = regular.Open(path)
	if err != nil {
		return err
	}
	l.src = slices.Grow(l.src[:0], looseRead)[:min(l.disk, looseRead)]
	var head [looseHeaderMost]byte
	n, err := l.f.ReadAt(l.src, 0)
	if n == len(l.src) {
		// What is wrong further on, content will see.
		n, _, _ = l.inf.Prefix(head[:], l.src)
		err = l.parse(head[:n])
	}
	switch {
	case err != nil:
	case !believable(uint64(l.size), uint64(l.disk)):
		err = errAbsurdSize
	case (l.disk-looseRead)/2 > l.size: // more than any compressor adds
		err = errLooseLong
	}
	if err != nil {
		l.close()
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return nil
}

func (l *looseReader) close() {
	l.f.Close()
	if cap(l.src) > 1<<20 {
		l.src = nil
	}
}

// content decodes the whole object, header and all, into dst, which must be as
// long as the two.
func (l *looseReader) content(dst []byte) error {
	if int64(len(l.src)) < l.disk {
		have := len(l.src)
		l.src = slices.Grow(l.src, int(l.disk)-have)[:l.disk]
		if n, err := l.f.ReadAt(l.src[have:], int64(have)); n < len(l.src)-have {
			return err
		}
	}
	_, err := fill(dst, &l.inf, l.src)
	return err
}

// parse reads the header as strictly as git does: one space, no leading zero.
func (l *looseReader) parse(b []byte) error {
	head, _, ok := bytes.Cut(b, []byte{0})
	name, size, ok2 := bytes.Cut(head, []byte{' '})
	l.kind = kindFromName(string(name))
	n, err := strconv.ParseUint(string(size), 10, 63)
	if !ok || !ok2 || l.kind == 0 || err != nil || size[0] == '+' || size[0] == '0' && len(size) > 1 {
		return errLooseHeader
	}
	l.size, l.header = int64(n), len(head)+1
	return nil
}
