// Package refs reads what a git repository keeps beside its objects: references,
// HEAD, the shallow boundary, the stash's log, submodules. It runs nothing, and
// every length and count in a file is input. The formats are those of git's
// gitrepository-layout manual page; object ids are lower-case hexadecimal.
//
// go-git reads references too; this package opens only the files that a question
// needs, and lists those of every linked work tree.
package refs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/internal/git/config"
	"github.com/b10lint/b10lint/internal/git/gitdir"
	"github.com/b10lint/b10lint/internal/regular"
)

// ErrReftable says that the references are kept in a form that is not read.
var ErrReftable = errors.New("references are kept as a reftable, which b10lint does not read: which commits they lead to is unknown")

// ReftableHint says what to do about ErrReftable; git has the command since 2.46.
const ReftableHint = "git refs migrate --ref-format=files, here or in a copy of the repository"

// maxFile bounds what is read of one file. The packed references of the largest
// public repositories take some tens of megabytes.
const maxFile = 1 << 30

// A Ref is a name for an object.
type Ref struct {
	Name string // whole: refs/heads/main
	ID   string // hexadecimal
}

// Short is the name as people know it: main, v1.0, origin/main, notes/commits.
func (r Ref) Short() string {
	for _, p := range []string{"refs/heads/", "refs/tags/", "refs/remotes/", "refs/"} {
		if s, ok := strings.CutPrefix(r.Name, p); ok {
			return s
		}
	}
	return r.Name
}

// Refs lists every reference of a repository by name: packed and loose ones,
// detached heads (of linked work trees, too), those that only one work tree has,
// and the older entries of the stash as stash@{n}. Symbolic references are
// skipped, as what they name is listed. The errors are of files that could not be
// read; the rest is given.
func Refs(commonDir string) ([]Ref, []error) {
	l := lister{ids: map[string]string{}}
	if _, err := os.Stat(filepath.Join(commonDir, "reftable")); err == nil {
		l.errs, l.reftable = append(l.errs, ErrReftable), true
	}
	l.packed(filepath.Join(commonDir, "packed-refs"))
	l.loose(commonDir, "refs", "")
	l.file(commonDir, "HEAD", "HEAD") // when it is on no branch
	for _, name := range worktrees(commonDir) {
		dir := filepath.Join(commonDir, "worktrees", name)
		l.file(dir, "HEAD", "worktrees/"+name+"/HEAD")
		l.loose(dir, "refs", "worktrees/"+name+"/")
	}
	// The reference itself names the stash's newest entry, its log the others.
	data, err := regular.ReadFile(filepath.Join(commonDir, "logs", "refs", "stash"), maxFile)
	l.fail(err)
	var stash []string
	for line := range bytes.Lines(data) {
		if f := bytes.Fields(line); len(f) > 1 && isID(string(f[1])) {
			stash = append(stash, string(f[1]))
		}
	}
	for i := range len(stash) - 1 {
		l.ids[fmt.Sprintf("refs/stash@{%d}", len(stash)-1-i)] = stash[i]
	}
	refs := make([]Ref, 0, len(l.ids))
	for name, id := range l.ids {
		refs = append(refs, Ref{name, id})
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, l.errs
}

type lister struct {
	ids      map[string]string
	errs     []error
	reftable bool
}

func (l *lister) fail(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.errs = append(l.errs, err)
	}
}

func (l *lister) packed(name string) {
	data, err := regular.ReadFile(name, maxFile)
	l.fail(err)
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		id, ref, ok := strings.Cut(string(line), " ")
		switch {
		case len(line) == 0 || line[0] == '#' || line[0] == '^':
		case !ok || !isID(id):
			l.errs = append(l.errs, fmt.Errorf("%s: malformed line", name))
			return
		default:
			l.ids[ref] = strings.ToLower(id)
		}
	}
}

// loose lists the files below root/rel.
func (l *lister) loose(root, rel, prefix string) {
	entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(rel)))
	l.fail(err)
	for _, e := range entries {
		name := path.Join(rel, e.Name())
		switch {
		case e.IsDir():
			l.loose(root, name, prefix)
		case e.Type().IsRegular() && !strings.HasSuffix(name, ".lock"):
			l.file(root, name, prefix+name)
		}
	}
}

func (l *lister) file(root, rel, as string) {
	data, err := regular.ReadFile(filepath.Join(root, filepath.FromSlash(rel)), maxFile)
	if err != nil {
		l.fail(err)
		return
	}
	text := strings.TrimSpace(string(data))
	switch {
	case isID(text):
		l.ids[as] = strings.ToLower(text)
	case l.reftable && rel == "refs/heads": // a notice for programs that do not know reftables
	case !strings.HasPrefix(text, "ref:"):
		l.errs = append(l.errs, fmt.Errorf("%s: not a reference", filepath.Join(root, filepath.FromSlash(rel))))
	}
}

func worktrees(commonDir string) (names []string) {
	entries, _ := os.ReadDir(filepath.Join(commonDir, "worktrees"))
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// Indexes are the index files that a repository has: its own and those of its
// linked work trees.
func Indexes(commonDir string) []string {
	all := []string{filepath.Join(commonDir, "index")}
	for _, name := range worktrees(commonDir) {
		all = append(all, filepath.Join(commonDir, "worktrees", name, "index"))
	}
	return slices.DeleteFunc(all, func(name string) bool { _, err := os.Stat(name); return err != nil })
}

// Head is the id of the commit that HEAD of a git folder leads to, among the given
// references; "" when its branch has none yet.
func Head(gitDir string, refs []Ref) (string, error) {
	id, name, err := readHead(gitDir)
	if i, ok := slices.BinarySearchFunc(refs, name, func(r Ref, n string) int { return strings.Compare(r.Name, n) }); ok {
		id = refs[i].ID
	}
	return id, err
}

// HeadOnly is Head, without the list of all references.
func HeadOnly(gitDir, commonDir string) (string, error) {
	id, name, err := readHead(gitDir)
	if id != "" || err != nil {
		return id, err
	}
	if !fs.ValidPath(name) {
		return "", fmt.Errorf("%s: not the name of a reference", filepath.Join(gitDir, "HEAD"))
	}
	for _, dir := range []string{gitDir, commonDir} {
		if text, err := regular.ReadFile(filepath.Join(dir, filepath.FromSlash(name)), maxFile); err == nil {
			if id := strings.TrimSpace(string(text)); isID(id) {
				return strings.ToLower(id), nil
			}
		}
	}
	if _, err := os.Stat(filepath.Join(commonDir, "reftable")); err == nil {
		return "", ErrReftable
	}
	l := lister{ids: map[string]string{}}
	l.packed(filepath.Join(commonDir, "packed-refs"))
	return l.ids[name], errors.Join(l.errs...)
}

// readHead returns the id that HEAD holds, or the name of its branch.
func readHead(gitDir string) (id, name string, err error) {
	file := filepath.Join(gitDir, "HEAD")
	data, err := regular.ReadFile(file, maxFile)
	if err != nil {
		return "", "", err
	}
	text := strings.TrimSpace(string(data))
	if isID(text) {
		return strings.ToLower(text), "", nil
	}
	name, ok := strings.CutPrefix(text, "ref:")
	if !ok {
		return "", "", fmt.Errorf("%s: neither a branch nor a commit", file)
	}
	return "", strings.TrimSpace(name), nil
}

// Shallow lists the commits whose parents are not in a shallow clone.
func Shallow(commonDir string) (ids []string, err error) {
	data, err := regular.ReadFile(filepath.Join(commonDir, "shallow"), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range bytes.Lines(data) {
		if id := strings.TrimSpace(string(line)); isID(id) {
			ids = append(ids, strings.ToLower(id))
		}
	}
	slices.Sort(ids)
	return ids, err
}

func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// A Module is a submodule as .gitmodules names it.
type Module struct{ Name, Path string }

// ParseModules reads the content of a .gitmodules file. Modules without a path are
// skipped.
func ParseModules(data []byte) (mods []Module) {
	for v := range config.Parse(data) {
		if v.Section != "submodule" || v.Key != "path" || v.Value == "" {
			continue
		}
		if n := len(mods); n > 0 && mods[n-1].Name == v.Subsection {
			mods = mods[:n-1]
		}
		mods = append(mods, Module{Name: v.Subsection, Path: v.Value})
	}
	return mods
}

// ModuleDirs finds the repositories of submodules below commonDir/modules, those
// of submodules of submodules included. A submodule's name may have slashes.
func ModuleDirs(commonDir string) (dirs []string, errs []error) {
	root := filepath.Join(commonDir, "modules")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err) && name == root:
			return fs.SkipAll
		case err != nil:
			errs = append(errs, err)
			return nil
		case !d.IsDir() || name == root:
			return nil
		case gitdir.Is(name):
			dirs = append(dirs, name)
			more, bad := ModuleDirs(name)
			dirs, errs = append(dirs, more...), append(errs, bad...)
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		errs = append(errs, err)
	}
	return dirs, errs
}
