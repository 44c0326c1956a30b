package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/internal/archive/archivetest"
	"github.com/b10lint/b10lint/internal/fakekey"
	"github.com/b10lint/b10lint/internal/gittest"
)

// gitRepository makes a repository whose history has keys: in a text with many versions, of
// which one has it, in a message, in a tag, and in a zip. It returns its folder.
func gitRepository(t testing.TB, format string) (dir string, want map[string]string) {
	m := fakekey.New(21)
	want = map[string]string{m.B10(): "src/deep/settings.py", m.B10(): "commit ", m.B10(): "tag ", m.B10(): "!a.zip!in.txt"}
	var keys []string
	for _, p := range []string{"src/deep/settings.py", "commit ", "tag ", "!a.zip!in.txt"} {
		for k, v := range want {
			if v == p {
				keys = append(keys, k)
			}
		}
	}
	dir = t.TempDir()
	git := func(args ...string) { gittest.Run(t, dir, args...) }
	write := func(name string, data []byte) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q", "-b", "main", "--object-format="+format)
	lines := strings.Split(strings.Repeat("a line of code\n", 400), "\n")
	for i := range lines {
		lines[i] += m.Word(10)
	}
	for i := range 6 {
		lines[i*60] = "changed"
		if lines[33] = "BASETEN_API_KEY = None"; i == 2 {
			lines[33] = "BASETEN_API_KEY = '" + keys[0] + "'"
		}
		write("src/deep/settings.py", []byte(strings.Join(lines, "\n")))
		if i == 3 {
			write("a.zip", archivetest.Zip(zip.Deflate)(t, archivetest.File{Name: "in.txt", Data: []byte("KEY=" + keys[3])}))
		}
		git("add", ".")
		message := fmt.Sprint("step ", i)
		if i == 4 {
			message += "\n\n" + keys[1]
		}
		git("commit", "-q", "-m", message)
	}
	git("tag", "-a", "v1", "-m", "first "+keys[2])
	return dir, want
}

func (s *seen) wants(t *testing.T, want map[string]string) {
	t.Helper()
	for key, where := range want {
		paths := s.find(key)
		if len(paths) == 0 || !strings.Contains(paths[len(paths)-1], where) {
			t.Errorf("the key of %q is in %q", where, paths)
		}
	}
	if len(s.problems) > 0 {
		t.Errorf("problems: %q", s.problems)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Packs, bundles and loose objects, alone and inside archives, as git itself makes them.
func TestGit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			dir, want := gitRepository(t, format)
			folder := func() (files []archivetest.File) {
				err := filepath.WalkDir(filepath.Join(dir, ".git"), func(name string, e fs.DirEntry, err error) error {
					if err == nil && e.Type().IsRegular() {
						rel, _ := filepath.Rel(dir, name)
						files = append(files, archivetest.File{Name: filepath.ToSlash(rel), Data: read(t, name)})
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return files
			}
			loose := map[string]string{}
			for key, where := range want {
				if where = ".git/objects/"; want[key] == "!a.zip!in.txt" {
					where = "!in.txt" // named by the object's file
				}
				loose[key] = where
			}
			in := walked(t, Limits{}, "backup.tar", archivetest.Tar(tar.FormatGNU)(t, folder()...))
			in.wants(t, loose)
			in = walked(t, Limits{}, "backup.zip", archivetest.Zip(zip.Deflate)(t, folder()...))
			in.wants(t, loose)

			gittest.Run(t, dir, "bundle", "create", "-q", "x.bundle", "--all")
			bundle := read(t, filepath.Join(dir, "x.bundle"))
			walked(t, Limits{}, "x.bundle", bundle).wants(t, want)

			gittest.Run(t, dir, "repack", "-q", "-a", "-d", "-f")
			files := folder()
			walked(t, Limits{}, "image", archivetest.Gzip(t, archivetest.Tar(tar.FormatGNU)(t, files...))).wants(t, want)
			walked(t, Limits{}, "x.zip", archivetest.Zip(zip.Store)(t, files...)).wants(t, want)
			packs, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
			pack := read(t, packs[0])
			walked(t, Limits{}, "p.pack", pack).wants(t, want)

			// What a bundle takes for granted is not there.
			gittest.Run(t, dir, "bundle", "create", "-q", "thin.bundle", "HEAD~2..HEAD")
			thin := walked(t, Limits{}, "thin.bundle", read(t, filepath.Join(dir, "thin.bundle")))
			if got := strings.Join(thin.problems, "\n"); !strings.Contains(got, "delta base is not in the object store") {
				t.Errorf("of a thin bundle: %q", got)
			}
			walked(t, Limits{Memory: 1 << 10}, "p.pack", pack).limit(t, limitMemory)
			cut := walked(t, Limits{}, "p.pack", pack[:len(pack)*2/3])
			if len(cut.problems) == 0 {
				t.Error("half a pack is no problem")
			}
		})
	}
}

func FuzzGit(f *testing.F) {
	dir, _ := gitRepository(f, "sha1")
	gittest.Run(f, dir, "bundle", "create", "-q", "x.bundle", "HEAD~2..HEAD")
	bundle := read(f, filepath.Join(dir, "x.bundle"))
	f.Add(bundle)
	f.Add(bundle[bytes.Index(bundle, []byte("\n\n"))+2:])
	f.Fuzz(func(t *testing.T, data []byte) {
		heads := []string{"# v2 git bundle\n\n", "PACK\x00\x00\x00\x02"}
		if len(data) > 0 {
			head := heads[data[0]%2]
			bounded(t, append([]byte(head), data[min(len(data), len(head)):]...))
		}
	})
}
