package workstation

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/sourcetest"
)

// plant writes a file at every place of a home and returns the paths.
func plant(t testing.TB, o Options) []string {
	t.Helper()
	var out []string
	for _, p := range Places(o) {
		if strings.HasPrefix(p.Path, source.EnvironmentPath) {
			continue
		}
		name := strings.ReplaceAll(p.Path, "*", "x")
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("planted at "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestHomeReadsEveryPlaceAndNothingElse(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		dir := t.TempDir()
		moved := filepath.Join(t.TempDir(), "moved")
		o := Options{Dir: dir, System: system, Lookup: lookup(map[string]string{
			"USER_TRUSSRC_PATH": filepath.Join(moved, "rc"), "XDG_CONFIG_HOME": filepath.Join(moved, "config"), "AppData": filepath.Join(dir, "AppData", "Roaming"),
			"CLAUDE_CONFIG_DIR": filepath.Join(moved, "claude"), "CODEX_HOME": filepath.Join(moved, "codex"), "BASETEN_CONFIG_DIR": filepath.Join(moved, "b"), "HISTFILE": "~/hist",
		})}
		want := plant(t, o)
		for _, other := range []string{"notes.txt", ".config/other/secret.json", ".truss/models/x/data/weights", "projects/.env", ".truss/secrets/deep/er"} {
			sourcetest.Write(t, dir, []string{other + ": not read"}...)
		}
		var r sourcetest.Recorder
		if err := Home(o).Walk(context.Background(), &r); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, text := range r.Blobs {
			got = append(got, name)
			if text != "planted at "+name {
				t.Errorf("%s: %s: %q", system, name, text)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || len(r.Problems) != 0 {
			t.Errorf("%s: %d of %d places\n got %v\nwant %v\n%v", system, len(got), len(want), got, want, r.Problems)
		}
		for _, at := range r.At {
			if at.Exposure != finding.Home || at.Context == "" {
				t.Errorf("%s: %+v", system, at)
			}
		}
		for _, need := range []string{moved + "/rc", moved + "/codex/config.toml", moved + "/claude/settingsx.json", moved + "/b/auth.json", dir + "/hist", dir + "/.trussrc"} {
			if !slices.Contains(got, filepath.ToSlash(need)) {
				t.Errorf("%s: %s was not read", system, need)
			}
		}
	}
}

func TestPlacesBySystem(t *testing.T) {
	for system, want := range map[string]string{
		"linux":   "/h/.config/baseten/auth.json",
		"darwin":  "/h/Library/Application Support/baseten/auth.json",
		"windows": "/h/AppData/Roaming/baseten/auth.json",
		"freebsd": "/h/.config/baseten/auth.json",
	} {
		var cli []string
		for _, p := range Places(Options{Dir: "/h", System: system}) {
			if p.Kind == KindBasetenCLI {
				cli = append(cli, p.Path)
			}
			if p.Reason == "" || p.Source == "" || strings.Contains(p.Path, "$") || strings.Contains(p.Path, "~") {
				t.Errorf("%s: %+v", system, p)
			}
		}
		if !slices.Equal(cli, []string{want}) {
			t.Errorf("%s: %v, want %s", system, cli, want)
		}
	}
}

func TestEmptyHomeIsSilent(t *testing.T) {
	var r sourcetest.Recorder
	if err := Home(Options{Dir: t.TempDir(), Lookup: lookup(nil)}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.At) != 0 || len(r.Problems) != 0 {
		t.Errorf("%v %v", r.At, r.Problems)
	}
	if err := Home(Options{Dir: "/nowhere/at/all"}).Walk(context.Background(), &r); err == nil {
		t.Error("a home that is not there is no error")
	}
}

func TestHomeEnvironment(t *testing.T) {
	var r sourcetest.Recorder
	o := Options{Dir: t.TempDir(), Environ: []string{"A=1", "BASETEN_API_KEY=x=y", "=C:=C:\\"}}
	if err := Home(o).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Blobs["env:A"] != "A=1" || r.Blobs["env:BASETEN_API_KEY"] != "BASETEN_API_KEY=x=y" || len(r.Blobs) != 3 {
		t.Errorf("%q", r.Blobs)
	}
}

func TestHomeLinksPipesAndFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no links and pipes")
	}
	dir := t.TempDir()
	sourcetest.Write(t, dir, []string{"dot/rc: linked", ".trussrc -> dot/rc", ".bashrc -> nowhere", ".netrc/", ".zshrc: same", ".zshenv -> .zshrc", ".claude.json -> .claude.json"}...)
	makePipe(t, filepath.Join(dir, ".bash_history"))
	var r sourcetest.Recorder
	if err := Home(Options{Dir: dir}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	d := filepath.ToSlash(dir)
	if len(r.Blobs) != 2 || r.Blobs[d+"/.trussrc"] != "linked" || r.Blobs[d+"/.zshrc"] != "same" {
		t.Errorf("%q", r.Blobs)
	}
	if len(r.Problems) != 1 || r.Problems[0].Path != d+"/.claude.json" { // a loop is there and cannot be read
		t.Errorf("%+v", r.Problems)
	}
}

func TestHomeSaysWhatItCannotRead(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("permissions do not hold")
	}
	dir := t.TempDir()
	plant(t, Options{Dir: dir})
	for _, p := range []string{".trussrc", ".netrc", ".config"} {
		if err := os.Chmod(filepath.Join(dir, p), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, ".config"), 0o700) })
	var r sourcetest.Recorder
	if err := Home(Options{Dir: dir}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Problems {
		got = append(got, strings.TrimPrefix(p.Path, filepath.ToSlash(dir)))
		if strings.Contains(p.Error, dir) {
			t.Errorf("%+v", p)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"/.config", "/.netrc", "/.trussrc"}) {
		t.Errorf("problems of %v", got)
	}
}

func TestHomeWithOddName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]c")
	if runtime.GOOS != "windows" {
		dir = filepath.Join(dir, "*", "?")
	}
	want := plantOdd(t, dir)
	var r sourcetest.Recorder
	if err := Home(Options{Dir: dir}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if r.Blobs[filepath.ToSlash(w)] != "x" {
			t.Errorf("%s was not read: %q %v", w, r.Blobs, r.Problems)
		}
	}
}

func plantOdd(t *testing.T, dir string) []string {
	var out []string
	for _, name := range []string{".trussrc", ".claude/settings.json", ".truss/secrets/a"} {
		out = append(out, filepath.Join(dir, filepath.FromSlash(name)))
		sourcetest.Write(t, dir, []string{name + ": x"}...)
	}
	return out
}

// BenchmarkHome scans a home of 100,000 files in which every place is planted.
func BenchmarkHome(b *testing.B) {
	dir := b.TempDir()
	o := Options{Dir: dir, Lookup: lookup(nil)}
	plant(b, o)
	for i := range 100 {
		sub := filepath.Join(dir, "project", string(rune('a'+i/10)), string(rune('a'+i%10)))
		if err := os.MkdirAll(sub, 0o700); err != nil {
			b.Fatal(err)
		}
		for j := range 1000 {
			if err := os.WriteFile(filepath.Join(sub, "f"+string(rune('a'+j/100))+string(rune('a'+j/10%10))+string(rune('a'+j%10))), nil, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if err := Home(o).Walk(context.Background(), &sourcetest.Recorder{}); err != nil {
			b.Fatal(err)
		}
	}
}
