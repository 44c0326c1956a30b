package scanner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/rules/encodingtest"
	"github.com/b10lint/b10lint/scanner/source"
)

// A corpus is a folder of files with keys at known places.
type corpus struct {
	t      *testing.T
	dir    string
	m      *fakekey.Maker
	n      int
	places map[string]corpusPlace // by the key's public part
}

// A corpusPlace is where a key must be found. The member's name counts from its end: what
// a compressed stream is called is no matter here.
type corpusPlace struct {
	file, member string
	from, to     int // lines; of a run that is wrapped the key's is between them
	decoded      string
	cell         string
}

func (s corpusPlace) is(l finding.Location) bool {
	cell := ""
	if l.Cell != nil {
		cell = fmt.Sprintf("%d %s %s", l.Cell.Index, l.Cell.Part, l.Cell.Output)
	}
	return filepath.Base(l.Path) == s.file && strings.HasSuffix(l.Member, s.member) && (s.member == "") == (l.Member == "") &&
		l.Line >= s.from && l.Line <= s.to && strings.Join(l.Decoded, " ") == s.decoded && cell == s.cell
}

func newCorpus(t *testing.T, seed uint64) *corpus {
	return &corpus{t: t, dir: t.TempDir(), m: fakekey.New(seed), places: map[string]corpusPlace{}}
}

// size is how many keys each kind of file gets.
func size() int {
	if testing.Short() {
		return 10
	}
	return 100
}

func (c *corpus) key() string {
	if c.n++; c.n%2 == 0 {
		return c.m.B10()
	}
	return c.m.Legacy()
}

func (c *corpus) put(key string, at corpusPlace) { c.places[key[:strings.IndexByte(key, '.')]] = at }

// check scans the folder: every key must be found, at its place and no other.
func (c *corpus) check() {
	c.t.Helper()
	src := source.Unpack(source.Dir(c.dir, source.DirOptions{}), source.UnpackLimits{})
	r := scan(c.t, Options{MinConfidence: finding.MediumConfidence}, src)
	if len(r.problems) > 0 {
		c.t.Errorf("problems %v", r.problems)
	}
	wrong := 0
	for _, f := range r.findings {
		want, ok := c.places[f.Prefix]
		if delete(c.places, f.Prefix); !ok || len(f.Locations) != 1 || !want.is(f.Locations[0]) {
			if wrong++; wrong <= 5 {
				c.t.Errorf("%s at %+v, want %+v", f.Prefix, f.Locations, want)
			}
		}
	}
	for _, at := range c.places {
		if wrong++; wrong <= 5 {
			c.t.Errorf("not found: %+v", at)
		}
	}
	c.t.Logf("%d findings, %d wrong or missing", len(r.findings), wrong)
}

func (c *corpus) file(name string, data []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// Every encoding, each key on a line of its own in one file.
func TestCorpusEncodings(t *testing.T) {
	c := newCorpus(t, 70)
	for i, e := range encodingtest.All() {
		if e.Name == "utf-16" {
			continue // whole files; TestWidePlaces
		}
		name := fmt.Sprintf("baseten%d.yaml", i)
		var text strings.Builder
		for range size() {
			key := c.key()
			first := strings.Count(text.String(), "\n") + 1
			text.WriteString("baseten_key: \"" + e.Encode(c.m, "Api-Key "+key) + "\"\n")
			c.put(key, corpusPlace{file: name, from: first, to: strings.Count(text.String(), "\n"), decoded: e.Name})
			text.WriteString("# - - -\n")
		}
		c.file(name, []byte(text.String()))
	}
	c.check()
}

// Every container with every other inside, and every encoding in the members.
func TestCorpusContainers(t *testing.T) {
	builders := archivetest.Builders()
	var names []string
	for name := range builders {
		names = append(names, name)
	}
	slices.Sort(names)
	encodings := encodingtest.All()
	c := newCorpus(t, 71)
	for _, outer := range names {
		for _, inner := range names {
			if single(outer) && single(inner) || outer == "pdf" || inner == "pdf" || inner == "zip-prefixed" {
				continue
			}
			for _, e := range []encodingtest.Encoding{plainText, encodings[len(c.places)%len(encodings)]} {
				if e.Name == "utf-16" {
					continue
				}
				key, file := c.key(), fmt.Sprintf("%s-%s-%s", outer, inner, e.Name)
				body := archivetest.File{Name: "cfg/baseten.env", Data: []byte("# baseten\nX='" + e.Encode(c.m, " "+key) + "'\n")}
				c.file(file, builders[outer](t, archivetest.File{Name: "in", Data: builders[inner](t, body)}))
				at := corpusPlace{file: file, member: "cfg/baseten.env", from: 2, to: 40, decoded: e.Name}
				if single(inner) {
					at.member = "in"
				}
				c.put(key, at)
			}
		}
	}
	c.check()
}

// Every container with many members, each with a key.
func TestCorpusMembers(t *testing.T) {
	c := newCorpus(t, 73)
	for name, build := range archivetest.Builders() {
		if single(name) || name == "pdf" {
			continue
		}
		var files []archivetest.File
		for i := range size() {
			key, member := c.key(), fmt.Sprintf("folder/%d/baseten", i)
			files = append(files, archivetest.File{Name: member, Data: []byte("\n\nbaseten: " + key + "\n")})
			c.put(key, corpusPlace{file: name, member: member, from: 3, to: 3})
		}
		c.file(name, build(t, files...))
	}
	c.check()
}

// plainText is no encoding at all.
var plainText = encodingtest.Encoding{Encode: func(_ *fakekey.Maker, s string) string { return s }}

func single(name string) bool {
	return slices.Contains([]string{"gzip", "bzip2", "xz", "zstd", "lzma"}, name)
}

// Every part of a notebook of both formats, alone and in a wheel inside of a tar.
func TestCorpusNotebooks(t *testing.T) {
	c := newCorpus(t, 72)
	for i := range size() {
		keys := make([]string, 7)
		for j := range keys {
			keys[j] = c.key()
		}
		cells := []any{
			map[string]any{"cell_type": "markdown", "metadata": map[string]any{"baseten": keys[0]}, "source": []string{"baseten " + keys[1] + "\n"},
				"attachments": map[string]any{"n.txt": map[string]any{"text/plain": "baseten " + keys[2]}, "p.png": map[string]any{"image/png": c.m.Word(4000)}}},
			map[string]any{"cell_type": "code", "metadata": map[string]any{}, "source": "print(1)", "outputs": []any{
				map[string]any{"output_type": "stream", "name": "stdout", "text": []string{"baseten " + keys[3] + "\n"}},
				map[string]any{"output_type": "execute_result", "data": map[string]any{"text/html": []string{"<b>baseten</b> " + keys[4]}}},
				map[string]any{"output_type": "display_data", "data": map[string]any{"image/png": c.m.Word(8000), "application/json": map[string]any{"baseten": keys[5]}}},
				map[string]any{"output_type": "error", "ename": "E", "evalue": "", "traceback": []string{"\x1b[31mbaseten\x1b[0m " + keys[6]}},
			}},
		}
		parts := []string{"0 metadata ", "0 source ", "0 attachment ", "1 output stream", "1 output result", "1 output display", "1 error error"}
		book := map[string]any{"nbformat": 4, "metadata": map[string]any{}, "cells": cells}
		if i%2 == 1 {
			book = map[string]any{"nbformat": 3, "metadata": map[string]any{}, "worksheets": []any{map[string]any{"cells": cells}}}
		}
		data, err := json.Marshal(book)
		if err != nil {
			t.Fatal(err)
		}
		name, member := fmt.Sprintf("%d.ipynb", i), ""
		if i%3 == 2 {
			wheel := archivetest.Builders()["zip"](t, archivetest.File{Name: "run.ipynb", Data: data})
			data = archivetest.Builders()["tar-pax"](t, archivetest.File{Name: "x.whl", Data: wheel})
			member = "x.whl!run.ipynb"
		}
		c.file(name, data)
		for j, key := range keys {
			c.put(key, corpusPlace{file: name, member: member, from: 1, to: 1, cell: parts[j]})
		}
	}
	c.check()
}
