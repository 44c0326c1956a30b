// Package workstation is what a home directory holds: the known places of keys, as a
// source, whether git tracks a file, and whether credential files are kept safely.
package workstation

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// maxMatches bounds how many files of one folder a * may match.
const maxMatches = 10000

// Options say whose workstation is scanned.
type Options struct {
	Dir string // the home directory
	// System is "linux", "darwin" or "windows"; empty means this one. Any other
	// is taken for linux.
	System string
	// Lookup returns an environment variable, as os.LookupEnv does. Nil when the
	// home is someone else's: then no variable moves a place.
	Lookup func(string) (string, bool)
	// Environ are variables to scan, as os.Environ returns them; nil for none.
	Environ []string
}

// A Place is one path that a scan of the home reads.
type Place struct {
	Kind   PlaceKind `json:"kind"`
	Path   string    `json:"path"` // expanded; may end in elements that hold *
	Reason string    `json:"reason"`
	Source string    `json:"source"` // of the knowledge that the place exists
	// Private is set when no one but the owner has a reason to read the file.
	Private bool `json:"private"`
	// base and pattern make up Path; a * in base is itself.
	base, pattern string
}

// A PlaceFile is a file that was found at a Place.
type PlaceFile struct {
	Place Place
	Path  string      // of the file, slash separated
	Info  fs.FileInfo // of what the path leads to
}

// Places returns the table of places for a home, each path on its own. It looks
// at no file.
func Places(o Options) []Place {
	var out []Place
	seen := map[string]bool{}
	for _, r := range table() {
		for _, pattern := range r.paths {
			base, rest, ok := o.expand(pattern)
			full := path.Join(base, rest)
			if !ok || seen[full] {
				continue
			}
			seen[full] = true
			out = append(out, Place{r.kind, full, r.reason, r.fact, r.private, base, rest})
		}
	}
	if o.Environ != nil {
		out = append(out, Place{Kind: KindEnvironment, Path: source.EnvironmentPath + "*", Reason: "the environment that b10lint itself was given",
			Source: fromVariable, Private: true})
	}
	return out
}

// expand makes a folder and what is below it of a table's path; ok is false when
// it is for another system or names a variable that is not set to an absolute path.
func (o Options) expand(pattern string) (base, rest string, ok bool) {
	system := o.System
	if system == "" {
		system = runtime.GOOS
	}
	if system != "darwin" && system != "windows" {
		system = "linux"
	}
	if only, rest, found := strings.Cut(pattern, ":"); found {
		if only != system {
			return "", "", false
		}
		pattern = rest
	}
	head, rest, _ := strings.Cut(pattern, "/")
	switch {
	case head == "~":
		head = o.Dir
	case o.Lookup == nil:
		return "", "", false
	default:
		value, _ := o.Lookup(head[1:])
		if tail, home := strings.CutPrefix(value, "~/"); home { // Python expands it
			value = filepath.Join(o.Dir, tail)
		}
		if !filepath.IsAbs(value) {
			return "", "", false
		}
		head = value
	}
	return filepath.ToSlash(filepath.Clean(head)), rest, true
}

// Files returns the regular files that are at the places of a home, each file
// once, with a Problem for every place that is there and cannot be read.
// Symbolic links are followed: the table names the place. Folders, pipes and
// devices where a file is expected are passed over.
func Files(o Options) ([]PlaceFile, []finding.Problem) {
	var files []PlaceFile
	var problems []finding.Problem
	type age struct{ size, time int64 }
	known := map[age][]fs.FileInfo{}
	for _, p := range Places(o) {
		if strings.HasPrefix(p.Path, source.EnvironmentPath) {
			continue
		}
		names, err := glob(p.base, p.pattern)
		if err != nil {
			problems = closed(problems, p.Path, err)
		}
		for _, name := range names {
			info, err := os.Stat(filepath.FromSlash(name))
			if err != nil {
				problems = closed(problems, name, err)
				continue
			}
			s := age{info.Size(), info.ModTime().UnixNano()}
			same := func(k fs.FileInfo) bool { return os.SameFile(k, info) }
			if info.Mode().IsRegular() && !slices.ContainsFunc(known[s], same) {
				known[s] = append(known[s], info)
				files = append(files, PlaceFile{p, name, info})
			}
		}
	}
	return files, problems
}

// missing reports whether an error says that there is no such file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// closed adds the Problem of a place that cannot be read. Where a folder above
// is what may not be entered, it is named, once for all the places below.
func closed(problems []finding.Problem, name string, err error) []finding.Problem {
	if missing(err) {
		return problems
	}
	for dir := path.Dir(name); errors.Is(err, fs.ErrPermission) && dir != path.Dir(dir); dir = path.Dir(dir) {
		if _, dirErr := os.Stat(filepath.FromSlash(dir)); dirErr == nil {
			name = dir
			break
		}
	}
	p := source.Unreadable(name, err)
	if source.Told(problems, p) {
		return problems
	}
	return append(problems, p)
}

// glob returns the paths that a pattern below a folder may match: the path
// itself when it has no *, else what the folders really hold. It reads only the
// folders of elements that have a *.
func glob(base, pattern string) ([]string, error) {
	i := strings.IndexByte(pattern, '*')
	if i < 0 {
		return []string{path.Join(base, pattern)}, nil
	}
	cut := strings.LastIndexByte(pattern[:i], '/') + 1
	dir := path.Join(base, pattern[:cut])
	element, rest, more := strings.Cut(pattern[cut:], "/")
	f, err := os.Open(filepath.FromSlash(dir))
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(maxMatches + 1)
	switch {
	case len(names) > maxMatches:
		return nil, fmt.Errorf("holds more than %d files; scan it by name", maxMatches)
	case missing(err):
		return nil, nil
	case len(names) == 0 && err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	slices.Sort(names)
	var out []string
	var errs []error
	for _, name := range names {
		if ok, _ := path.Match(element, name); !ok {
			continue
		}
		if !more {
			out = append(out, path.Join(dir, name))
			continue
		}
		below, err := glob(path.Join(dir, name), rest)
		out = append(out, below...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}
