package pack

import (
	"cmp"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

	identified Kinds // of a received pack; see Identify
}

// Options say what a store is made of and what it may cost. The zero value reads
// the repository as git would with an empty environment.
type Options struct {
	// ObjectDir is read in place of the repository's own object folder, as git
	// does with GIT_OBJECT_DIRECTORY.
	ObjectDir string
	// Alternates are further object folders, as in
	// GIT_ALTERNATE_OBJECT_DIRECTORIES.
	Alternates []string
	// Problem is called with everything that could not be read, from any
	// goroutine; what it names has not been handed over unless the error is
	// ErrWrongContent. Nil drops them.
	Problem func(Problem)

	// Limits, which tests set lower. An object of more than streamOver bytes (32 MiB)
	// that is neither a delta nor the base of one is handed over in windows. The large
	// members (over 16 MiB) of one delta chain take at most holdMost bytes of memory
	// (1 GiB). One sweep makes at most 64 GiB, and expandMost bytes (100,000) for each
	// byte of the packs, of deltas. What goes beyond is a Problem.
	streamOver, holdMost, expandMost int64
	expandAll                        int64 // in place of 64 GiB and expandMost
}

func (o Options) withDefaults() Options {
	o.streamOver = cmp.Or(o.streamOver, 32<<20)
	o.holdMost = cmp.Or(o.holdMost, 1<<30)
	o.expandMost = cmp.Or(o.expandMost, 100_000)
	if o.Problem == nil {
		o.Problem = func(Problem) {}
	}
	return o
}

func (s *Store) problem(path string, err error) {
	s.opts.Problem(Problem{Path: path, Err: err})
}

// expandMost is how many bytes may be made of deltas in one go.
func (s *Store) expandMost() int64 {
	if s.opts.expandAll > 0 {
		return s.opts.expandAll
	}
	n := int64(64 << 30)
	for _, p := range s.packs {
		n += int64(len(p.data)) * s.opts.expandMost
	}
	return n
}

// GitDir is the folder of the repository's own HEAD and index.
func (s *Store) GitDir() string { return s.gitDir }

// CommonDir is the folder of what linked worktrees share: refs, config, objects.
func (s *Store) CommonDir() string { return s.commonDir }

// HashSize is the length of the store's object ids: 20 for SHA-1, 32 for SHA-256.
func (s *Store) HashSize() int { return s.hash }

// ObjectDirs are the object folders of the store: the repository's own, then its
// alternates.
func (s *Store) ObjectDirs() []string { return slices.Clone(s.dirs) }

// A PackInfo describes a pack of the store.
type PackInfo struct {
	Path string
	// Promisor is set on packs from a server that has promised whatever they
	// refer to, so that it may be absent here (a partial clone).
	Promisor bool
	// Unindexed is set when the pack had no usable index and was read in order.
	Unindexed bool
}

// Packs describes the packs of the store, in its order.
func (s *Store) Packs() (infos []PackInfo) {
	for _, p := range s.packs {
		infos = append(infos, PackInfo{Path: p.path, Promisor: p.promisor, Unindexed: p.walked})
	}
	return infos
}

// Packed reports whether the index of some pack has the object. It asks no file system.
func (s *Store) Packed(id ID) (found bool) {
	for _, p := range s.packs {
		guard(func() error { _, found = p.idx.find(id.sum[:id.size]); return nil })
		if found {
			return true
		}
	}
	return false
}

// Has reports whether some part of the store has the object.
func (s *Store) Has(id ID) bool { return s.Packed(id) || len(s.looseCopies(id)) > 0 }

// HeldBy gives the paths of all packs and loose files that hold the object.
func (s *Store) HeldBy(id ID) (paths []string) {
	for _, p := range s.packs {
		guard(func() error {
			if _, ok := p.idx.find(id.sum[:id.size]); ok {
				paths = append(paths, p.path)
			}
			return nil
		})
	}
	return append(paths, s.looseCopies(id)...)
}

func (s *Store) looseCopies(id ID) (paths []string) {
	if id.IsZero() {
		return nil
	}
	for _, dir := range s.dirs {
		if path := loosePath(dir, id); exists(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// WithPrefix gives the ids of the objects whose hexadecimal form starts with prefix,
// of two lower-case digits or more, each once and in order.
func (s *Store) WithPrefix(prefix string) (ids []ID) {
	if len(prefix) < 2 || len(prefix) > 2*s.hash {
		return nil
	}
	low, err := hex.DecodeString(prefix + strings.Repeat("0", 2*s.hash-len(prefix)))
	if err != nil {
		return nil
	}
	for _, p := range s.packs {
		guard(func() error {
			for i, _ := p.idx.find(low); i < p.idx.ids.n; i++ {
				id := IDFromBytes(p.idx.ids.at(i))
				if !strings.HasPrefix(id.String(), prefix) {
					break
				}
				ids = append(ids, id)
			}
			return nil
		})
	}
	for _, dir := range s.dirs {
		files, _ := os.ReadDir(filepath.Join(dir, prefix[:2]))
		for _, f := range files {
			id, err := ParseID(prefix[:2] + f.Name())
			if err == nil && int(id.size) == s.hash && strings.HasPrefix(id.String(), prefix) {
				ids = append(ids, id)
			}
		}
	}
	slices.SortFunc(ids, ID.Compare)
	return slices.Compact(ids)
}
