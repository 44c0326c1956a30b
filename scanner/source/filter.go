package source

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// A Filter says which paths of a target are looked at. Paths are relative to the
// target, with slashes.
type Filter struct{ exclude, include []string }

// NewFilter checks the globs (doublestar: ** crosses folders). A glob without a
// slash matches a name in any folder. Paths that an exclude matches, and all below
// them, are left out; with includes, files that none of them matches are left out.
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

func (f Filter) empty() bool { return len(f.exclude) == 0 && len(f.include) == 0 }

// SkipDir reports whether a folder is left out with all below it.
func (f Filter) SkipDir(rel string) bool { return matchAny(f.exclude, rel) }

// Skip reports whether a file is left out.
func (f Filter) Skip(rel string) bool {
	return matchAny(f.exclude, rel) || len(f.include) > 0 && !matchAny(f.include, rel)
}

// matchAny also takes a glob that matches a folder above rel: "app" and "app/**"
// both cover app/x.
func matchAny(globs []string, rel string) bool {
	for _, g := range globs {
		if doublestar.MatchUnvalidated(g, rel) || doublestar.MatchUnvalidated(g+"/**", rel) {
			return true
		}
	}
	return false
}
