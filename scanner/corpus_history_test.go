package scanner

import (
	"path/filepath"
	"strings"
)

// commit writes both versions of every file, takes the files away, and has git pack it
// all, with deltas. No version of a file has all of its keys.
func (c *corpus) commit(g *gitRepo) {
	g.t.Helper()
	for version, message := range []string{"first", "second"} {
		for _, f := range c.files {
			g.write(f.name, string(f.versions[version]))
		}
		g.commitAll(message)
	}
	g.git("rm", "-rq", ".")
	g.commitAll("nothing is left")
	g.git("-c", "gc.aggressiveWindow=30", "gc", "-q", "--aggressive")
	if n := g.deltas(); n < len(c.files)/4 {
		g.t.Errorf("only %d objects are deltas, of %d files in two versions", n, len(c.files))
	}
}

// deltas counts the blobs that are packed as deltas. All must be packed.
func (g *gitRepo) deltas() (n int) {
	g.t.Helper()
	packs, err := filepath.Glob(filepath.Join(g.dir, ".git/objects/pack/*.idx"))
	if err != nil || len(packs) != 1 {
		g.t.Fatalf("packs %q, %v", packs, err)
	}
	if loose := g.git("count-objects"); !strings.HasPrefix(loose, "0 ") {
		g.t.Errorf("not everything is packed: %s", loose)
	}
	for line := range strings.SplitSeq(g.git("verify-pack", "-v", packs[0]), "\n") {
		// The id, kind, size, packed size and place; of a delta also its depth and base.
		if f := strings.Fields(line); len(f) == 7 && f[1] == "blob" {
			n++
		}
	}
	g.t.Logf("%d deltas", n)
	return n
}
