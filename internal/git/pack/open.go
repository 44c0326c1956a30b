package pack

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/regular"
)

// Open opens the object store of the repository at path: a work tree, a .git
// folder or file (of a linked worktree or submodule), or a bare repository. It
// fails if there is none. A pack, index or alternate that cannot be used is a
// Problem, and the rest is opened.
func Open(path string, opts Options) (*Store, error) {
	gitDir, commonDir, err := gitdir.Find(path)
	if err != nil {
		return nil, err
	}
	s := &Store{gitDir: gitDir, commonDir: commonDir, opts: opts.withDefaults()}
	objects := cmp.Or(opts.ObjectDir, filepath.Join(s.commonDir, "objects"))
	if info, err := os.Stat(objects); err != nil || !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: gitdir.ErrNotRepository}
	}
	s.addObjectDir(objects, 0)
	for _, dir := range opts.Alternates {
		s.addAlternate(dir, 1)
	}
	var packs []string
	for _, dir := range s.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, "pack"))
		if err != nil && !os.IsNotExist(err) {
			s.problem(filepath.Join(dir, "pack"), err)
		}
		for _, e := range entries { // sorted by name
			if strings.HasSuffix(e.Name(), ".pack") {
				packs = append(packs, filepath.Join(dir, "pack", e.Name()))
			}
		}
	}
	if s.hash, err = s.detectHash(packs); err != nil {
		return nil, err
	}
	for _, path := range packs {
		p, bad, err := openPack(path, s.hash)
		if err != nil {
			s.problem(path, err)
			continue
		}
		if bad != nil {
			bad = fmt.Errorf("cannot be used, so the pack was read without it: %w", bad)
			s.problem(strings.TrimSuffix(path, ".pack")+".idx", bad)
		}
		s.packs = append(s.packs, p)
	}
	// A delta may have its base in another pack, so packs are only walked once
	// all others are open.
	for _, p := range s.packs {
		if p.idx == nil {
			s.walkPack(p)
		}
	}
	return s, nil
}

// Close releases the packs. What the store or its Readers gave out stays valid.
func (s *Store) Close() error {
	var err error
	for _, p := range s.packs {
		err = cmp.Or(err, p.close())
	}
	s.packs = nil
	return err
}

const (
	alternateDepth = 5       // how far git follows alternates of alternates
	maxAlternates  = 1 << 20 // the largest file of alternates that is read, in bytes
)

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

// addObjectDir adds an object folder and the alternates that it names, each once.
func (s *Store) addObjectDir(dir string, depth int) {
	// One folder under two names would only be read twice; links that lead in
	// circles end here.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if slices.Contains(s.dirs, dir) {
		return
	}
	s.dirs = append(s.dirs, dir)
	path := filepath.Join(dir, "info", "alternates")
	text, err := regular.ReadFile(path, maxAlternates)
	if err != nil && !os.IsNotExist(err) {
		s.problem(path, err)
	}
	for line := range strings.Lines(string(text)) {
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

// detectHash decides between SHA-1 and SHA-256: by the configuration, and where
// there is none by what the object folders look like.
func (s *Store) detectHash(packs []string) (int, error) {
	file, format := filepath.Join(s.commonDir, "config"), ""
	vars, err := config.Read(file)
	if err == nil {
		for v := range vars {
			if v.Section == "extensions" && v.Subsection == "" && v.Key == "objectformat" {
				format = strings.ToLower(v.Value)
			}
		}
	}
	switch {
	case err != nil && !os.IsNotExist(err):
		s.problem(file, err)
	case format == "sha256":
		return sha256Size, nil
	case format != "" && format != "sha1":
		return 0, fmt.Errorf("%s: object format %.20q is not known; update b10lint", s.commonDir, format)
	case err == nil:
		return sha1Size, nil
	}
	for _, path := range packs {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "pack-"), ".pack")
		if id, err := ParseID(name); err == nil {
			return int(id.size), nil
		}
	}
	for _, dir := range s.dirs {
		for b := range 256 {
			files, err := os.ReadDir(filepath.Join(dir, fmt.Sprintf("%02x", b)))
			if err != nil || len(files) == 0 {
				continue
			}
			switch len(files[0].Name()) {
			case 2*sha1Size - 2:
				return sha1Size, nil
			case 2*sha256Size - 2:
				return sha256Size, nil
			}
		}
	}
	return sha1Size, nil
}
