package pack

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
)

// A Store is the object store of one repository: its packs and loose objects, and
// those of its alternates. Its methods may be called from many goroutines, but
// none after or during Close.
type Store struct {
	gitDir    string
	commonDir string
	dirs      []string    // object folders, the repository's own first
	packs     []*packFile // in the order of dirs, then by name
	hash      int
	opts      Options
}

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
	objects := opts.ObjectDir
	if objects == "" {
		objects = filepath.Join(s.commonDir, "objects")
	}
	if info, err := os.Stat(objects); err != nil || !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: gitdir.ErrNotRepository}
	}
	s.findAlternates(objects)
	names := s.packNames()
	if s.hash, err = s.detectHash(names); err != nil {
		return nil, err
	}
	s.openPacks(names)
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

// GitDir is the folder of the repository's own HEAD and index.
func (s *Store) GitDir() string { return s.gitDir }

// CommonDir is the folder of what linked worktrees share: refs, config, objects.
func (s *Store) CommonDir() string { return s.commonDir }

// HashSize is the length of the store's object ids: 20 for SHA-1, 32 for SHA-256.
func (s *Store) HashSize() int { return s.hash }

func (s *Store) problem(path string, err error) {
	s.opts.Problem(Problem{Path: path, Err: err})
}

// packNames lists the packs, in the order in which the store reads them.
func (s *Store) packNames() []string {
	var names []string
	for _, dir := range s.dirs {
		entries, err := os.ReadDir(filepath.Join(dir, "pack"))
		if err != nil && !os.IsNotExist(err) {
			s.problem(filepath.Join(dir, "pack"), err)
		}
		for _, e := range entries { // sorted by name
			if strings.HasSuffix(e.Name(), ".pack") {
				names = append(names, filepath.Join(dir, "pack", e.Name()))
			}
		}
	}
	return names
}

// detectHash decides between SHA-1 and SHA-256: by the configuration, and where
// that is silent by what the object folders look like.
func (s *Store) detectHash(packs []string) (int, error) {
	file := filepath.Join(s.commonDir, "config")
	format := ""
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
	case format == "sha1":
		return sha1Size, nil
	case format == "sha256":
		return sha256Size, nil
	case format != "":
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
		if size := looseHash(dir); size != 0 {
			return size, nil
		}
	}
	return sha1Size, nil
}

func (s *Store) openPacks(names []string) {
	for _, path := range names {
		p, bad, err := openPack(path, s.hash)
		if err != nil {
			s.problem(path, err)
			continue
		}
		if bad != nil {
			s.problem(strings.TrimSuffix(path, ".pack")+".idx", fmt.Errorf("cannot be used, so the pack was read without it: %w", bad))
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
	s.packs = slices.DeleteFunc(s.packs, func(p *packFile) bool {
		if p.idx == nil {
			p.close()
		}
		return p.idx == nil
	})
}
