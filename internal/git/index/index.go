// Package index reads the index of a git work tree: which paths git tracks. It
// reads versions 2, 3 and 4, SHA-1 and SHA-256 repositories, split and sparse
// indexes, as gitformat-index(5) of git 2.39 describes them and read-cache.c and
// split-index.c read them. go-git has a reader too; it knows neither split nor sparse
// indexes, nor a checksum that was left zero.
package index

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // what git's format asks for
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/b10lint/b10lint/internal/regular"
)

const (
	// maxFile is the largest index that is read: about ten million entries.
	maxFile = 1 << 30
	// maxName is the longest name that is yielded; no system opens a longer path.
	maxName = 32 << 10
	// maxDepth is how deep folders may be in each other.
	maxDepth = 4096
)

// ModeTree is the Mode of an entry of a sparse index that stands for a whole
// folder. Its Name ends in a slash.
const ModeTree = 0o040000

// An Entry is one path in the index.
type Entry struct {
	Name []byte // slash separated, from the root; valid during the call only
	ID   []byte // of the blob; valid during the call only
	Mode uint32
	// IntentToAdd is set by git add -N: the path is known, its content is not.
	IntentToAdd bool
}

// A Tree is a folder whose tree object the index remembers.
type Tree struct {
	Name    string
	Entries int    // of the index, in it and below
	ID      []byte // nil when something in it or below has changed
	Dirs    []*Tree
}

// Each calls yield for every entry of the index file at name in its order, until yield
// returns false. gitDir is the git folder, where a split index keeps its other part.
// Without such a file there are no entries. In a conflict a path has an entry for each
// side. Names longer than 32 KiB are skipped. The result is the root of the trees
// that the index remembers, nil when it remembers none; the error says what is broken.
func Each(name, gitDir string, yield func(Entry) bool) (*Tree, error) {
	data, err := regular.ReadFile(name, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nothing was ever added
	}
	var tree *Tree
	if err == nil {
		tree, err = each(data, gitDir, yield)
	}
	if err != nil {
		return nil, fmt.Errorf("git index: %w", err)
	}
	return tree, nil
}

func each(data []byte, gitDir string, yield func(Entry) bool) (*Tree, error) {
	idx, err := open(data)
	if err != nil {
		return nil, err
	}
	if idx.link != nil { // what it remembers counts entries of both files
		return nil, idx.split(gitDir, yield)
	}
	_, err = idx.walk(func(_ int, e Entry) bool { return yield(e) })
	return idx.trees, err
}

// An index is one file whose structure was checked.
type index struct {
	data     []byte // without the checksum
	version  uint32
	count    uint32
	hashSize int
	link     []byte // of a split index
	trees    *Tree
}

// open knows the kind of hash by the checksum at the end. Where that is left zero
// (index.skipHash), by which kind the file can be read with.
func open(data []byte) (*index, error) {
	if len(data) < 12 || string(data[:4]) != "DIRC" {
		return nil, errors.New("is not an index: it does not begin with DIRC")
	}
	var err error
	for _, size := range []int{sha1.Size, sha256.Size} {
		n := len(data) - size
		if n < 12 || !sumFits(data[:n], data[n:]) {
			continue
		}
		idx := &index{data: data[:n], version: binary.BigEndian.Uint32(data[4:]), count: binary.BigEndian.Uint32(data[8:]), hashSize: size}
		if idx.version < 2 || idx.version > 4 {
			return nil, fmt.Errorf("has version %d; 2 to 4 are known", idx.version)
		}
		if err = idx.check(); err == nil {
			return idx, nil
		}
	}
	if err == nil {
		err = errors.New("its checksum does not fit; it is damaged or still being written")
	}
	return nil, err
}

func sumFits(body, sum []byte) bool {
	if len(bytes.Trim(sum, "\x00")) == 0 {
		return true
	}
	if len(sum) == sha1.Size {
		s := sha1.Sum(body)
		return bytes.Equal(s[:], sum)
	}
	s := sha256.Sum256(body)
	return bytes.Equal(s[:], sum)
}

// check walks the file once and finds the extensions.
func (x *index) check() error {
	rest, err := x.walk(func(int, Entry) bool { return true })
	for err == nil && len(rest) > 0 {
		if len(rest) < 8 {
			return errTruncated
		}
		name, size := string(rest[:4]), int64(binary.BigEndian.Uint32(rest[4:]))
		if rest = rest[8:]; size > int64(len(rest)) {
			return errTruncated
		}
		switch {
		case name == "link":
			x.link = rest[:size]
		case name == "TREE":
			// What cannot be read is not remembered; git does the same.
			if t, after, ok := x.tree(rest[:size], 0); ok && len(after) == 0 {
				x.trees = t
			}
		case name == "sdir": // says that ModeTree may occur
		case name[0] < 'A' || name[0] > 'Z': // must be understood
			return fmt.Errorf("has the extension %q, which is not known", name)
		}
		rest = rest[size:]
	}
	return err
}

var errTruncated = errors.New("ends in the middle; it is damaged")

// walk yields the entries with their numbers and returns what follows them, nil
// when yield stopped it.
func (x *index) walk(yield func(int, Entry) bool) (rest []byte, err error) {
	rest = x.data[12:]
	var name []byte // grows and shrinks with the prefixes of version 4
	for i := range int(x.count) {
		var e Entry
		e, rest, err = x.entry(rest, name)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
		name = e.Name
		if len(name) <= maxName && !yield(i, e) {
			return nil, nil
		}
	}
	return rest, nil
}

// The fixed part of an entry: eight numbers of the file's state and the mode
// before the hash, then the flags.
const (
	modeAt     = 24
	hashAt     = 40
	nameMask   = 0xfff
	extended   = 0x4000
	intentFlag = 1 << 13
)

func (x *index) entry(data, previous []byte) (e Entry, rest []byte, err error) {
	head := hashAt + x.hashSize + 2
	if len(data) < head {
		return e, nil, errTruncated
	}
	flags := binary.BigEndian.Uint16(data[head-2:])
	e.Mode = binary.BigEndian.Uint32(data[modeAt:])
	e.ID = data[hashAt : hashAt+x.hashSize]
	if flags&extended != 0 {
		if len(data) < head+2 || x.version < 3 {
			return e, nil, errTruncated
		}
		e.IntentToAdd = binary.BigEndian.Uint16(data[head:])&intentFlag != 0
		head += 2
	}
	if x.version == 4 {
		e.Name, rest, err = nameV4(data[head:], previous)
		return e, rest, err
	}
	size := int(flags & nameMask)
	if size == nameMask { // or longer: up to the NUL
		if size = bytes.IndexByte(data[head:], 0); size < 0 {
			return e, nil, errTruncated
		}
	}
	end := (head + size + 8) &^ 7 // one to eight NULs
	if end > len(data) || data[head+size] != 0 {
		return e, nil, errTruncated
	}
	e.Name = data[head : head+size]
	return e, data[end:], nil
}

// nameV4 takes bytes off the previous name and adds others. The number is written
// as in pack offsets.
func nameV4(data, previous []byte) (name, rest []byte, err error) {
	strip, i := 0, 0
	for {
		if i == len(data) || i == 5 {
			return nil, nil, errTruncated
		}
		c := data[i]
		strip = strip<<7 | int(c&0x7f)
		i++
		if c < 0x80 {
			break
		}
		strip++
	}
	size := bytes.IndexByte(data[i:], 0)
	if size < 0 || strip > len(previous) {
		return nil, nil, errTruncated
	}
	kept := previous[:len(previous)-strip]
	return append(kept[:len(kept):cap(kept)], data[i:i+size]...), data[i+size+1:], nil
}

// split yields the entries of an index that is kept as changes to a shared one:
// that one's, without those that are deleted, some replaced, and the new.
func (x *index) split(gitDir string, yield func(Entry) bool) error {
	if len(x.link) < x.hashSize {
		return errTruncated
	}
	base, err := x.shared(gitDir)
	if err != nil {
		return err
	}
	gone, rest, err := bitmap(x.link[x.hashSize:], base.count)
	if err != nil {
		return err
	}
	changed, _, err := bitmap(rest, base.count)
	if err != nil {
		return err
	}
	var replacements []Entry
	stopped := false
	_, err = x.walk(func(_ int, e Entry) bool {
		if len(e.Name) == 0 {
			replacements = append(replacements, e)
			return true
		}
		stopped = !yield(e)
		return !stopped
	})
	if err != nil || stopped {
		return err
	}
	_, err = base.walk(func(i int, e Entry) bool {
		if changed[i] && len(replacements) > 0 {
			replacements[0].Name = e.Name
			e, replacements = replacements[0], replacements[1:]
		}
		return gone[i] || yield(e)
	})
	return err
}

func (x *index) shared(gitDir string) (*index, error) {
	id := x.link[:x.hashSize]
	if len(bytes.Trim(id, "\x00")) == 0 { // nothing is shared
		return &index{data: make([]byte, 12), version: x.version, hashSize: x.hashSize}, nil
	}
	name := "sharedindex." + hex.EncodeToString(id)
	data, err := regular.ReadFile(filepath.Join(gitDir, name), maxFile)
	if err != nil {
		return nil, err
	}
	base, err := open(data)
	if err == nil && (base.link != nil || base.hashSize != x.hashSize) {
		err = errors.New("is not of this index")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return base, nil
}

// bitmap reads an EWAH bitmap (gitformat-pack and ewah/ewok.h: runs of equal words,
// then words as they are) up to a number of bits. No bitmap is an empty one.
func bitmap(data []byte, limit uint32) (set map[int]bool, rest []byte, err error) {
	set = map[int]bool{}
	if len(data) == 0 {
		return set, nil, nil
	}
	if len(data) < 12 {
		return nil, nil, errTruncated
	}
	count := int64(binary.BigEndian.Uint32(data[4:]))
	if int64(len(data)) < 12+8*count {
		return nil, nil, errTruncated
	}
	words, rest := data[8:8+8*count], data[12+8*count:]
	at := uint64(0) // in bits
	for len(words) >= 8 && at < uint64(limit) {
		marker := binary.BigEndian.Uint64(words)
		words = words[8:]
		end := at + 64*(marker>>1&0xffffffff)
		if marker&1 != 0 {
			for i := at; i < min(end, uint64(limit)); i++ {
				set[int(i)] = true
			}
		}
		at = end
		for n := marker >> 33; n > 0 && len(words) >= 8 && at < uint64(limit); n-- {
			word := binary.BigEndian.Uint64(words)
			words = words[8:]
			for i := range uint64(64) {
				if word>>i&1 != 0 {
					set[int(at+i)] = true
				}
			}
			at += 64
		}
	}
	return set, rest, nil
}

// tree reads "name\x00entries dirs\nid" and then the folders in it. There is no id
// where the number of entries is negative.
func (x *index) tree(b []byte, depth int) (t *Tree, rest []byte, ok bool) {
	name, b, ok1 := bytes.Cut(b, []byte{0})
	head, b, ok2 := bytes.Cut(b, []byte{'\n'})
	count, dirs, ok3 := bytes.Cut(head, []byte{' '})
	entries, err1 := strconv.Atoi(string(count))
	subs, err2 := strconv.Atoi(string(dirs))
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || depth > maxDepth {
		return nil, nil, false
	}
	t = &Tree{Name: string(name), Entries: entries}
	if entries >= 0 {
		if len(b) < x.hashSize {
			return nil, nil, false
		}
		t.ID, b = b[:x.hashSize:x.hashSize], b[x.hashSize:]
	}
	for range subs {
		sub, after, ok := x.tree(b, depth+1)
		if !ok {
			return nil, nil, false
		}
		t.Dirs, b = append(t.Dirs, sub), after
	}
	return t, b, true
}
