package git

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/git/pack"
)

// resolve finds the object that a revision names: a whole id or the start of a
// commit's, HEAD or @, a reference, each with ~N, ^N and ^{…} behind it.
func (s *selector) resolve(rev string) (pack.ID, error) {
	end := strings.IndexAny(rev, "~^")
	if end < 0 {
		end = len(rev)
	}
	id, ok := s.base(rev[:end])
	if !ok {
		return id, fmt.Errorf("revision %q is not known in this repository", rev)
	}
	for steps := rev[end:]; steps != ""; {
		var err error
		if id, steps, err = s.step(id, steps); err != nil {
			return id, fmt.Errorf("revision %q: %w", rev, err)
		}
	}
	return id, nil
}

func (s *selector) base(name string) (pack.ID, bool) {
	if name == "HEAD" || name == "@" {
		return s.r.head, !s.r.head.IsZero()
	}
	if id, err := pack.ParseID(name); err == nil && s.r.Has(id) {
		return id, true
	}
	for _, prefix := range []string{"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"} {
		for _, ref := range s.r.refs {
			if ref.Name == prefix+name {
				id, err := pack.ParseID(ref.ID)
				return id, err == nil
			}
		}
	}
	if len(name) < 4 || strings.Trim(name, "0123456789abcdef") != "" {
		return pack.ID{}, false
	}
	var commits []pack.ID // whose ids start with name
	for _, id := range s.r.WithPrefix(name) {
		if kind, _, err := s.reader.Object(id); err == nil && kind == pack.Commit {
			commits = append(commits, id)
		}
	}
	if len(commits) != 1 {
		return pack.ID{}, false
	}
	return commits[0], true
}

// step follows one of ~N, ^N, ^{…}.
func (s *selector) step(id pack.ID, text string) (pack.ID, string, error) {
	op, rest := text[0], text[1:]
	if op == '^' && strings.HasPrefix(rest, "{") {
		_, after, ok := strings.Cut(rest, "}")
		if !ok {
			return id, "", errors.New("a brace is not closed")
		}
		return id, after, nil // commits are what is asked for in any case
	}
	after := strings.TrimLeft(rest, "0123456789")
	n := 1
	if digits := rest[:len(rest)-len(after)]; digits != "" {
		var err error
		if n, err = strconv.Atoi(digits); err != nil {
			return id, "", errors.New("a number is too large")
		}
	}
	which := 1
	if op == '^' {
		which, n = n, min(n, 1)
	}
	for range n {
		var err error
		if id, err = s.parent(id, which); err != nil {
			return id, "", err
		}
	}
	return id, after, nil
}

func (s *selector) parent(id pack.ID, n int) (pack.ID, error) {
	id, kind, data, err := peel(s.reader, id)
	if err != nil {
		return id, err
	}
	c, err := pack.ParseCommit(data)
	switch {
	case err != nil || kind != pack.Commit:
		return id, errors.New("is not a commit")
	case s.r.shallow[id] && len(c.Parents) > 0:
		return id, errShallow
	case n > len(c.Parents):
		return id, errors.New("goes back further than the history")
	}
	return c.Parents[n-1], nil
}

// maxTags is how many tags may name each other; git has no limit, and no one needs more.
const maxTags = 64

// peel follows tags to what they name in the end, and reads that.
func peel(r *pack.Reader, id pack.ID) (pack.ID, pack.Kind, []byte, error) {
	for range maxTags {
		kind, data, err := r.Object(id)
		if err != nil || kind != pack.Tag {
			return id, kind, data, err
		}
		t, err := pack.ParseTag(data)
		if err != nil {
			return id, kind, nil, err
		}
		id = t.Object
	}
	return id, pack.Tag, nil, errors.New("tags go on without end")
}

// FileAt returns the content of a regular file as it is in a revision of the
// repository at dir. The error is fs.ErrNotExist if the revision has no such file.
// A link, a folder and a file of more than most bytes are errors.
func FileAt(dir, revision, name string, most int) ([]byte, error) {
	r, err := New(dir, Options{}).open(func(pack.Problem) {})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.file(revision, name, most, func(pack.ID) error { return nil })
}

// file reads a file of a revision. identify makes a blob known.
func (r *repository) file(revision, name string, most int, identify func(pack.ID) error) ([]byte, error) {
	s := &selector{r: r, reader: r.Reader()}
	id, err := s.resolve(revision)
	if err != nil {
		return nil, err
	}
	blob, err := entryAt(r, id, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	if err := identify(blob); err != nil {
		return nil, err
	}
	_, data, err := r.Reader().Object(blob)
	if err == nil && len(data) > most {
		return nil, fmt.Errorf("is larger than %d bytes", most)
	}
	return data, err
}

// errNotRegular says that a path is a folder, a link or a submodule.
var errNotRegular = errors.New("is not a regular file there")

// entryAt finds the blob of a regular file in a commit or tree. The error is
// fs.ErrNotExist if there is none of the name.
func entryAt(r *repository, id pack.ID, name string) (pack.ID, error) {
	d := newDiffer(r)
	tree, kind, data, err := peel(d.reader, id)
	if err == nil && kind == pack.Commit {
		var c pack.CommitInfo
		c, err = pack.ParseCommit(data)
		tree = c.Tree
	} else if err == nil && kind != pack.Tree {
		err = errors.New("is not a commit")
	}
	if err != nil {
		return pack.ID{}, err
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		entries := d.read(tree)
		n := slices.IndexFunc(entries, func(e pack.TreeEntry) bool { return string(e.Name) == part })
		switch {
		case n < 0 && len(d.problems) > 0:
			return pack.ID{}, d.problems[0].Err
		case n < 0 || i < len(parts)-1 && !entries[n].IsTree():
			return pack.ID{}, fs.ErrNotExist
		case i == len(parts)-1 && entries[n].Mode&0o170000 != 0o100000:
			return pack.ID{}, errNotRegular
		}
		tree = entries[n].ID
	}
	return tree, nil
}

// parseDate reads a date, a time, or an age such as 36h, 14d or 2w.
func parseDate(text string, now time.Time) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, true
		}
	}
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if len(text) > 1 {
		n, err := strconv.Atoi(text[:len(text)-1])
		if unit := units[text[len(text)-1]]; err == nil && unit > 0 && n >= 0 && n < 100_000 {
			return now.Add(-time.Duration(n) * unit), true
		}
	}
	return time.Time{}, false
}

// errShallow says that a shallow clone lacks what is needed to know.
var errShallow = errors.New("the shallow clone lacks the commits that are needed to decide what is new")

// A painted commit knows from which side it was reached.
type painted struct {
	id, tree pack.ID
	parents  []pack.ID
	date     int64
	flags    uint8
	queued   bool
}

// A selector chooses the commits of a scope.
type selector struct {
	r         *repository
	reader    *pack.Reader
	commits   map[pack.ID]*painted
	queue     queue[*painted] // the newest first
	selected  []pack.ID
	tags      []pack.ID // on the way to what is wanted
	problems  []pack.Problem
	symmetric bool // both sides are wanted, but not what they share
	after     int64
}
