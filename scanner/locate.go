package scanner

import (
	"context"
	"errors"

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
	var ask []source.Hit
	for _, k := range out.keys {
		for _, p := range k.places {
			ask = append(ask, source.Hit{At: p.at, Key: k.digest})
		}
	}
	keys := len(ask)
	for _, at := range found.comments {
		ask = append(ask, source.Hit{At: at})
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
	for _, list := range located[keys:] {
		for _, at := range list {
			switch at.Exposure {
			case finding.Committed, finding.Unpushed, finding.Staged, finding.Untracked:
				out.comments = append(out.comments, at)
			}
		}
	}
	for _, k := range out.keys {
		var places []place
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
