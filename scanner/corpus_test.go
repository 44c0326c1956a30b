package scanner

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
	"github.com/b10lint/b10lint/scanner/source/target"
	"github.com/b10lint/b10lint/scanner/source/unpack"
)

// A corpus is files with keys at known places.
type corpus struct {
	t      *testing.T
	m      *fakekey.Maker
	files  []corpusFile
	places map[string]*corpusPlace // by the key's public part
	counts map[string]map[finding.Format]int
}

// A corpusFile has the file as it is in a folder, and the two versions of it that a
// history has. Each key is in one of those at least.
type corpusFile struct {
	name     string
	data     []byte
	versions [2][]byte
}

// A corpusPlace is where a key must be found: in the named file or member, from
// text[start] to text[end]. Digits of codes hold parts of several bytes, so a place
// may begin up to slack bytes before that, and end as much away.
type corpusPlace struct {
	kind, file, member string
	inObject           string // the member as a history shows it, if that is another
	text               []byte
	start, end, slack  int
	decoded, cell      string
}

func newCorpus(t *testing.T, seed uint64) *corpus {
	return &corpus{t: t, m: fakekey.New(seed), places: map[string]*corpusPlace{}, counts: map[string]map[finding.Format]int{}}
}

// size is how many keys of each format each kind of place gets.
func size() int {
	if testing.Short() {
		return 10
	}
	return 100
}

// each calls f with as many keys as every kind gets of each format.
func (c *corpus) each(n int, f func(key string)) {
	for range n {
		f(c.m.B10())
		f(c.m.Legacy())
		f(c.m.Federated())
	}
}

func formatOf(key string) finding.Format {
	switch {
	case strings.HasPrefix(key, "b10_"):
		return finding.B10
	case strings.HasPrefix(key, "sky_"):
		return finding.Federated
	}
	return finding.Legacy
}

// expect notes that a key must be found at a place, and counts it for its kind and
// for others.
func (c *corpus) expect(key string, at corpusPlace, also ...string) {
	prefix := key[:strings.IndexByte(key, '.')]
	if c.places[prefix] != nil {
		c.t.Fatalf("two keys begin with %s", prefix)
	}
	c.places[prefix] = &at
	for _, kind := range append(also, at.kind) {
		if c.counts[kind] == nil {
			c.counts[kind] = map[finding.Format]int{}
		}
		c.counts[kind][formatOf(key)]++
	}
}

// add adds a file that each version of a history has as it is.
func (c *corpus) add(name string, data []byte) { c.addVersions(name, data, [2][]byte{data, data}) }

func (c *corpus) addVersions(name string, data []byte, versions [2][]byte) {
	c.files = append(c.files, corpusFile{name, data, versions})
}

// enough fails when a kind has too few keys of a format.
func (c *corpus) enough() {
	c.t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(c.counts)) {
		n := c.counts[kind]
		// A federated key that is put together of parts is not looked for, and what touches
		// those without the mark b10_ may be a part of them.
		touched := strings.HasPrefix(kind, "in ")
		if n[finding.B10] < size() || n[finding.Legacy] < size() && !touched || n[finding.Federated] < size() && !touched && !strings.HasPrefix(kind, "concatenation") {
			c.t.Errorf("%s: keys %v", kind, n)
		}
	}
}

// found compares what a scan found with what it had to find, each at its place and
// at no other. Paths are told below root.
func (c *corpus) found(t *testing.T, r *recorder, root string) {
	t.Helper()
	if len(r.Problems) > 0 {
		t.Errorf("%d problems, first %+v", len(r.Problems), r.Problems[0])
	}
	found := map[string][]finding.Finding{}
	for _, f := range r.Findings {
		found[f.Prefix] = append(found[f.Prefix], f)
		// Small compressed members show letters as they are, and those of a key without
		// its mark where the mark is a reference to an earlier one.
		if c.places[f.Prefix] == nil && c.places["b10_"+f.Prefix] == nil {
			t.Errorf("%s is not expected: %+v", f.Prefix, f.Locations[0])
		}
	}
	wrong, readings := 0, len(r.Findings)-len(c.places)
	for _, prefix := range slices.Sorted(maps.Keys(c.places)) {
		if diff := c.places[prefix].differs(found[prefix], filepath.ToSlash(root)); diff != "" {
			if wrong++; wrong <= 8 {
				t.Errorf("%s: %s", prefix, diff)
			}
		}
	}
	t.Logf("%d kinds, %d files, %d keys, %d wrong or missing, %d further readings", len(c.counts), len(c.files), len(c.places), wrong, readings)
}

// differs says how the findings that begin like the key are not one at this place, "" if
// they are. The federated form has no length of its own: where such a key is wrapped, or
// stands before other digits, more than one reading of its end is reported.
func (p *corpusPlace) differs(all []finding.Finding, root string) string {
	diff := fmt.Sprintf("not found: %s, in %s!%s at %d", p.kind, p.file, p.member, p.start)
	if len(all) > 1 && all[0].Format != finding.Federated {
		return fmt.Sprintf("%s: %d findings", p.kind, len(all))
	}
	for _, f := range all {
		if diff = p.elsewhere(f, root); diff == "" {
			break
		}
	}
	return diff
}

// elsewhere says how a finding has a place that is not this one.
func (p *corpusPlace) elsewhere(f finding.Finding, root string) string {
	member := p.member
	if p.inObject != "" && f.Locations[0].Object != "" {
		member = p.inObject
	}
	want := fmt.Sprintf("%s!%s decoded %q cell %q", p.file, member, p.decoded, p.cell)
	for _, l := range f.Locations {
		cell := ""
		if l.Cell != nil {
			cell = strings.TrimSpace(fmt.Sprintf("%d %s %s", l.Cell.Index, l.Cell.Part, l.Cell.Output))
		}
		got := fmt.Sprintf("%s!%s decoded %q cell %q", strings.TrimPrefix(l.Path, root+"/"), l.Member, strings.Join(l.Decoded, " "), cell)
		if got != want {
			return p.kind + ": at " + got + ", want " + want
		}
		start, end := offsetOf(p.text, l.Line, l.Column), offsetOf(p.text, l.EndLine, l.EndColumn)
		if start > p.start || start < p.start-p.slack || end < p.end-p.slack || end > p.end+p.slack {
			return fmt.Sprintf("%s: %s: bytes %d to %d, want %d to %d, give or take %d", p.kind, got, start, end, p.start, p.end, p.slack)
		}
	}
	return ""
}

// offsetOf returns the place in a text of a line and a column in characters.
func offsetOf(text []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return -1
		}
		at += n + 1
	}
	for ; column > 1 && at < len(text); column-- {
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	return at
}

// Every kind of place that can hide a key, with keys of every format: in the files of
// a folder, and in the packed objects of a repository that no longer has the files.
func TestCorpus(t *testing.T) {
	one, judged, keys := maxJudged, allJudged, maxKeys
	maxJudged, allJudged, maxKeys = 1<<20, 1<<20, 1<<20
	defer func() { maxJudged, allJudged, maxKeys = one, judged, keys }()
	c := newCorpus(t, 70)
	for _, fill := range []func(*corpus){
		fillEncodings, fillJoined, fillSurroundings, fillWide, fillNested, fillContainers, fillNestedContainers, fillDeepContainers,
		fillImages, fillDocuments, fillNotebooks,
	} {
		fill(c)
	}
	c.enough()
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		for _, f := range c.files {
			write(t, dir, f.name, string(f.data))
		}
		c.found(t, scanTarget(t, dir, target.Options{NoHistory: true}), dir)
	})
	t.Run("history", func(t *testing.T) {
		g := newGitRepo(t)
		c.commit(g)
		c.found(t, scanTarget(t, g.dir, target.Options{NoFiles: true}), g.dir)
	})
}

func scanTarget(t *testing.T, dir string, opts target.Options) *recorder {
	t.Helper()
	return scan(t, finding.MediumConfidence, unpack.Archives(target.Of(dir, opts), unpack.Limits{}))
}

// plainText is no encoding at all.
var plainText = encodingtest.Encoding{Encode: func(_ *fakekey.Maker, s string) string { return s }}
