package pack

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/b10lint/b10lint/internal/git/gitdir"
)

const (
	alternateDepth = 5       // how far git follows alternates of alternates
	maxAlternates  = 1 << 20 // the largest file of alternates that is read, in bytes
)

var errAlternateDepth = errors.New("alternates nest too deep")

// findAlternates fills s.dirs with objects, the alternates of the options, and
// all their alternates in turn, each folder once.
func (s *Store) findAlternates(objects string) {
	s.addObjectDir(objects, 0)
	for _, dir := range s.opts.Alternates {
		s.addAlternate(dir, 1)
	}
}

func (s *Store) addAlternate(dir string, depth int) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a folder")
	}
	if err == nil && depth > alternateDepth {
		err = errAlternateDepth
	}
	if err != nil {
		s.problem(dir, err)
		return
	}
	s.addObjectDir(dir, depth)
}

func (s *Store) addObjectDir(dir string, depth int) {
	// One folder under two names would only be read twice; links that lead in
	// circles end here.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for _, d := range s.dirs {
		if d == dir {
			return
		}
	}
	s.dirs = append(s.dirs, dir)
	path := filepath.Join(dir, "info", "alternates")
	b, err := gitdir.ReadFile(path, maxAlternates)
	if err != nil {
		if !os.IsNotExist(err) {
			s.problem(path, err)
		}
		return
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '"' { // quoted as in C, which Go's quoting covers
			if u, err := strconv.Unquote(line); err == nil {
				line = u
			}
		}
		s.addAlternate(gitdir.Resolve(dir, line), depth+1)
	}
}
