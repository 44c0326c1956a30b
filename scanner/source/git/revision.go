package git

import (
	"errors"
	"fmt"
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
	return s.abbreviated(name)
}

// abbreviated finds the one commit whose id starts with name.
func (s *selector) abbreviated(name string) (found pack.ID, ok bool) {
	if len(name) < 4 || strings.Trim(name, "0123456789abcdef") != "" {
		return found, false
	}
	n := 0
	for _, id := range s.r.WithPrefix(name) {
		if kind, _, err := s.reader.Object(id); err == nil && kind == pack.Commit {
			found, n = id, n+1
		}
	}
	return found, n == 1
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
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	n := 1
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(rest[:digits]); err != nil {
			return id, "", errors.New("a number is too large")
		}
	}
	rest = rest[digits:]
	if op == '^' {
		if n == 0 {
			return id, rest, nil
		}
		id, err := s.parent(id, n)
		return id, rest, err
	}
	for range n {
		var err error
		if id, err = s.parent(id, 1); err != nil {
			return id, rest, err
		}
	}
	return id, rest, nil
}

func (s *selector) parent(id pack.ID, n int) (pack.ID, error) {
	for range 64 {
		kind, data, err := s.reader.Object(id)
		if err != nil {
			return id, err
		}
		if kind == pack.Tag {
			t, err := pack.ParseTag(data)
			if err != nil {
				return id, err
			}
			id = t.Object
			continue
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
	return id, errors.New("tags go on without end")
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
