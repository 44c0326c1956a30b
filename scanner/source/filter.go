package source

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// A Filter says which paths of a target are scanned. Paths are relative to the
// target, with slashes.
type Filter struct {
	exclude, include []string
	more             []based
}

// A based filter takes paths from a folder above the target.
type based struct {
	base string
	Filter
}

// NewFilter checks the globs (doublestar: ** crosses folders). A glob without a
// slash matches a name in any folder. Paths that an exclude matches, and all below
// them, are excluded; with includes, files that none of them matches are excluded.
func NewFilter(exclude, include []string) (Filter, error) {
	var f Filter
	for _, list := range []struct {
		from []string
		to   *[]string
	}{{exclude, &f.exclude}, {include, &f.include}} {
		for _, glob := range list.from {
			g := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(glob), "./"), "/")
			if g == "" || !doublestar.ValidatePattern(g) {
				return Filter{}, fmt.Errorf("bad glob %q", glob)
			}
			if !strings.Contains(g, "/") {
				g = "**/" + g
			}
			*list.to = append(*list.to, strings.TrimPrefix(g, "/"))
		}
	}
	return f, nil
}

// And returns a filter that leaves out what f does and, of paths that are relative
// to a folder above the target, what g does. base is the target's path from there,
// with slashes, empty for the target itself.
func (f Filter) And(base string, g Filter) Filter {
	if g.Empty() {
		return f
	}
	f.more = append(f.more[:len(f.more):len(f.more)], based{base, g})
	return f
}

// Empty reports whether the filter leaves nothing out.
func (f Filter) Empty() bool { return len(f.exclude)+len(f.include)+len(f.more) == 0 }

// SkipDir reports whether a folder is excluded with all below it.
func (f Filter) SkipDir(rel string) bool {
	above := func(m based) bool { return m.SkipDir(path.Join(m.base, rel)) }
	return slices.ContainsFunc(f.more, above) || matchAny(f.exclude, rel)
}

// Skip reports whether a file is excluded.
func (f Filter) Skip(rel string) bool {
	above := func(m based) bool { return m.Skip(path.Join(m.base, rel)) }
	return slices.ContainsFunc(f.more, above) || matchAny(f.exclude, rel) || len(f.include) > 0 && !matchAny(f.include, rel)
}

// matchAny also takes a glob that matches a folder above rel: "app" and "app/**"
// both cover app/x.
func matchAny(globs []string, rel string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		return doublestar.MatchUnvalidated(g, rel) || doublestar.MatchUnvalidated(g+"/**", rel)
	})
}
