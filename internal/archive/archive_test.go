package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
)

// A seen is what a walk handed over.
type seen struct {
	mu       sync.Mutex
	members  map[string][]byte
	parts    map[string][]string // what members holds, in pieces
	problems []string            // "path: error"
	errs     []error
}

// walked walks data both ways, at random and as a stream, and checks that both see
// the same members.
func walked(t *testing.T, limits Limits, name string, data []byte) *seen {
	t.Helper()
	w := NewWalker(limits)
	at, stream := newSeen(), newSeen()
	var err error
	if err = w.Walk(t.Context(), bytes.NewReader(data), int64(len(data)), name, at.visitor()); err != nil {
		t.Fatal(err)
	}
	if err = w.WalkStream(t.Context(), bytes.NewReader(data), name, stream.visitor()); err != nil {
		t.Fatal(err)
	}
	if Sniff(data, nil) { // a stream shows no tail
		for path, want := range at.members {
			if !bytes.Equal(stream.members[path], want) {
				t.Errorf("%s: %d bytes as a stream, %d at random", path, len(stream.members[path]), len(want))
			}
		}
	}
	return at
}

func newSeen() *seen { return &seen{members: map[string][]byte{}, parts: map[string][]string{}} }

func (s *seen) visitor() Visitor {
	return Visitor{
		Member: func(m Member) (int, error) {
			data, err := io.ReadAll(m.Reader)
			if err != nil {
				return 0, fmt.Errorf("a member's reader failed: %w", err)
			}
			if m.Data != nil && !bytes.Equal(m.Data, data) {
				return 0, fmt.Errorf("%s: other content in memory", m.Path)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			// Members of one name come in any order.
			parts := append(s.parts[m.Path], string(data))
			slices.Sort(parts)
			s.parts[m.Path], s.members[m.Path] = parts, []byte(strings.Join(parts, ""))
			return 0, nil
		},
		Problem: func(path string, err error) error {
			s.problems = append(s.problems, path+": "+err.Error())
			s.errs = append(s.errs, err)
			return nil
		},
	}
}

// find returns the members that hold key, in order.
func (s *seen) find(key string) (paths []string) {
	for path, data := range s.members {
		if bytes.Contains(data, []byte(key)) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

func (s *seen) limit(t *testing.T, want string) {
	t.Helper()
	for _, err := range s.errs {
		var limit *LimitError
		if errors.As(err, &limit) && limit.Limit == want {
			return
		}
	}
	t.Errorf("no problem tells of the limit %q: %.300q", want, s.problems)
}

// files makes n files with a key each.
func files(keys *fakekey.Maker, n int) (out []archivetest.File, want []string) {
	for i := range n {
		key := keys.B10()
		if i%2 == 1 {
			key = keys.Legacy()
		}
		name := fmt.Sprintf("folder/a rather long name %d.txt", i)
		text := strings.Repeat("some text before\n", i*7) + "BASETEN_API_KEY=" + key + "\nand after\n"
		out, want = append(out, archivetest.File{Name: name, Data: []byte(text)}), append(want, key)
	}
	return out, want
}

func single(name string) bool {
	switch name {
	case "gzip", "bzip2", "xz", "zstd", "lzma":
		return true
	}
	return false
}

// Every container, with 100 keys in 100 members.
func TestEveryContainer(t *testing.T) {
	keys := fakekey.New(1)
	for name, build := range archivetest.Builders() {
		t.Run(name, func(t *testing.T) {
			files, want := files(keys, 100)
			if single(name) {
				files = []archivetest.File{{Name: "one", Data: bytes.Join(contents(files), nil)}}
			}
			got := walked(t, Limits{}, "name", build(t, files...))
			if len(got.problems) > 0 {
				t.Errorf("problems: %q", got.problems)
			}
			for i, key := range want {
				paths := got.find(key)
				switch {
				case len(paths) != 1:
					t.Fatalf("key %d is in %q", i, paths)
				case !single(name) && name != "pdf" && paths[0] != files[i].Name:
					t.Errorf("key %d is in %q, not %q", i, paths[0], files[i].Name)
				}
			}
		})
	}
}

func contents(files []archivetest.File) (out [][]byte) {
	for _, f := range files {
		out = append(out, f.Data)
	}
	return out
}

// Every container in every other one.
func TestEveryPair(t *testing.T) {
	keys := fakekey.New(2)
	for outer, buildOuter := range archivetest.Builders() {
		for inner, buildInner := range archivetest.Builders() {
			t.Run(outer+"/"+inner, func(t *testing.T) {
				files, want := files(keys, 3)
				if single(inner) {
					files = files[:1]
				}
				in := archivetest.File{Name: "in", Data: buildInner(t, files...)}
				got := walked(t, Limits{}, "name", buildOuter(t, in))
				if outer == "pdf" {
					return // streams of a document are not unpacked further
				}
				if len(got.problems) > 0 {
					t.Errorf("problems: %q", got.problems)
				}
				for i := range files {
					if len(got.find(want[i])) == 0 {
						t.Errorf("key %d is lost; members %q", i, paths(got))
					}
				}
			})
		}
	}
}

func paths(s *seen) (out []string) {
	for path := range s.members {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func TestPaths(t *testing.T) {
	b := archivetest.Builders()
	env := archivetest.File{Name: "cfg/.env", Data: []byte("x")}
	jar := archivetest.File{Name: "lib/app.jar", Data: b["zip"](t, env)}
	layer := archivetest.File{Name: "blobs/sha256/ab12", Data: b["tar-gnu"](t, jar)}
	packedLayer := archivetest.File{Name: "blobs/sha256/cd34", Data: archivetest.Gzip(t, b["tar-gnu"](t, env))}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"image.tar", b["tar-gnu"](t, layer, packedLayer), "blobs/sha256/ab12!lib/app.jar!cfg/.env"},
		{"image.tar", b["tar-gnu"](t, packedLayer), "blobs/sha256/cd34!cfg/.env"},
		{"dir/x.tar.gz", archivetest.Gzip(t, b["tar-gnu"](t, env)), "cfg/.env"},
		{"dir/x.log.gz", archivetest.Gzip(t, env.Data), "x.log"},
		{`c:\dir\x.tgz`, archivetest.Gzip(t, env.Data), "x.tar"},
		{"", archivetest.Gzip(t, env.Data), "data"},
		{"x.gz.zst", archivetest.Zstd(t, archivetest.Gzip(t, env.Data)), "x"},
		{"a.tar", b["tar-gnu"](t, archivetest.File{Name: "d/x.log.xz", Data: archivetest.XZ(t, env.Data)}), "d/x.log.xz!x.log"},
		{"e.tar", b["tar-gnu"](t, archivetest.File{Name: "../../etc/passwd", Data: env.Data}), "../../etc/passwd"},
		{"e.zip", b["zip"](t, archivetest.File{Name: "/abs\x1b[31m\n", Data: env.Data}), "/abs\x1b[31m\n"},
	} {
		got := walked(t, Limits{}, c.name, c.data)
		if got.members[c.want] == nil {
			t.Errorf("%s: members %q, want %q", c.name, paths(got), c.want)
		}
	}
}

// A visitor that wants to stop is obeyed, at a member and at a problem.
func TestStop(t *testing.T) {
	stop := errors.New("enough")
	w := NewWalker(Limits{Depth: 1, Jobs: 1})
	for name, build := range archivetest.Builders() {
		in := archivetest.File{Name: "in", Data: archivetest.Gzip(t, []byte("x"))}
		data := build(t, in, in)
		for _, at := range []string{"member", "problem"} {
			calls := 0
			err := w.Walk(t.Context(), bytes.NewReader(data), int64(len(data)), "name", Visitor{
				Member: func(Member) (int, error) {
					if at == "problem" {
						return 0, nil
					}
					calls++
					return 0, stop
				},
				Problem: func(string, error) error {
					if at == "member" {
						return nil
					}
					calls++
					return stop
				},
			})
			if name == "pdf" && at == "problem" {
				continue // has none
			}
			if !errors.Is(err, stop) || calls != 1 {
				t.Errorf("%s at a %s: %d calls, error %v", name, at, calls, err)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	files, _ := files(fakekey.New(3), 50)
	data := archivetest.Builders()["zip"](t, files...)
	visits := 0
	err := NewWalker(Limits{Jobs: 1}).Walk(ctx, bytes.NewReader(data), int64(len(data)), "name", Visitor{
		Member:  func(Member) (int, error) { visits++; cancel(); return 0, nil },
		Problem: func(path string, err error) error { t.Errorf("%s: %v", path, err); return nil },
	})
	if !errors.Is(err, context.Canceled) || visits != 1 {
		t.Errorf("%d visits, error %v", visits, err)
	}
}
