package scanner

import (
	"bytes"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner/source"
)

// halfKey is the length of what follows the dot of a key.
const halfKey = 32

// mayHoldKey reports whether a name has a dot with as much behind it as half a key. Most
// have not, and every file is asked.
func mayHoldKey(name string) bool {
	for at := 0; len(name)-at > halfKey; {
		dot := strings.IndexByte(name[at:], '.')
		if dot < 0 {
			return false
		}
		at += dot + 1
		n := 0
		for at+n < len(name) && (runByte(name[at+n]) || name[at+n] == '-' || name[at+n] == '_') {
			n++
		}
		if n >= halfKey {
			return true
		}
	}
	return false
}

// inName finds the keys in the name of a file on disk or of a member. Those of a git
// repository are in its trees.
func (g *gatherer) inName(b *source.Blob) {
	of := name(b.At)
	if b.At.Blob != "" {
		of = b.At.Member
	}
	if b.Again || b.Window != nil && b.Window.Offset != 0 || !mayHoldKey(of) {
		return
	}
	rules.Find("", []byte(of), nil, func(m rules.Match) bool {
		at := b.At
		at.Decoded = m.Decoded
		g.hit(m, place{silent: m.Silent, at: at}, false)
		return true
	})
}

// maskNames masks the keys in the names that a report has: a file can be called like one.
func maskNames(r *finding.Report) {
	mask := func(names ...*string) {
		for _, s := range names {
			if mayHoldKey(*s) {
				*s = maskKeys(*s)
			}
		}
	}
	for i := range r.Findings {
		for k := range r.Findings[i].Locations {
			at := &r.Findings[i].Locations[k]
			mask(&at.Path, &at.Member, &at.Repository, &at.Author)
			for n := range at.Refs {
				mask(&at.Refs[n])
			}
		}
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		mask(&p.Path, &p.Member, &p.Error, &p.Hint, &p.Repository)
	}
}

// maskKeys writes a text with every key in it masked.
func maskKeys(s string) string {
	var out bytes.Buffer
	at, data := 0, []byte(s)
	gaveUp := rules.FindUnweighed(data, func(m rules.Match) bool {
		if m.Start < at {
			at = max(at, m.End)
			return true
		}
		out.Write(data[at:m.Start])
		if len(m.Decoded) == 0 {
			out.WriteString(m.Secret.Prefix() + ".")
		}
		out.WriteString(stars)
		at = m.End
		return true
	})
	if gaveUp >= 0 {
		return out.String() + string(data[min(at, gaveUp):gaveUp]) + withheld
	}
	return out.String() + string(data[at:])
}
