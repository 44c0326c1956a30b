package truss

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/git/ignore"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/scanner/source"
)

const (
	configName = "config.yaml"
	brokenLink = "is a broken symbolic link, on which truss push fails"
)

// An upload works out one upload set.
type upload struct {
	dir, config string
	builtin     *ignore.PathSpec
	entries     map[string]Entry // by path in the archive
	problems    []finding.Problem
}

func (u *upload) problem(file, text, hint string, warning bool) {
	p := finding.Problem{Path: filepath.ToSlash(file), Error: text, Hint: hint, Warning: warning}
	if !source.Told(u.problems, p) { // a chain's files are walked twice
		u.problems = append(u.problems, p)
	}
}

func (u *upload) run() {
	var err error
	if u.builtin, err = ignore.ParsePathSpec([]byte(builtinIgnore)); err != nil {
		u.problem(u.dir, "the built-in ignore list: "+err.Error(), "report this to the makers of b10lint", false)
		return
	}
	// A .truss_ignore of its own replaces the built-in list; custom is nil without.
	var custom *ignore.PathSpec
	list := filepath.Join(u.dir, trussIgnoreName)
	data, err := regular.ReadFile(list, source.SmallFile)
	if err == nil {
		custom, err = ignore.ParsePathSpec(data)
	}
	spec := custom
	if err != nil {
		spec = u.builtin
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p := source.Unreadable(list, err)
		p.Error += "; the upload set is worked out with the built-in list"
		p.Hint = "correct it: truss push fails on it as well"
		u.problems = append(u.problems, p)
	}
	file := filepath.Join(u.dir, configName)
	_, err = os.Stat(file)
	if err == nil || u.config != "" {
		u.truss(spec, custom)
		u.sendConfig()
		return
	}
	u.walk(u.dir, "", spec, u.add)
	u.chain()
}

// truss lists a truss, gathering it first when parts of it are elsewhere.
func (u *upload) truss(spec, custom *ignore.PathSpec) {
	file := filepath.Join(u.dir, configName)
	config, err := ReadConfig(file)
	if err != nil && !(u.config != "" && errors.Is(err, fs.ErrNotExist)) {
		p := source.Unreadable(file, err)
		p.Hint = "correct it: the folders of external_package_dirs are missing from the upload set"
		u.problems = append(u.problems, p)
	}
	if len(config.ExternalPackageDirs) == 0 {
		u.walk(u.dir, "", spec, u.add)
		return
	}
	u.copyTree(u.dir, "", custom)
	for _, name := range config.ExternalPackageDirs {
		ext := name
		if !filepath.IsAbs(ext) {
			ext = filepath.Join(u.dir, name)
		}
		u.external(ext, config.BundledPackagesDir, spec)
	}
}

// copyTree lists what is left of a folder copied to a place in a gathered truss
// once the truss's own ignore file, if it has one, is applied to the copy.
func (u *upload) copyTree(dir, below string, custom *ignore.PathSpec) {
	u.walk(dir, "", u.builtin, func(rel, file string) {
		to := path.Join(below, rel)
		if custom != nil && ignoredWithParents(custom, to) {
			return
		}
		u.addFollowed(to, file)
	})
}

// external lists the contents of one of external_package_dirs.
func (u *upload) external(dir, below string, spec *ignore.PathSpec) {
	info, err := os.Lstat(dir)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		u.problem(dir, "is a symbolic link, which truss push refuses for a folder of external_package_dirs", "name the folder itself", false)
		return
	}
	if err == nil && !info.IsDir() {
		err = errors.New("is not a folder, so truss push fails on external_package_dirs")
	}
	var children []fs.DirEntry
	if err == nil {
		children, err = os.ReadDir(dir)
	}
	if err != nil {
		u.problems = append(u.problems, source.Unreadable(dir, err))
		return
	}
	for _, c := range children {
		child, to := filepath.Join(dir, c.Name()), path.Join(filepath.ToSlash(below), c.Name())
		info, err := os.Stat(child)
		switch {
		case err != nil: // a broken link: neither a folder nor a file to Python
		case info.IsDir():
			// The name itself passes no list here, but the copy does.
			if !ignoredWithParents(spec, to) && !spec.Match(to+"/") {
				u.copyTree(child, to, spec)
			}
		case info.Mode().IsRegular():
			if !ignoredWithParents(spec, to) {
				u.addFollowed(to, child)
			}
		}
	}
}

// ignoredWithParents asks for a file as a walk from the root would: a folder that
// is excluded takes everything below with it.
func ignoredWithParents(spec *ignore.PathSpec, rel string) bool {
	for i := 0; i < len(rel); i++ {
		if rel[i] == '/' && (spec.Match(rel[:i]) || spec.Match(rel[:i+1])) {
			return true
		}
	}
	return spec.Match(rel)
}

// chain adds what the chainlets of a chain take from its root: its Python files at the
// top use truss_chains.
func (u *upload) chain() {
	children, _ := os.ReadDir(u.dir) // what cannot be read is reported by the walk
	found := false
	for _, c := range children {
		if !strings.HasSuffix(c.Name(), ".py") {
			continue
		}
		name := filepath.Join(u.dir, c.Name())
		data, err := regular.ReadFile(name, source.SmallFile)
		if err != nil || !strings.Contains(string(data), "truss_chains") {
			continue // one that cannot be read is reported when it is sent
		}
		if !found {
			found = true
			u.walk(u.dir, "", u.builtin, u.addFollowed)
		}
		if strings.Contains(string(data), "external_package_dirs") || strings.Contains(string(data), "truss_dir") {
			u.problem(name, "names further folders to upload (external_package_dirs or truss_dir), which only running it would show",
				"scan those folders with --truss as well", true)
		}
	}
}

// walk is os.walk of Python, links to folders not entered, with excluded folders
// that the list matches with or without a slash at their end.
func (u *upload) walk(dir, rel string, spec *ignore.PathSpec, yield func(rel, file string)) {
	children, err := os.ReadDir(dir)
	if err != nil {
		u.problems = append(u.problems, source.Unreadable(dir, err))
	}
	for _, c := range children {
		at, file := path.Join(rel, c.Name()), filepath.Join(dir, c.Name())
		if c.IsDir() {
			if !spec.Match(at) && !spec.Match(at+"/") {
				u.walk(file, at, spec, yield)
			}
			continue
		}
		if spec.Match(at) {
			continue
		}
		if c.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(file); err == nil && info.IsDir() {
				continue
			}
		}
		yield(at, file)
	}
}

// add lists a file of the archive as truss's archive_dir does, a link as a link.
func (u *upload) add(rel, file string) {
	info, err := os.Lstat(file)
	if err != nil {
		u.problems = append(u.problems, source.Unreadable(file, err))
		return
	}
	e := Entry{Path: rel, File: file, Size: info.Size()}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		if e.Link, err = os.Readlink(file); err == nil {
			_, err = os.Stat(file)
		}
		if err != nil {
			u.problem(file, brokenLink, "remove it", true)
			return
		}
		e.Size = 0
	case !mode.IsRegular():
		u.problem(file, "is not a regular file: truss push would wait on it or fail", "remove it or name it in .truss_ignore", true)
		return
	}
	u.entries[rel] = e
}

// addFollowed lists a file of a copy as copy_tree_path does, a link as what it leads
// to. The copy passes a broken one over, but truss has read its time before, unless
// its name starts with a dot.
func (u *upload) addFollowed(rel, file string) {
	info, err := os.Stat(file)
	if err != nil {
		if filepath.Base(file)[0] != '.' {
			u.problem(file, brokenLink, "remove it", true)
		}
		return
	}
	if !info.Mode().IsRegular() {
		u.problem(file, "is not a regular file: truss push would wait on it or fail", "remove it or name it in .truss_ignore", true)
		return
	}
	u.entries[rel] = Entry{Path: rel, File: file, Size: info.Size()}
}

// sendConfig marks config.yaml, or puts the file of --config in its place.
func (u *upload) sendConfig() {
	file := filepath.Join(u.dir, configName)
	e, archived := u.entries[configName]
	if u.config != "" {
		file, archived = u.config, true
	}
	info, err := os.Stat(file)
	if err != nil {
		u.problems = append(u.problems, source.Unreadable(file, err))
		return
	}
	if e.Link == "" || u.config != "" {
		e = Entry{Path: configName, File: file, Size: info.Size()}
	}
	e.SentOnly = !archived
	e.Sent = true
	e.Link = "" // its text is sent even when the archive holds only the link
	u.entries[configName] = e
}

// An Entry is one thing that truss push would send.
type Entry struct {
	Path string // in the archive, slash separated; of config.yaml also when it is only sent
	File string // on this machine
	Size int64
	// Link is set when the archive holds a symbolic link and not what it leads
	// to; it is where the link leads.
	Link string
	// Sent is set for config.yaml, which also goes into the request itself.
	// SentOnly is set when the ignore list keeps it out of the archive.
	Sent, SentOnly bool
}
