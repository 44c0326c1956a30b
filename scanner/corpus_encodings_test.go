package scanner

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// Every encoding, each key on a line of its own in one file for each. UTF-16 is a
// string in a program.
func fillEncodings(c *corpus) {
	for i, e := range encodingtest.All() {
		frame := "baseten_key: \"§\"\ndatabase: more\n"
		if strings.HasPrefix(e.Name, "utf") {
			frame = "\x7f\x80\x02\x01§\x01\x00\xfe\n\x91\x00\x02\xf0\x03"
		}
		p := c.page()
		c.each(size(), func(key string) {
			p.entry(frame, "baseten Api-Key §", key, "encoding "+e.Name+" "+e.Label, []encodingtest.Encoding{e})
		})
		p.file(fmt.Sprintf("enc/baseten%d.yaml", i), "", unpacked)
	}
}

// Keys that source text puts together, which is looked for in those of the two
// formats of API keys.
func fillJoined(c *corpus) {
	all := encodingtest.Joined()
	for _, j := range encodingtest.Joints() {
		if !j.Marked && j.Name != "quoted-printable" { // which may be taken off as such
			all = append(all, encodingtest.Encoding{Name: "concatenation", Label: j.Name, Encode: func(m *fakekey.Maker, s string) string {
				return j.Join(s, 1+m.IntN(len(s)-1))
			}})
		}
	}
	for i, e := range all {
		p := c.page()
		p.text = []byte("import baseten\n")
		for range size() {
			for _, key := range []string{c.m.B10(), c.m.Legacy()} {
				p.entry("key = §\nmore()\n", "§", key, "concatenation "+e.Label, []encodingtest.Encoding{e})
			}
		}
		p.file(fmt.Sprintf("joined/baseten%d.py", i), "", unpacked)
	}
}

// Strings as texts and serialisations keep them, each in a file of its own; keys of the
// formats that are found in all of them.
func fillSurroundings(c *corpus) {
	for i, in := range encodingtest.Surroundings() {
		p := c.page()
		p.text = []byte("baseten\n")
		for range size() {
			keys := []string{c.m.B10(), c.m.Legacy()}
			if in.Alone || in.First {
				keys = keys[:1]
			}
			for _, key := range keys {
				frame := strings.Replace(string(in.Write(c.m, key)), key, "§", 1) + "\n"
				p.entry(frame, "§", key, "in "+in.Name, []encodingtest.Encoding{plainText})
			}
		}
		p.file(fmt.Sprintf("surroundings/baseten%d.dat", i), "", unpacked)
	}
}

// Whole files in UTF-16, whose lines and columns are those of the text.
func fillWide(c *corpus) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"", "\ufeff"} {
			p := c.page()
			c.each(size(), func(key string) {
				p.entry("é😀 baseten: '§'\n\u0a41\u410a\r\n", "§", key, fmt.Sprintf("wide %v, mark %q", order, mark), []encodingtest.Encoding{plainText})
			})
			for i := range p.keys {
				p.keys[i].place.decoded = "utf-16"
			}
			p.file(fmt.Sprintf("wide/%d.ps1", len(c.files)), "", func(text []byte) []byte {
				return []byte(utf16Of(order, mark+string(text)))
			})
		}
	}
}

// Every encoding in every other, and drawn ones three and four deep.
func fillNested(c *corpus) {
	for depth := 2; depth <= 4; depth++ {
		n := newNest(c, depth)
		if depth > 2 {
			n.fill("", "")
			continue
		}
		for _, first := range n.names {
			for _, last := range n.names {
				if nests(first, last) {
					n.fill(first, last)
				}
			}
		}
	}
}

// A nest draws chains of encodings of one depth.
type nest struct {
	c            *corpus
	depth        int
	names        []string
	outer, inner map[string][]encodingtest.Encoding // what may hold others, and what may be held
}

func newNest(c *corpus, depth int) *nest {
	n := &nest{c: c, depth: depth, outer: map[string][]encodingtest.Encoding{}, inner: map[string][]encodingtest.Encoding{}}
	for _, e := range encodingtest.All() {
		switch {
		case strings.Contains(e.Label, "wrapped"), strings.Contains(e.Label, "line"), strings.Contains(e.Label, "scalar"):
			continue // line ends that an outer encoding writes are no joints for the inner one
		case depth > 2 && strings.Contains(e.Label, "long run"):
			continue // longer with each level
		}
		if n.inner[e.Name] == nil {
			n.names = append(n.names, e.Name)
		}
		n.inner[e.Name] = append(n.inner[e.Name], e)
		if !strings.HasPrefix(e.Label, "the ") { // which leaves most of a text as it is
			n.outer[e.Name] = append(n.outer[e.Name], e)
		}
	}
	return n
}

// fill adds a file with chains that begin and end with the named encodings, or any.
func (n *nest) fill(first, last string) {
	count := max(2, size()/5)
	p := n.c.page()
	p.text = []byte("# baseten" + strings.Repeat(" of plain text", 50) + "\n") // so that UTF-16 is a string in it
	kind := fmt.Sprintf("encodings %d deep", n.depth)
	also := []string{kind + ", outside " + first, kind + ", inside " + last}
	if first == "" {
		count, also = size(), nil
	}
	n.c.each(count, func(key string) {
		first, last := first, last
		if first == "" {
			first, last = n.names[n.c.m.IntN(len(n.names))], n.names[n.c.m.IntN(len(n.names))]
		}
		p.entry("baseten_key: '§'\n;\n", "baseten Api-Key §", key, kind, n.chain(first, last), also...)
	})
	p.file(fmt.Sprintf("nested/baseten %d %s %s", n.depth, first, last), "", unpacked)
}

// chain draws until each encoding can hold the next.
func (n *nest) chain(first, last string) []encodingtest.Encoding {
	pick := func(from []encodingtest.Encoding) encodingtest.Encoding { return from[n.c.m.IntN(len(from))] }
	for {
		chain, ok := []encodingtest.Encoding{pick(n.outer[first])}, true
		for len(chain) < n.depth-1 {
			chain = append(chain, pick(n.outer[n.names[n.c.m.IntN(len(n.names))]]))
		}
		chain = append(chain, pick(n.inner[last]))
		for i := range n.depth - 1 {
			ok = ok && nests(chain[i].Name, chain[i+1].Name)
		}
		if ok {
			return chain
		}
	}
}

// nests reports whether one encoding can hold another: the zero bytes of UTF-16 are
// no text that HTML or UTF-16 would write.
func nests(outer, inner string) bool {
	return !strings.HasPrefix(inner, "utf") || outer != "entity" && !strings.HasPrefix(outer, "utf")
}
