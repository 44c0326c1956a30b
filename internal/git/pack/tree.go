package pack

import (
	"bytes"
	"errors"
	"iter"
)

var errTree = errors.New("malformed tree")

// A TreeEntry is a line of a tree. Name is a part of the tree's data.
type TreeEntry struct {
	Mode uint32 // as in the tree: 040000 folder, 0120000 link, 0160000 submodule
	Name []byte // any bytes but NUL; not checked for "..", "/" and the like
	ID   ID
}

// IsTree says whether the entry is a folder.
func (e *TreeEntry) IsTree() bool { return e.Mode&0o170000 == 0o040000 }

// IsCommit says whether the entry is a submodule's commit, which is not in this
// store.
func (e *TreeEntry) IsCommit() bool { return e.Mode&0o170000 == 0o160000 }

// TreeEntries goes through the content of a tree whose ids have hashSize bytes.
// The first malformed entry gives an error, and is the last.
func TreeEntries(data []byte, hashSize int) iter.Seq2[TreeEntry, error] {
	return func(yield func(TreeEntry, error) bool) {
		for len(data) > 0 {
			e, rest, err := treeEntry(data, hashSize)
			if !yield(e, err) || err != nil {
				return
			}
			data = rest
		}
	}
}

// treeEntry reads "mode name\x00id", with the mode in octal and the id raw.
func treeEntry(data []byte, hashSize int) (e TreeEntry, rest []byte, err error) {
	i := 0
	for ; i < len(data) && data[i] != ' '; i++ {
		if i == 7 || data[i] < '0' || data[i] > '7' {
			return e, nil, errTree
		}
		e.Mode = e.Mode<<3 | uint32(data[i]-'0')
	}
	if i == 0 || i == len(data) {
		return e, nil, errTree
	}
	data = data[i+1:]
	end := bytes.IndexByte(data, 0)
	if end <= 0 || len(data)-end-1 < hashSize {
		return e, nil, errTree
	}
	e.Name = data[:end:end]
	data = data[end+1:]
	e.ID = IDFromBytes(data[:hashSize])
	return e, data[hashSize:], nil
}
