package index

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/internal/gittest"
)

func write(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// listed is what Each says, in the form of git ls-files -s without stages, sorted.
func listed(t *testing.T, gitDir string) []string {
	t.Helper()
	out := []string{}
	_, err := Each(filepath.Join(gitDir, "index"), gitDir, func(e Entry) bool {
		out = append(out, fmt.Sprintf("%06o %s\t%s", e.Mode, hex.EncodeToString(e.ID), e.Name))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func agree(t *testing.T, dir string, args ...string) {
	t.Helper()
	want := strings.Split(strings.TrimSuffix(gittest.Run(t, dir, append([]string{"ls-files", "-s", "-z"}, args...)...), "\x00"), "\x00")
	if want[0] == "" {
		want = want[:0]
	}
	for i, line := range want {
		meta, name, _ := strings.Cut(line, "\t")
		want[i] = meta[:len(meta)-2] + "\t" + name
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, listed(t, filepath.Join(dir, ".git"))); diff != "" {
		t.Errorf("(-git +got):\n%s", diff)
	}
}

func TestEachAgreesWithGit(t *testing.T) {
	long := strings.Repeat("d/", 60) + strings.Repeat("n", 250)
	names := []string{"a", "b/c", "b/cc", "b/ccc/d", "b/ccd", "é", "long/" + long, "x y", "z\x01"}
	for _, format := range []string{"sha1", "sha256"} {
		for _, version := range []string{"2", "3", "4"} {
			t.Run(format+" version "+version, func(t *testing.T) {
				dir := t.TempDir()
				gittest.Run(t, dir, "init", "-q", "--object-format="+format)
				agree(t, dir) // no index yet
				write(t, dir, names...)
				gittest.Run(t, dir, "add", ".")
				gittest.Run(t, dir, "update-index", "--index-version", version)
				agree(t, dir)
				write(t, dir, "later")
				gittest.Run(t, dir, "add", "-N", "later")
				gittest.Run(t, dir, "update-index", "--skip-worktree", "a")
				agree(t, dir)
				flags := ""
				if _, err := Each(filepath.Join(dir, ".git/index"), filepath.Join(dir, ".git"), func(e Entry) bool {
					if e.IntentToAdd {
						flags += string(e.Name) + ";"
					}
					return true
				}); err != nil || flags != "later;" {
					t.Errorf("flags %q, %v", flags, err)
				}
			})
		}
	}
}

// What git writes into a split index depends on the time: an entry whose file is not
// older than the index is written anew, as it may have changed since. The files' times
// are set, so that no load on the machine makes another test of this one.
func TestSplitIndex(t *testing.T) {
	for _, version := range []string{"2", "4"} {
		for name, late := range map[string]func(i int) bool{
			"old files": func(int) bool { return false }, "new files": func(int) bool { return true },
			"every third new": func(i int) bool { return i%3 == 0 }, "the second half new": func(i int) bool { return i >= 100 },
		} {
			t.Run("version "+version+", "+name, func(t *testing.T) { testSplitIndex(t, version, late) })
		}
	}
}

func testSplitIndex(t *testing.T, version string, late func(i int) bool) {
	dir := t.TempDir()
	gittest.Run(t, dir, "init", "-q")
	for i := range 200 {
		name := fmt.Sprintf("f%03d", i)
		write(t, dir, name)
		when := time.Now().Add(-time.Hour)
		if late(i) {
			when = when.Add(2 * time.Hour)
		}
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	gittest.Run(t, dir, "config", "core.splitIndex", "true")
	gittest.Run(t, dir, "config", "splitIndex.maxPercentChange", "100")
	gittest.Run(t, dir, "add", ".")
	gittest.Run(t, dir, "update-index", "--index-version", version, "--split-index")
	agree(t, dir)
	for i := 0; i < 200; i += 7 {
		gittest.Run(t, dir, "rm", "-q", "--cached", fmt.Sprintf("f%03d", i))
	}
	agree(t, dir)
	write(t, dir, "new", "f000x")
	if err := os.WriteFile(filepath.Join(dir, "f003"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	gittest.Run(t, dir, "add", "new", "f000x", "f003", "f014")
	agree(t, dir)
	// git keeps those that it used before, under names that sort in any order.
	shared := gittest.Run(t, dir, "rev-parse", "--shared-index-path")
	if shared == "" {
		t.Fatal("git did not split the index")
	}
	if err := os.Truncate(filepath.Join(dir, shared), 100); err != nil {
		t.Fatal(err)
	}
	_, err := Each(filepath.Join(dir, ".git/index"), filepath.Join(dir, ".git"), func(Entry) bool { return true })
	if err == nil || !strings.Contains(err.Error(), filepath.Base(shared)) {
		t.Errorf("a broken shared index: %v", err)
	}
}

func TestSparseIndex(t *testing.T) {
	dir := t.TempDir()
	gittest.Run(t, dir, "init", "-q")
	write(t, dir, "top", "in/a", "out/b", "out/deep/c")
	gittest.Run(t, dir, "add", ".")
	gittest.Run(t, dir, "commit", "-q", "-m", "x")
	gittest.Run(t, dir, "sparse-checkout", "init", "--cone", "--sparse-index")
	gittest.Run(t, dir, "sparse-checkout", "set", "in")
	got := strings.Join(listed(t, filepath.Join(dir, ".git")), "\n")
	if !strings.Contains(got, "\tout/") || !strings.Contains(got, "040000") || strings.Contains(got, "out/b") {
		t.Errorf("%s", got)
	}
	agree(t, dir, "--sparse")
}

func TestConflict(t *testing.T) {
	dir := t.TempDir()
	gittest.Run(t, dir, "init", "-q")
	id := gittest.Run(t, dir, "hash-object", "-w", "--stdin")
	var lines strings.Builder
	for stage := 1; stage <= 3; stage++ {
		fmt.Fprintf(&lines, "100644 %s %d\tx\n", id, stage)
	}
	gittest.Pipe(t, dir, []byte(lines.String()), "update-index", "--index-info")
	agree(t, dir)
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	gittest.Run(t, dir, "init", "-q")
	write(t, dir, "a", "b")
	gittest.Run(t, dir, "add", ".")
	name := filepath.Join(dir, ".git", "index")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(Entry) bool { return true }
	for n := range good {
		if _, err := each(good[:n], dir, nothing); err == nil {
			t.Errorf("cut to %d bytes it is read", n)
		}
	}
	noSum := append(slices.Clone(good[:len(good)-20]), make([]byte, 20)...)
	count := 0
	if _, err := each(noSum, dir, func(Entry) bool { count++; return true }); err != nil || count != 2 {
		t.Errorf("without a checksum: %v, %d entries", err, count)
	}
	flipped := slices.Clone(good)
	flipped[20] ^= 1
	if _, err := each(flipped, dir, nothing); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a flipped bit: %v", err)
	}
	count = 0
	if _, err := each(good, dir, func(Entry) bool { count++; return false }); err != nil || count != 1 {
		t.Errorf("stopped after %d: %v", count, err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Each(name, filepath.Join(dir, ".git"), nothing); err == nil {
		t.Error("a folder is read")
	}
}

func FuzzEach(f *testing.F) {
	dir := f.TempDir()
	gittest.Run(f, dir, "init", "-q")
	write(f, dir, "a", "b/c", "b/cd")
	gittest.Run(f, dir, "add", ".")
	for _, args := range [][]string{{"--index-version", "2"}, {"--index-version", "4"}, {"--split-index"}} {
		gittest.Run(f, dir, append([]string{"update-index"}, args...)...)
		data, err := os.ReadFile(filepath.Join(dir, ".git", "index"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:len(data)-20]) // what git wrote
	}
	shared := filepath.Join(dir, ".git")
	f.Fuzz(func(t *testing.T, body []byte) {
		// A zero checksum is taken, so the fuzzer need not find a hash.
		data := append(slices.Clone(body), make([]byte, 20)...)
		n := 0
		if _, err := each(data, shared, func(e Entry) bool { n++; return len(e.Name) <= maxName }); err == nil && n > len(data) {
			t.Errorf("%d entries in %d bytes", n, len(data))
		}
	})
}
