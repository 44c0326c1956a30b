package workstation

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
	"github.com/b10lint/b10lint/scanner/source/git"
)

// Locate sets the exposure of each location, by what git knows of the file and
// whether it is a known place of the home; o.Dir is empty for no one's. Files that git
// tracks are committed, wherever they are. The error may be a source.LocateError.
func Locate(ctx context.Context, o Options, places []finding.Location) ([]finding.Location, error) {
	known := map[string]Place{} // by real path
	if o.Dir != "" {
		files, _ := Files(o) // a place that cannot be read holds no key that was found
		for _, f := range files {
			known[disk.RealPath(filepath.FromSlash(f.Path))] = f.Place
		}
	}
	return locate(ctx, o, places, func(name string) (Place, bool) {
		p, ok := known[disk.RealPath(name)]
		return p, ok
	})
}

// locate is Locate with a function that knows which files are places of the home.
func locate(
	ctx context.Context, o Options, places []finding.Location, home func(name string) (Place, bool),
) ([]finding.Location, error) {
	var names []string
	number := map[string]int{}
	for _, at := range places {
		if _, known := number[at.Path]; !known {
			number[at.Path] = len(names)
			names = append(names, filepath.FromSlash(at.Path))
		}
	}
	states := git.NewWorkTrees(o.Lookup).States(names)
	readable := make([]bool, len(names))
	homes := make([]Place, len(names))
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &states[i]
		place, known := home(name)
		homes[i] = place
		if known && s.Exposure != finding.Committed {
			s.Exposure = finding.Home
		}
		readable[i] = (s.Exposure == finding.Home || s.Exposure == finding.Ignored) && openToAll(name)
	}
	out := make([]finding.Location, len(places))
	for i, at := range places {
		n := number[at.Path]
		at.Exposure, at.Readable = states[n].Exposure, readable[n]
		if at.Context == "" {
			at.Context = string(homes[n].Kind)
		}
		out[i] = at
	}
	var problems source.LocateError // one for each repository
	for _, s := range states {
		if s.Err == nil {
			continue
		}
		p := finding.Problem{Path: filepath.ToSlash(s.Root), Error: "cannot determine which files git tracks: " + s.Err.Error(), Hint: "see what `git status` says there"}
		if !source.Told(problems, p) {
			problems = append(problems, p)
		}
	}
	if problems == nil {
		return out, nil
	}
	return out, problems
}

// Reachable reports whether the folders above a file let through those whose bit
// is in who: 0o001 for everyone, 0o010 for the group, or both. What cannot be
// read counts as open.
func Reachable(name string, who fs.FileMode) bool {
	real, err := filepath.EvalSymlinks(name)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return true
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&who == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// openToAll reports whether everyone on the machine may read a file. On Windows,
// where mode bits say nothing, it says no.
func openToAll(name string) bool {
	info, err := os.Stat(name)
	return runtime.GOOS != "windows" && err == nil && info.Mode().Perm()&0o004 != 0 && Reachable(name, 0o001)
}
