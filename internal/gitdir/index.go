package gitdir

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
)

// An Index is what git's index lists: what a commit would be made of.
type Index struct {
	Entries []Entry    // by path, then stage
	Tree    *CachedDir // the root; nil when the index has no cached trees
}

// An Entry is one path of an index. ID is a part of the file's data.
type Entry struct {
	Path string
	Mode uint32 // as in a tree; 040000 for a folder of a sparse index
	ID   []byte
	// Stage is 0, or 1 to 3 for the sides of a conflict.
	Stage uint8
	// IntentToAdd is set on a path that has no content yet (git add -N).
	IntentToAdd bool
}

// A CachedDir is a folder whose tree the index remembers.
type CachedDir struct {
	Name    string
	Entries int    // of the index, below it
	ID      []byte // nil when something below it has changed
	Dirs    []*CachedDir
}

// ErrSplitIndex says that the index is kept in two files.
var ErrSplitIndex = errors.New("is a split index, which b10lint does not read (git update-index --no-split-index makes it whole)")

const (
	flagExtended  = 0x4000
	flagIntentAdd = 0x2000 // of the extended flags
	nameMask      = 0x0fff
	statSize      = 40 // the fields before the id
)

// ReadIndex reads an index of version 2, 3 or 4. hashSize is 20 or 32.
func ReadIndex(name string, hashSize int) (*Index, error) {
	data, err := read(name)
	if err != nil {
		return nil, err
	}
	idx, err := parseIndex(data, hashSize)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return idx, nil
}

func parseIndex(data []byte, hashSize int) (*Index, error) {
	if len(data) < 12+hashSize || string(data[:4]) != "DIRC" {
		return nil, errors.New("not a git index")
	}
	if err := checksum(data, hashSize); err != nil {
		return nil, err
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return nil, fmt.Errorf("index version %d is not known", version)
	}
	p := parser{rest: data[12 : len(data)-hashSize], hash: hashSize, version: version}
	if int64(count)*int64(statSize+hashSize+2) > int64(len(p.rest)) {
		return nil, errTruncated
	}
	p.text, p.budget = string(p.rest), 64*len(data)+1<<20
	idx := &Index{Entries: make([]Entry, 0, count)}
	for range count {
		e, err := p.entry()
		if err != nil {
			return nil, err
		}
		idx.Entries = append(idx.Entries, e)
	}
	return idx, p.extensions(idx)
}

var errTruncated = errors.New("index is truncated")

// checksum compares the file with its last bytes, which are zero under
// index.skipHash.
func checksum(data []byte, hashSize int) error {
	body, sum := data[:len(data)-hashSize], data[len(data)-hashSize:]
	if bytes.Equal(sum, make([]byte, hashSize)) {
		return nil
	}
	var got []byte
	if hashSize == sha256.Size {
		s := sha256.Sum256(body)
		got = s[:]
	} else {
		s := sha1.Sum(body)
		got = s[:]
	}
	if !bytes.Equal(got, sum) {
		return errors.New("index does not match its checksum")
	}
	return nil
}

type parser struct {
	rest    []byte
	text    string // what rest was at first, so that paths are parts of one string
	hash    int
	version uint32
	last    string // path of the entry before, for version 4
	budget  int    // bytes that paths of version 4 may yet take
}

func (p *parser) entry() (e Entry, err error) {
	start := len(p.rest)
	if start < statSize+p.hash+2 {
		return e, errTruncated
	}
	e.Mode = binary.BigEndian.Uint32(p.rest[24:])
	e.ID = p.rest[statSize : statSize+p.hash : statSize+p.hash]
	flags := binary.BigEndian.Uint16(p.rest[statSize+p.hash:])
	e.Stage = uint8(flags >> 12 & 3)
	p.rest = p.rest[statSize+p.hash+2:]
	if flags&flagExtended != 0 {
		if p.version < 3 || len(p.rest) < 2 {
			return e, errors.New("index has a malformed entry")
		}
		e.IntentToAdd = binary.BigEndian.Uint16(p.rest)&flagIntentAdd != 0
		p.rest = p.rest[2:]
	}
	if p.version == 4 {
		e.Path, err = p.compressed()
		return e, err
	}
	n := bytes.IndexByte(p.rest, 0)
	if want := int(flags & nameMask); n < 0 || want < nameMask && n != want {
		return e, errTruncated
	}
	at := len(p.text) - len(p.rest)
	e.Path = p.text[at : at+n]
	size := start - len(p.rest) + n
	pad := 8 - size%8 // at least one NUL
	if len(p.rest) < n+pad {
		return e, errTruncated
	}
	p.rest = p.rest[n+pad:]
	return e, nil
}

// compressed reads a path that says how much of the end of the one before it
// drops, and what comes in its place.
func (p *parser) compressed() (string, error) {
	drop, n := uint64(0), 0
	for {
		if n == len(p.rest) || n == 9 {
			return "", errTruncated
		}
		c := p.rest[n]
		if n > 0 {
			drop++
		}
		drop = drop<<7 | uint64(c&0x7f)
		if n++; c&0x80 == 0 {
			break
		}
	}
	p.rest = p.rest[n:]
	end := bytes.IndexByte(p.rest, 0)
	if end < 0 || drop > uint64(len(p.last)) {
		return "", errTruncated
	}
	p.last = p.last[:len(p.last)-int(drop)] + string(p.rest[:end])
	p.rest = p.rest[end+1:]
	if p.budget -= len(p.last); p.budget < 0 {
		return "", errors.New("index has absurdly long paths")
	}
	return p.last, nil
}

func (p *parser) extensions(idx *Index) error {
	for len(p.rest) >= 8 {
		name, size := string(p.rest[:4]), int64(binary.BigEndian.Uint32(p.rest[4:]))
		if size > int64(len(p.rest)-8) {
			return errTruncated
		}
		body := p.rest[8 : 8+size]
		p.rest = p.rest[8+size:]
		switch {
		case name == "link":
			return ErrSplitIndex
		case name == "TREE":
			// A cache that cannot be read is none.
			if root, rest, ok := p.cached(body, 0); ok && len(rest) == 0 {
				idx.Tree = root
			}
		case name[0] >= 'a' && name != "sdir":
			return fmt.Errorf("index has the extension %q, which b10lint does not know", name)
		}
	}
	return nil
}

const maxDepth = 4096

// cached reads "name\x00entries dirs\nid" and then the folders below.
func (p *parser) cached(b []byte, depth int) (d *CachedDir, rest []byte, ok bool) {
	name, b, ok1 := bytes.Cut(b, []byte{0})
	head, b, ok2 := bytes.Cut(b, []byte{'\n'})
	entries, dirs, ok3 := bytes.Cut(head, []byte{' '})
	count, err1 := strconv.Atoi(string(entries))
	subs, err2 := strconv.Atoi(string(dirs))
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || depth > maxDepth || subs < 0 {
		return nil, nil, false
	}
	d = &CachedDir{Name: string(name), Entries: count}
	if count >= 0 {
		if len(b) < p.hash {
			return nil, nil, false
		}
		d.ID, b = b[:p.hash:p.hash], b[p.hash:]
	}
	for range subs {
		sub, after, ok := p.cached(b, depth+1)
		if !ok {
			return nil, nil, false
		}
		d.Dirs, b = append(d.Dirs, sub), after
	}
	return d, b, true
}
