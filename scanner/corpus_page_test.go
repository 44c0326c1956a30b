package scanner

import (
	"bytes"
	"strings"

	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
)

// A page is a text that grows by entries, each with one key.
type page struct {
	c    *corpus
	text []byte
	head int   // what stands before the first entry
	ends []int // of the entries
	keys []pageKey
}

type pageKey struct {
	key   string
	place corpusPlace
	also  []string
}

func (c *corpus) page() *page { return &page{c: c} }

// entry adds a text with a key in it, encoded. The frame has a § where the encoded
// text stands; inner is what is encoded, with a § for the key.
func (p *page) entry(frame, inner, key, kind string, chain []encodingtest.Encoding, also ...string) {
	if len(p.ends) == 0 {
		p.head = len(p.text)
	}
	before, after, _ := strings.Cut(frame, "§")
	seed := uint64(p.c.m.IntN(1 << 30))
	slack := 0
	encode := func(key string) string {
		m, text := fakekey.New(seed), strings.Replace(inner, "§", key, 1)
		slack = 0
		for i := len(chain) - 1; i >= 0; i-- {
			encoded := chain[i].Encode(m, text)
			if encoded != text {
				// A group of digits, an escape, or what stands where a line is wrapped.
				slack = slack*(len(encoded)/len(text)+1) + 24
			}
			text = encoded
		}
		return text
	}
	encoded := encode(key)
	at := corpusPlace{kind: kind, slack: slack, decoded: namesOf(chain)}
	at.start = len(p.text) + len(before) + commonPrefix(encoded, encode(other(key[0])+key[1:]))
	at.end = len(p.text) + len(before) + len(encoded) - commonSuffix(encoded, encode(key[:len(key)-1]+other(key[len(key)-1])))
	p.text = append(p.text, before+encoded+after...)
	p.ends = append(p.ends, len(p.text))
	p.keys = append(p.keys, pageKey{key, at, also})
}

// other returns a letter that is not c, and whose number has as many digits.
func other(c byte) string {
	letters := "ZA"
	if c >= 100 {
		letters = "zf"
	}
	return strings.Trim(letters, string(c))[:1]
}

func namesOf(chain []encodingtest.Encoding) string {
	var names []string
	for _, e := range chain {
		if e.Name != "" {
			names = append(names, e.Name)
		}
	}
	return strings.Join(names, " ")
}

func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// done says where the page ended up.
func (p *page) done(file, member string) {
	for _, k := range p.keys {
		k.place.file, k.place.member, k.place.text = file, member, p.text
		p.c.expect(k.key, k.place, k.also...)
	}
}

// versions are two texts that share a fifth of the entries. What one leaves out is
// left blank, line by line, so that places stay.
func (p *page) versions() [2][]byte {
	n := len(p.ends)
	return [2][]byte{p.blank(n*3/5, n), p.blank(0, n*2/5)}
}

func (p *page) blank(from, to int) []byte {
	start, end := p.head, p.head
	if from > 0 {
		start = p.ends[from-1]
	}
	if to > 0 {
		end = p.ends[to-1]
	}
	lines := bytes.Repeat([]byte("\n"), bytes.Count(p.text[start:end], []byte("\n")))
	return bytes.Join([][]byte{p.text[:start], lines, p.text[end:]}, nil)
}

// file adds the page as a file of its own, packed in some way.
func (p *page) file(name, member string, pack func([]byte) []byte) {
	p.done(name, member)
	v := p.versions()
	p.c.addVersions(name, pack(p.text), [2][]byte{pack(v[0]), pack(v[1])})
}

func unpacked(b []byte) []byte { return b }
