package unpack

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/disk"
)

// A spy is a sink that looks for keys by their plain bytes.
type spy struct {
	keys     []string
	stop     error
	mu       sync.Mutex
	places   map[string][]finding.Location // by key
	problems []finding.Problem
	members  int
}

func (s *spy) Problem(p finding.Problem) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
	return nil
}

func (s *spy) Blob(b *source.Blob) (hits int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.At.Member != "" {
		s.members++
		if s.stop != nil {
			return 0, s.stop
		}
	}
	for _, key := range s.keys {
		for from := 0; ; {
			i := bytes.Index(b.Data[from:], []byte(key))
			if i < 0 {
				break
			}
			i += from
			from = i + len(key)
			if w := b.Window; w != nil && (i < w.Own.Start || i >= w.Own.End) {
				continue
			}
			at := b.At
			at.Line, at.Column = lineOf(b, i)
			s.places[key] = append(s.places[key], at)
			hits++
		}
	}
	return hits, nil
}

// lineOf works out a place as the scanner would, in text of one byte a character.
func lineOf(b *source.Blob, i int) (line, column int) {
	if b.Window != nil {
		line, column = b.Window.Line, b.Window.Column
	}
	for _, c := range b.Data[:i] {
		if column++; c == '\n' {
			line, column = line+1, 0
		}
	}
	return line + 1, column + 1
}

func run(t *testing.T, src source.Source, limits Limits, keys ...string) *spy {
	t.Helper()
	s := &spy{keys: keys, places: map[string][]finding.Location{}}
	if err := Archives(src, limits).Walk(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// blobs is a source that hands over what it is given.
func blobs(all ...*source.Blob) source.Source {
	return source.Source{Walk: func(_ context.Context, to source.Sink) error {
		for _, b := range all {
			if _, err := to.Blob(b); err != nil {
				return err
			}
		}
		return nil
	}}
}

// windowed is a source of one stream in windows that cannot be opened again. With cut,
// the last window never comes.
func windowed(data []byte, cut bool) source.Source {
	return source.Source{Walk: func(_ context.Context, to source.Sink) error {
		_, _, err := source.Windows(bytes.NewReader(data), finding.Location{Path: "-"}, make([]byte, 4096), 512, func(b *source.Blob) (int, error) {
			if cut && b.Window.Last {
				return 0, nil
			}
			return to.Blob(b)
		})
		return err
	}}
}

func corpus(m *fakekey.Maker, n int) (files []archivetest.File, keys []string) {
	for i := range n {
		key := m.B10()
		if i%2 == 0 {
			key = m.Legacy()
		}
		keys = append(keys, key)
		files = append(files, archivetest.File{Name: fmt.Sprintf("dir/file %d.env", i), Data: []byte("# one\nKEY=" + key + "\n")})
	}
	return files, keys
}

func oneFile(name string) bool {
	return slices.Contains([]string{"gzip", "bzip2", "xz", "zstd", "lzma"}, name)
}

// Every container in a folder, whatever it is called, and the same content whole,
// as a git object, and in windows that cannot be opened again.
func TestUnpackEverySource(t *testing.T) {
	m := fakekey.New(7)
	for name, build := range archivetest.Builders() {
		t.Run(name, func(t *testing.T) {
			files, keys := corpus(m, 20)
			if oneFile(name) {
				files, keys = files[:1], keys[:1]
			}
			files = append(files, archivetest.File{Name: "padding", Data: bytes.Repeat([]byte(m.Word(1<<10)+"\n"), 9)})
			if oneFile(name) {
				files[0].Data = append(files[0].Data, files[1].Data...)
			}
			data := build(t, files...)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "no-suffix"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			object := &source.Blob{At: finding.Location{Blob: "ab12", Object: "blob", Exposure: finding.Committed}, Data: data, Fresh: []finding.Span{}}
			for kind, src := range map[string]source.Source{
				"dir": disk.Dir(dir, disk.Options{}), "object": blobs(object), "windows": windowed(data, false),
				"stdin": disk.Reader(bytes.NewReader(data), finding.Location{Path: "-"}),
			} {
				got := run(t, src, Limits{}, keys...)
				if name == "zip-prefixed" && kind == "windows" {
					if len(got.problems) != 1 || got.problems[0].Hint == "" {
						t.Errorf("%s: problems %v", kind, got.problems)
					}
					continue
				}
				if len(got.problems) > 0 {
					t.Errorf("%s: problems %v", kind, got.problems)
				}
				for i, key := range keys {
					checkPlace(t, kind, name, files[i].Name, got.places[key])
				}
			}
		})
	}
}

func checkPlace(t *testing.T, kind, format, file string, places []finding.Location) {
	t.Helper()
	places = slices.DeleteFunc(slices.Clone(places), func(at finding.Location) bool { return at.Member == "" })
	if len(places) != 1 {
		t.Fatalf("%s: %d places in members: %v", kind, len(places), places)
	}
	at := places[0]
	exposure := finding.Shipped
	if kind == "object" {
		exposure = finding.Committed
	}
	if !oneFile(format) && format != "pdf" && at.Member != file || at.Line != 2 || at.Column != 5 || at.Exposure != exposure {
		t.Errorf("%s: %+v", kind, at)
	}
}

// A member larger than a window: keys at every kind of place, each found once, at
// the right line.
func TestUnpackLargeMember(t *testing.T) {
	m := fakekey.New(8)
	line := strings.Repeat("x", 79) + "\n"
	data := []byte(strings.Repeat(line, 3*memberWindow/len(line)))
	var keys []string
	for at := 0; at+len(line) < len(data); at += 64 << 10 {
		at := at / len(line) * len(line)
		key := m.B10()
		copy(data[at+10:], " "+key+" ")
		keys = append(keys, key)
	}
	// One across each seam that the windows may have.
	for seam := memberWindow - source.Overlap; seam+100 < len(data); seam += memberWindow - 2*source.Overlap {
		key := m.B10()
		at := seam - 20
		copy(data[at:], " "+key+" ")
		keys = append(keys, key)
	}
	packed := archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "big.log", Data: data}))
	got := run(t, blobs(&source.Blob{At: finding.Location{Path: "x.tgz"}, Data: packed}), Limits{}, keys...)
	for _, key := range keys {
		at := bytes.Index(data, []byte(key))
		if at < 0 {
			continue // written over by one at a seam
		}
		line := bytes.Count(data[:at], []byte("\n")) + 1
		if p := got.places[key]; len(p) != 1 || p[0].Line != line || p[0].Member != "big.log" {
			t.Errorf("places %+v, want line %d", p, line)
		}
	}
}

func TestUnpackProblems(t *testing.T) {
	deep := []byte("x")
	for range 3 {
		deep = archivetest.Tar(tar.FormatGNU)(t, archivetest.File{Name: "in.tar", Data: deep})
	}
	zip := archivetest.Builders()["zip"](t, archivetest.File{Name: "a", Data: []byte("some content")})
	odd := bytes.Clone(zip)
	odd[30] = 'z'
	for _, c := range []struct {
		what string
		data []byte
		want finding.Problem
	}{
		{"depth", deep, finding.Problem{Path: "p", Member: "outer!in.tar!in.tar", Hint: "raise it with --archive-depth"}},
		{"format", []byte("Rar!\x1a\x07\x01\x00"), finding.Problem{Path: "p", Member: "outer", Hint: "unpack it with its own program and scan what comes out"}},
		{"odd", odd, finding.Problem{Path: "p", Member: "outer!a", Warning: true}},
	} {
		at := finding.Location{Path: "p", Member: "outer", Blob: "ab"}
		got := run(t, blobs(&source.Blob{At: at, Data: c.data}), Limits{Depth: 2})
		if len(got.problems) != 1 {
			t.Fatalf("%s: problems %v", c.what, got.problems)
		}
		p := got.problems[0]
		c.want.Error, c.want.Object = p.Error, "ab"
		if !reflect.DeepEqual(p, c.want) || p.Error == "" {
			t.Errorf("%s: %+v, want %+v", c.what, p, c.want)
		}
	}
}

// A sink that wants to stop is obeyed, and no goroutine is left.
func TestUnpackStops(t *testing.T) { synctest.Test(t, unpackStops) }

// unpackStops runs in a bubble, which fails the test when a goroutine is left.
func unpackStops(t *testing.T) {
	stop := errors.New("enough")
	files, _ := corpus(fakekey.New(9), 100)
	data := archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t, append(files, archivetest.File{Name: "noise", Data: []byte(fakekey.New(1).Word(1 << 20))})...))
	for what, src := range map[string]source.Source{"whole": blobs(&source.Blob{Data: data}), "windows": windowed(data, false)} {
		for _, jobs := range []int{1, 3} {
			s := &spy{stop: stop}
			if err := Archives(src, Limits{Jobs: jobs}).Walk(t.Context(), s); !errors.Is(err, stop) || s.members > 2*jobs-1 {
				t.Errorf("%s: %d members with %d jobs, error %v", what, s.members, jobs, err)
			}
		}
	}
	if got := run(t, windowed(data, true), Limits{}); len(got.problems) == 0 || got.members == 0 {
		t.Errorf("cut: %d members, problems %v", got.members, got.problems)
	}
}

func located(_ context.Context, hits []source.Hit) ([][]finding.Location, error) {
	out := make([][]finding.Location, len(hits))
	for i, hit := range hits {
		at := hit.At
		at.Member, at.Exposure, at.Commit = "", finding.Ignored, "c1"
		other := at
		other.Exposure = finding.Committed
		out[i] = []finding.Location{at, other}
	}
	return out, nil
}

func TestUnpackForwards(t *testing.T) {
	if Archives(blobs(), Limits{}).Locate != nil {
		t.Error("a locator out of nothing")
	}
	u := Archives(source.Source{
		Walk: blobs().Walk, Locate: located, Coverage: func() []finding.Coverage { return []finding.Coverage{{Repository: "r"}} },
	}, Limits{})
	if c := u.Coverage(); len(c) != 1 || c[0].Repository != "r" {
		t.Errorf("coverage %v", c)
	}
	got, err := u.Locate(t.Context(), []source.Hit{{At: finding.Location{Path: "a"}}, {At: finding.Location{Path: "b", Member: "m", Exposure: finding.Shipped}}})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if got[0][0].Exposure != finding.Ignored || got[0][0].Commit != "c1" {
		t.Errorf("%+v", got[0])
	}
	if p := got[1]; p[0].Member != "m" || p[0].Exposure != finding.Shipped || p[1].Exposure != finding.Committed {
		t.Errorf("%+v", p)
	}
}
