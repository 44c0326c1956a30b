package rules

import (
	"fmt"
	"slices"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// reference finds the shapes of data by trying every byte as the start of every
// format, straight from the grammar.
func reference(data []byte) (out []shape) {
	run := func(i int, set *[256]byte, limit int) int {
		n := 0
		for i+n < len(data) && n < limit && set[data[i+n]] != 0 {
			n++
		}
		return n
	}
	for start := range data {
		for i := range grammars {
			f := &grammars[i]
			at := start + len(f.Mark)
			if at > len(data) || string(data[start:at]) != f.Mark || run(at, &alnum, f.Prefix) < f.Prefix {
				continue
			}
			dot := at + f.Prefix
			if dot >= len(data) || data[dot] != '.' {
				continue
			}
			n := run(dot+1, f.secret, f.MaxSecret+1)
			if n < f.MinSecret || n > f.MaxSecret && f.Dashes || !f.stands(&text{data: data}, start, dot+1+min(n, f.MaxSecret)) {
				continue
			}
			if n > f.MaxSecret && f.Mark == "" {
				continue // where a letter follows, pickles alone are searched
			}
			n = min(n, f.MaxSecret)
			out = append(out, shape{start, dot, dot + 1 + n, f})
			break
		}
	}
	return out
}

func FuzzFind(f *testing.F) {
	m := fakekey.New(8)
	b10, legacy, federated := m.B10(), m.Legacy(), m.Federated()
	for _, seed := range []string{
		"",
		b10, legacy, federated,
		"x" + legacy,                 // no boundary before
		b10 + "x",                    // a longer run
		b10 + "x\x00" + legacy + "q", // and one in data that is not text
		b10 + "." + b10,              // a full stop that is no end of a sentence
		"lt_" + legacy,               // another vendor's mark
		`\n` + legacy + `\n`,         // escapes that look like letters
		"\x1b[1;32m" + b10 + "\x1b",  // a colour code
		"%3D" + b10 + "%",            // an escape cut short
		legacy[:40],                  // one byte short
		"........" + legacy,          // dots where the prefix would be
		federated + "-_-",            // the federated secret takes more bytes
		"sky_" + legacy,              // one format's mark on another's form
		"b10_sky_" + legacy,
		`b10_"#`, `b10_a"/*`, "b10_\x1b[", "b10_<b", "b10_ab\b", `b10_"--`, `b10_\`, "b10_)(", "b10_[", // joints cut short
		`b10"_` + legacy, "baseten b\"+\"10_" + b10[4:], "baseten " + legacy[:5] + "</b><i>" + legacy[5:],
		federated[:20] + "_" + federated[21:], // bytes that only the federated secret takes
	} {
		f.Add([]byte(seed), 0, len(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte, from, to int) {
		got := shapesOf(data)
		if want := reference(data); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("shapes %v, by the grammar %v", got, want)
		}
		// A key without a mark that stands in one that was joined is that key.
		var joined []finding.Span
		inJoined := func(s shape) bool {
			return slices.ContainsFunc(joined, func(j finding.Span) bool { return j.Start <= s.start && s.end <= j.End })
		}
		last, all := -1, map[string]bool{}
		Find("x", data, nil, func(m Match) bool {
			if m.Start < last || m.End <= m.Start || m.End > len(data) || len(m.Decoded) > maxDepth {
				t.Fatalf("span %d-%d after %d in %d bytes, decoded %v", m.Start, m.End, last, len(data), m.Decoded)
			}
			last = m.Start
			all[place(m.Start, m.End)] = true
			if slices.Contains(m.Decoded, concatenation) {
				joined = append(joined, finding.Span{Start: m.Start, End: m.End})
			}
			return true
		})
		for _, s := range got {
			if p := place(s.start, s.end); drawn(data, s) && !all[p] && !inJoined(s) {
				t.Fatalf("the key at %s is not found", p)
			}
		}
		from, to = max(0, min(from, len(data))), max(0, min(to, len(data)))
		if from > to {
			return
		}
		fresh := []finding.Span{{Start: from, End: to}}
		some := map[string]bool{}
		Find("x", data, fresh, func(m Match) bool {
			some[place(m.Start, m.End)] = true
			if !touches(fresh, m.Start, m.End) {
				t.Fatalf("the key at %s does not touch %v", place(m.Start, m.End), fresh)
			}
			return true
		})
		for _, s := range got {
			if touches(fresh, s.start, s.end) && drawn(data, s) && !some[place(s.start, s.end)] && !inJoined(s) {
				t.Fatalf("the key at %s touches %v and is not found", place(s.start, s.end), fresh)
			}
		}
	})
}

// shapesOf returns the shapes that the sweep leads to.
func shapesOf(data []byte) (all []shape) {
	sweep(data, 0, len(data), false, func(h hit, i int) {
		for k := range grammars {
			g, start := &grammars[k], i
			if h == hitShape && g.Mark == "" {
				start = i - g.Prefix
			} else if h != hitMark || g.Mark == "" {
				continue
			}
			if s, ok := g.at(&text{data: data}, start); ok {
				all = append(all, s)
			}
		}
	})
	slices.SortFunc(all, func(a, b shape) int { return a.dot - b.dot })
	return all
}

func place(start, end int) string { return fmt.Sprintf("%d-%d", start, end) }
