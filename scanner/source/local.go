package source

import (
	"context"
	"path/filepath"

	"github.com/b10lint/b10lint/finding"
)

// A LocateError lists the places of which not everything could be found out. What
// was returned with it is complete and errs on the side of caution.
type LocateError []finding.Problem

// Error names the first.
func (e LocateError) Error() string { return e[0].Path + ": " + e[0].Error }

// A local locates files on disk.
type local struct {
	trees *WorkTrees
	known map[string]Place // places of the home, by real path
	all   bool             // every place is one of the home
}

// newLocal returns a local that knows a home, unless its Dir is empty.
func newLocal(o HomeOptions, all bool) *local {
	l := &local{trees: NewWorkTrees(o.Lookup), known: map[string]Place{}, all: all}
	if o.Dir == "" || all {
		return l
	}
	files, _ := HomeFiles(o) // a place that cannot be read holds no key that was found
	for _, f := range files {
		l.known[realPath(filepath.FromSlash(f.Path))] = f.Place
	}
	return l
}

// locate sets the exposure of each place, by what git knows of the file and
// whether it is a known place of the home. Files that git tracks are committed,
// wherever they are.
func (l *local) locate(ctx context.Context, places []finding.Location) ([][]finding.Location, error) {
	var names []string
	number := map[string]int{}
	for _, at := range places {
		if _, known := number[at.Path]; !known {
			number[at.Path] = len(names)
			names = append(names, filepath.FromSlash(at.Path))
		}
	}
	states := l.trees.States(names)
	readable := make([]bool, len(names))
	homes := make([]Place, len(names))
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &states[i]
		home, known := l.known[realPath(name)]
		homes[i] = home
		if (known || l.all) && s.Exposure != finding.Committed {
			s.Exposure = finding.Home
		}
		if s.Exposure == finding.Home || s.Exposure == finding.Ignored {
			readable[i] = openToAll(name)
		}
	}
	out := make([][]finding.Location, len(places))
	for i, at := range places {
		n := number[at.Path]
		at.Exposure, at.Readable = states[n].Exposure, readable[n]
		if at.Context == "" {
			at.Context = string(homes[n].Kind)
		}
		out[i] = []finding.Location{at}
	}
	return out, unknown(states)
}

// unknown is the error of the states that could not be found out, once for each
// repository.
func unknown(states []GitState) error {
	var problems LocateError
	for _, s := range states {
		if s.Err == nil {
			continue
		}
		p := finding.Problem{Path: filepath.ToSlash(s.Root), Error: "cannot tell what git has of its files: " + s.Err.Error(), Hint: "see what `git status` says there"}
		if !told(problems, p) {
			problems = append(problems, p)
		}
	}
	if problems == nil {
		return nil
	}
	return problems
}
