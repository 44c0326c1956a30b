// Package ignore answers two questions about a path: does git ignore it, and does
// truss leave it out of an upload.
//
// The two read the same kind of file and differ in the corners, so there are two
// matchers. Matcher follows git (dir.c and wildmatch.c of git 2.39): bytes, classes
// like [:alpha:], escapes within brackets, and a match of a folder by a pattern of its
// own. PathSpec follows the Python package that truss uses (pathspec 0.12.1,
// GitWildMatchPattern), which makes a regular expression of a pattern: characters,
// brackets without classes or escapes, "*" that matches no empty name, and what is
// below a folder matched with it. Joined, either would answer wrongly for the other's
// files. The globs of b10lint's own settings are a third language, documented as
// doublestar's, with {a,b}. Go packages for .gitignore files differ from git
// in several of these corners; tests here compare with git itself.
package ignore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/regular"
)

const (
	// maxFile is the largest ignore file that is read; git's own limit is larger.
	maxFile = 16 << 20
	// maxPath is the longest path that is answered for: no system opens a longer
	// one, so none is in a work tree.
	maxPath = 32 << 10
	// maxErrors bounds what is kept for Errors.
	maxErrors = 100
)

// Options say what applies to a work tree besides its .gitignore files.
type Options struct {
	// Excludes are further ignore files, the strongest first: git's order is
	// info/exclude of the repository, then core.excludesFile. Missing ones are
	// skipped.
	Excludes []string
	// IgnoreCase is git's core.ignoreCase.
	IgnoreCase bool
	// Compose is git's core.precomposeUnicode: on a Mac, where file names may come
	// decomposed, git knows them composed (NFC). The caller composes.
	Compose bool
}

// Discover returns the Options that git uses for the work tree at root: the
// repository's info/exclude and core.excludesFile, which the system's, the user's
// and the repository's configuration may name, and else is git/ignore in the user's
// configuration folder. env is os.Getenv or a replacement.
func Discover(root string, env func(string) string) Options {
	_, common := gitdir.OfWorkTree(root)
	home := env("HOME")
	if home == "" {
		home = env("USERPROFILE")
	}
	user := env("XDG_CONFIG_HOME")
	if user == "" && home != "" {
		user = filepath.Join(home, ".config")
	}
	files := []string{"/etc/gitconfig"}
	if user != "" {
		files = append(files, filepath.Join(user, "git", "config"))
	}
	if home != "" {
		files = append(files, filepath.Join(home, ".gitconfig"))
	}
	if common != "" {
		files = append(files, filepath.Join(common, "config"))
	}
	core := map[string]string{}
	for _, f := range files {
		vars, err := config.Read(f)
		if err != nil {
			continue // git too does without a configuration file that is not there
		}
		for v := range vars {
			if v.Section == "core" && v.Subsection == "" {
				core[v.Key] = v.Value
			}
		}
	}
	var o Options
	o.IgnoreCase = isTrue(core["ignorecase"])
	o.Compose = isTrue(core["precomposeunicode"])
	if common != "" {
		o.Excludes = append(o.Excludes, filepath.Join(common, "info", "exclude"))
	}
	excludes, set := core["excludesfile"]
	if !set && user != "" {
		excludes = filepath.Join(user, "git", "ignore")
	}
	if rest, ok := strings.CutPrefix(excludes, "~/"); ok {
		excludes = filepath.Join(home, rest)
	}
	if excludes != "" {
		o.Excludes = append(o.Excludes, excludes)
	}
	return o
}

func isTrue(value string) bool {
	switch strings.ToLower(value) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

// A Matcher answers for one work tree, reading each .gitignore file when it is
// first needed. It may be used by many goroutines at once.
type Matcher struct {
	root string
	fold bool
	base [][]pattern // of Excludes

	mu   sync.Mutex
	dirs map[string]*dir
	errs []error
}

// A dir is what is known of one folder.
type dir struct {
	ignored  bool // itself or by a folder above
	path     string
	patterns []pattern // of its own .gitignore
	parent   *dir
}

// New returns a Matcher for the work tree at root. Ignore files that are there
// and cannot be read are skipped and reported by Errors.
func New(root string, o Options) *Matcher {
	m := &Matcher{root: root, fold: o.IgnoreCase, dirs: map[string]*dir{}}
	for _, name := range o.Excludes {
		m.base = append(m.base, m.read(name, os.Stat))
	}
	m.dirs[""] = &dir{patterns: m.read(filepath.Join(root, ".gitignore"), os.Lstat)}
	return m
}

// Ignored reports whether git ignores the path, which is relative to the root
// and slash separated. A path below an ignored folder is ignored. It does not know
// what git tracks: a tracked file is not ignored whatever the patterns say.
func (m *Matcher) Ignored(rel string, isDir bool) bool {
	rel = strings.Trim(rel, "/")
	if rel == "" || rel == "." || len(rel) > maxPath {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if isDir {
		return m.dir(rel).ignored
	}
	d := m.dir(parent(rel))
	return d.ignored || m.matches(d, rel, false)
}

// Errors returns what kept ignore files from being read, so far.
func (m *Matcher) Errors() []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]error(nil), m.errs...)
}

func parent(rel string) string { return rel[:max(0, strings.LastIndexByte(rel, '/'))] }

// dir returns a folder's state, working it out from the root down. The loop and
// not a recursion keeps a path of a million elements harmless.
func (m *Matcher) dir(rel string) *dir {
	if d := m.dirs[rel]; d != nil {
		return d
	}
	var d *dir
	todo := []string{rel}
	for {
		last := parent(todo[len(todo)-1])
		if d = m.dirs[last]; d != nil {
			break
		}
		todo = append(todo, last)
	}
	for i := len(todo) - 1; i >= 0; i-- {
		next := &dir{path: todo[i], parent: d}
		next.ignored = d.ignored || m.matches(d, todo[i], true)
		if !next.ignored {
			next.patterns = m.read(filepath.Join(m.root, filepath.FromSlash(todo[i]), ".gitignore"), os.Lstat)
		}
		m.dirs[todo[i]] = next
		d = next
	}
	return d
}

// matches applies the patterns of a folder and of those above, the nearest first.
func (m *Matcher) matches(in *dir, rel string, isDir bool) bool {
	if m.fold {
		rel = strings.ToLower(rel)
	}
	for d := in; d != nil; d = d.parent {
		sub := rel
		if d.path != "" {
			sub = rel[len(d.path)+1:]
		}
		if ignored, ok := decide(d.patterns, sub, isDir); ok {
			return ignored
		}
	}
	for _, patterns := range m.base {
		if ignored, ok := decide(patterns, rel, isDir); ok {
			return ignored
		}
	}
	return false
}

// read returns the patterns of a file. stat is os.Lstat for the files inside a
// work tree, where git follows no symbolic link.
func (m *Matcher) read(name string, stat func(string) (fs.FileInfo, error)) []pattern {
	info, err := stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	var data []byte
	if err == nil {
		data, err = regular.ReadFile(name, maxFile)
	}
	if err != nil {
		m.fail(name, err)
		return nil
	}
	patterns, long := parse(data, m.fold)
	if long > 0 {
		m.fail(name, fmt.Errorf("%d lines of more than %d bytes are not used", long, maxLine))
	}
	return patterns
}

func (m *Matcher) fail(name string, err error) {
	if len(m.errs) < maxErrors {
		m.errs = append(m.errs, fmt.Errorf("%s: %w", name, err))
	}
}
