package scanner

import (
	"maps"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
)

// judged are the keys with their final places, and how sure it is that each is one.
type judged placed

// judge raises keys of low confidence in objects whose paths are known by now: a path
// can be what makes a key likely, where nothing nearer says anything.
func judge(in placed) judged {
	for _, k := range in.keys {
		for _, p := range k.places {
			if k.confidence == finding.LowConfidence && p.silent && p.at.Blob != "" && p.at.Path != "" && p.at.Member == "" {
				if c, ok := rules.PathSpeaks(k.format, p.at.Path); ok {
					k.confidence = max(k.confidence, c)
				}
			}
		}
	}
	return judged(in)
}

// A container names a blob whose members were scanned too.
type container struct {
	repository, path, blob string
	object, member         string
}

func containerOf(at finding.Location) container {
	return container{at.Repository, at.Path, at.Blob, at.Object, at.Member}
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
