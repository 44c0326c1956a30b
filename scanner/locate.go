package scanner

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
)

// placed are hits whose locations the source has answered for: a key in an object has
// the paths and commits it came by, a file what git knows of it.
type placed struct {
	keys     []*candidate       // in order; see arrange
	comments []finding.Location // that accept nothing, in files that count
	problems []finding.Problem
}

// asFound are the hits as they are, of a scan that was interrupted.
func (h hits) asFound() placed { return placed{keys: dropPacked(h.keys), problems: h.problems} }

// locate asks the source, once, about all keys and comments. Comments in files that
// git ignores, which are most often others', do not count, and neither do staged ones
// that HEAD has.
func locate(ctx context.Context, src source.Source, found hits) placed {
	out := found.asFound()
	if src.Locate == nil {
		return out
	}
	n := 0
	for _, k := range out.keys {
		n += len(k.places)
	}
	ask := make([]source.Hit, 0, n+len(found.comments))
	for _, k := range out.keys {
		for _, p := range k.places {
			ask = append(ask, source.Hit{At: p.at, Key: k.digest})
		}
	}
	keys := len(ask)
	for _, at := range found.comments {
		ask = append(ask, source.Hit{At: at})
	}
	comments := len(ask)
	var about []int // the problem that each further question is about
	for i, p := range out.problems {
		if p.Object != "" && p.Repository != "" && (p.Path == "" || p.Path == p.Repository) {
			about = append(about, i)
			ask = append(ask, source.Hit{At: finding.Location{Repository: p.Repository, Blob: p.Object, Object: "blob", Member: p.Member}, Key: "problem " + p.Object})
		}
	}
	if len(ask) == 0 {
		return out
	}
	located, err := src.Locate(ctx, ask)
	var parts source.LocateError
	switch {
	case errors.As(err, &parts):
		out.problems = append(out.problems, parts...)
	case err != nil:
		out.problems = append(out.problems, finding.Problem{Error: "could not work out where keys come from: " + err.Error()})
	}
	if len(located) != len(ask) {
		return out
	}
	out.problems = withPaths(out.problems, about, located[comments:])
	for _, list := range located[keys:comments] {
		for _, at := range list {
			switch at.Exposure {
			case finding.Committed, finding.Unpushed, finding.Staged, finding.Untracked:
				out.comments = append(out.comments, at)
			}
		}
	}
	for _, k := range out.keys {
		places := make([]place, 0, len(k.places))
		for _, p := range k.places {
			for _, at := range located[0] {
				places = append(places, place{p.offset, p.silent, at})
			}
			located = located[1:]
		}
		k.places = places
	}
	out.keys = arrange(out.keys)
	if n := thin(out.keys); n > 0 {
		out.problems = append(out.problems, finding.Problem{Error: furtherPlaces(n)})
	}
	return out
}

// withPaths gives the problems that about lists the paths of their objects. One goes whose
// object has excluded paths only, or that a file on disk has reported in the same words.
func withPaths(problems []finding.Problem, about []int, located [][]finding.Location) (out []finding.Problem) {
	type words struct{ path, member, err string }
	said := map[words]bool{}
	for _, p := range problems {
		said[words{p.Path, p.Member, p.Error}] = true
	}
	for i, p := range problems {
		if n := slices.Index(about, i); n >= 0 {
			if len(located[n]) == 0 {
				continue
			}
			at := located[n][0]
			p.Path = at.Path
			for _, l := range located[n] {
				p.Names = append(p.Names, l.Path)
			}
			if at.Object == "index" {
				p.Object = "" // the path says it
			}
			if p.Path != "" && said[words{p.Path, p.Member, p.Error}] {
				continue
			}
			said[words{p.Path, p.Member, p.Error}] = true
		}
		out = append(out, p)
	}
	return out
}

// dropPacked drops places that are of a member's bytes a second time: what is stored in
// an archive without compression is seen in the archive itself as well as in the
// member. The places of a key in an archive go when there are no more of them than of
// the same key in its members, so a key that an archive also holds outside its members,
// in a comment or behind its end, keeps every place. A key never loses its last place
// in a file. It comes before the source is asked, which knows no members.
func dropPacked(keys []*candidate) []*candidate {
	depth := func(c container) int {
		if c.member == "" {
			return 0
		}
		return 1 + strings.Count(c.member, "!")
	}
	for _, k := range keys {
		if !slices.ContainsFunc(k.places, func(p place) bool { return p.at.Member != "" }) {
			continue
		}
		in := map[container]int{} // places
		for _, p := range k.places {
			in[containerOf(p.at)]++
		}
		within := map[container]int{} // places that were kept below a container
		dropped := map[container]bool{}
		for _, of := range slices.SortedFunc(maps.Keys(in), func(a, b container) int { return depth(b) - depth(a) }) {
			if n := within[of]; n > 0 && in[of] <= n {
				dropped[of] = true
				continue
			}
			for up := of; up.member != ""; {
				up.member = up.member[:max(0, strings.LastIndexByte(up.member, '!'))]
				within[up] += in[of]
			}
		}
		k.places = slices.DeleteFunc(k.places, func(p place) bool { return dropped[containerOf(p.at)] })
	}
	return arrange(keys)
}
