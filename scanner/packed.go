package scanner

import (
	"maps"
	"slices"
	"strings"

	"github.com/b10lint/b10lint/finding"
)

// A container names a blob whose members were looked at too.
type container struct {
	source                 int
	repository, path, blob string
	object, member         string
}

func containerOf(source int, at finding.Location, member string) container {
	return container{source, at.Repository, at.Path, at.Blob, at.Object, member}
}

// dropPacked drops places that tell of a member's bytes a second time: what is
// stored in an archive without compression is seen in the archive itself as well as
// in the member. The places of a key in an archive go when there are no more of
// them than of the same key in its members, so a key that an archive holds outside
// its members, too, in a comment or behind its end, keeps every place. A key never
// loses its last place in a file.
func (c *collector) dropPacked() {
	for _, k := range c.sorted() {
		if len(k.places) > 1 && slices.ContainsFunc(k.places, func(p place) bool { return p.at.Member != "" }) {
			k.dropPacked()
		}
	}
}

func (k *candidate) dropPacked() {
	in := map[container][]place{}
	for _, p := range k.places {
		of := containerOf(p.source, p.at, p.at.Member)
		in[of] = append(in[of], p)
	}
	innermostFirst := slices.SortedFunc(maps.Keys(in), func(a, b container) int { return b.depth() - a.depth() })
	within := map[container]int{} // places that were kept below a container
	dropped := map[container]bool{}
	for _, of := range innermostFirst {
		if n := within[of]; n > 0 && len(in[of]) <= n {
			dropped[of] = true
			continue
		}
		for up := of; up.member != ""; {
			up.member = up.member[:max(0, strings.LastIndexByte(up.member, '!'))]
			within[up] += len(in[of])
		}
	}
	k.places = slices.DeleteFunc(k.places, func(p place) bool {
		return dropped[containerOf(p.source, p.at, p.at.Member)]
	})
}

func (c container) depth() int {
	if c.member == "" {
		return 0
	}
	return 1 + strings.Count(c.member, "!")
}
