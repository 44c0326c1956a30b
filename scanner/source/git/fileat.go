package git

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// FileAt returns the content of a regular file as it is in a revision of the
// repository at dir. The error is fs.ErrNotExist if the revision has no such file.
// A link, a folder and a file of more than most bytes are errors.
func FileAt(dir, revision, name string, most int) ([]byte, error) {
	r, err := New(dir, Options{}).open(func(pack.Problem) {})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s := &selector{r: r, reader: r.Reader()}
	id, err := s.resolve(revision)
	if err != nil {
		return nil, err
	}
	tree, err := treeOf(s.reader, id)
	if err != nil {
		return nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		e, err := entryOf(s.reader, tree, part, r.HashSize())
		switch {
		case err != nil:
			return nil, err
		case i < len(parts)-1 && !e.IsTree():
			return nil, fs.ErrNotExist
		case i == len(parts)-1 && e.Mode&0o170000 != 0o100000:
			return nil, errors.New("is not a regular file there")
		}
		tree = e.ID
	}
	_, data, err := s.reader.Object(tree)
	if err == nil && len(data) > most {
		return nil, fmt.Errorf("is larger than %d bytes", most)
	}
	return data, err
}

// treeOf follows tags and a commit to a tree.
func treeOf(r *pack.Reader, id pack.ID) (pack.ID, error) {
	for range 64 {
		kind, data, err := r.Object(id)
		if err != nil {
			return id, err
		}
		switch kind {
		case pack.Tag:
			t, err := pack.ParseTag(data)
			if err != nil {
				return id, err
			}
			id = t.Object
		case pack.Commit:
			c, err := pack.ParseCommit(data)
			return c.Tree, err
		case pack.Tree:
			return id, nil
		default:
			return id, errors.New("is no commit")
		}
	}
	return id, errors.New("tags go on without end")
}

func entryOf(r *pack.Reader, tree pack.ID, name string, hashSize int) (pack.TreeEntry, error) {
	_, data, err := r.Object(tree)
	if err != nil {
		return pack.TreeEntry{}, err
	}
	for e, err := range pack.TreeEntries(data, hashSize) {
		if err != nil {
			return e, err
		}
		if string(e.Name) == name {
			return e, nil
		}
	}
	return pack.TreeEntry{}, fs.ErrNotExist
}
