package pack

import (
	"bytes"
	"encoding/hex"
	"iter"
	"strconv"
	"time"
)

// A CommitInfo is what a commit says of itself. Slices are parts of its data.
type CommitInfo struct {
	Tree      ID
	Parents   []ID
	Author    Signature
	Committer Signature
	Message   []byte
}

// A TagInfo is what an annotated tag says of itself. Slices are parts of its data.
type TagInfo struct {
	Object  ID
	Kind    Kind // of Object
	Name    []byte
	Tagger  Signature
	Message []byte
}

// A Signature is who did something, and when. Name and Email are as written, in
// whatever encoding; When is zero if it cannot be made out.
type Signature struct {
	Name, Email string
	When        time.Time
}

// ParseCommit reads the content of a commit. Like git it accepts odd names
// and dates; it fails if there is no tree, and then gives what it found.
func ParseCommit(data []byte) (c CommitInfo, err error) {
	c.Message = headers(data, func(key string, value []byte) {
		switch key {
		case "tree":
			if c.Tree.IsZero() {
				c.Tree = idFromHex(value)
			}
		case "parent":
			if id := idFromHex(value); !id.IsZero() {
				c.Parents = append(c.Parents, id)
			}
		case "author":
			c.Author = parseSignature(value)
		case "committer":
			c.Committer = parseSignature(value)
		}
	})
	if c.Tree.IsZero() {
		err = errCommit
	}
	return c, err
}

// ParseTag reads the content of an annotated tag. It fails if that names no
// object, and then gives what it found.
func ParseTag(data []byte) (t TagInfo, err error) {
	t.Message = headers(data, func(key string, value []byte) {
		switch key {
		case "object":
			if t.Object.IsZero() {
				t.Object = idFromHex(value)
			}
		case "type":
			t.Kind = kindFromName(string(value))
		case "tag":
			t.Name = value
		case "tagger":
			t.Tagger = parseSignature(value)
		}
	})
	if t.Object.IsZero() {
		err = errTag
	}
	return t, err
}

// headers calls fn for each header line and gives what follows the empty line
// after them. Lines that start with a space continue the one before, and are
// skipped: no header that matters here has any.
func headers(data []byte, fn func(key string, value []byte)) (message []byte) {
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if len(line) == 0 {
			return data
		}
		if key, value, ok := bytes.Cut(line, []byte{' '}); ok && len(key) > 0 && len(key) < 16 {
			fn(string(key), value)
		}
	}
	return nil
}

func idFromHex(b []byte) ID {
	var raw [sha256Size]byte
	if len(b) > 2*len(raw) {
		return ID{}
	}
	n, err := hex.Decode(raw[:], b)
	if err != nil {
		return ID{}
	}
	return IDFromBytes(raw[:n])
}

// Within a day of the years 0 and 10000; beyond, dates cannot be written in every
// format and zone.
const firstSecond, lastSecond = -62167132800, 253402214399

// parseSignature reads "name <email> seconds zone".
func parseSignature(b []byte) (s Signature) {
	open := bytes.IndexByte(b, '<')
	if open < 0 {
		s.Name = string(bytes.TrimSpace(b))
		return s
	}
	s.Name = string(bytes.TrimSpace(b[:open]))
	// A '>' in the address is rare, one in the date impossible.
	end := bytes.LastIndexByte(b, '>')
	if end < open {
		s.Email = string(bytes.TrimSpace(b[open+1:]))
		return s
	}
	s.Email = string(b[open+1 : end])
	date := bytes.Fields(b[end+1:])
	if len(date) == 0 {
		return s
	}
	sec, err := strconv.ParseInt(string(date[0]), 10, 64)
	if err != nil || sec < firstSecond || sec > lastSecond {
		return s
	}
	s.When = time.Unix(sec, 0).UTC()
	if len(date) > 1 && len(date[1]) == 5 && (date[1][0] == '+' || date[1][0] == '-') {
		n, err := strconv.Atoi(string(date[1])) // +hhmm
		east := n/100*3600 + n%100*60
		if err == nil && east != 0 && east > -24*3600 && east < 24*3600 {
			s.When = s.When.In(time.FixedZone("", east))
		}
	}
	return s
}

// A TreeEntry is a line of a tree. Name is a part of the tree's data.
type TreeEntry struct {
	Mode uint32 // as in the tree: 040000 folder, 0120000 link, 0160000 submodule
	Name []byte // any bytes but NUL; not checked for "..", "/" and the like
	ID   ID
}

// IsTree reports whether the entry is a folder.
func (e *TreeEntry) IsTree() bool { return e.Mode&0o170000 == 0o040000 }

// IsCommit reports whether the entry is a submodule's commit, which is not in this
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
