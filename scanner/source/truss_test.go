package source

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/b10lint/b10lint/finding"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files; of the truss layouts, with what B10LINT_TRUSS says")

const layoutsFile = "testdata/truss_layouts.txt"

// A layout is one case of testdata/truss_layouts.txt.
type layout struct {
	name        string
	files, want []string
}

func readLayouts(t *testing.T) (head string, out []layout) {
	t.Helper()
	data, err := os.ReadFile(layoutsFile)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(data), "== ")
	for _, part := range parts[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		have, want, _ := strings.Cut(rest, "want\n")
		out = append(out, layout{name, lines(have), lines(want)})
	}
	return parts[0], out
}

func lines(text string) []string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// build makes the layout below root.
func (l layout) build(t *testing.T, root string) {
	t.Helper()
	for _, line := range l.files {
		name, target, isLink := strings.Cut(line, " -> ")
		name, text, _ := strings.Cut(name, ": ")
		full := filepath.Join(root, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			full = filepath.Join(full, "x")
		}
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		switch {
		case err != nil || strings.HasSuffix(name, "/"):
		case isLink:
			if runtime.GOOS == "windows" {
				t.Skip("making a symbolic link needs a right that few have")
			}
			err = os.Symlink(filepath.FromSlash(target), full)
		default:
			err = os.WriteFile(full, []byte(strings.ReplaceAll(text, "|", "\n")), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func uploaded(t *testing.T, root string) []string {
	t.Helper()
	entries, problems := UploadSet(filepath.Join(root, "t"), TrussOptions{})
	for _, p := range problems {
		t.Errorf("problem: %s: %s", p.Path, p.Error)
	}
	out := []string{}
	for _, e := range entries {
		switch {
		case e.Link != "":
			out = append(out, e.Path+"@")
		case e.SentOnly:
			out = append(out, e.Path+"?")
		default:
			out = append(out, e.Path)
		}
	}
	return out
}

func TestUploadSet(t *testing.T) {
	_, layouts := readLayouts(t)
	if len(layouts) < 30 {
		t.Fatalf("only %d layouts", len(layouts))
	}
	for _, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			root := t.TempDir()
			l.build(t, root)
			if diff := cmp.Diff(l.want, uploaded(t, root)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// trussScript drives truss's own code over folders: path.py, tar.py and
// truss_gatherer.py are the real ones, what they import and do not need is stubbed.
const trussScript = `
import importlib.util, json, pathlib, sys, tarfile, tempfile, types
checkout = pathlib.Path(sys.argv[1])
def module(name, **attrs):
    m = types.ModuleType(name); m.__dict__.update(attrs); sys.modules[name] = m; return m
for p in ["truss", "truss.base", "truss.util", "truss.local", "truss.truss_handle", "truss.truss_handle.patch"]:
    module(p).__path__ = []
module("truss.base.constants", CONFIG_FILE="config.yaml")
module("yaml", safe_load=json.load, safe_dump=lambda o, f: json.dump(o, f))
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, checkout / path)
    m = importlib.util.module_from_spec(spec); sys.modules[name] = m; spec.loader.exec_module(m); return m
path = load("truss.util.path", "truss/util/path.py")
tar = load("tar", "truss/remote/baseten/utils/tar.py")
shadows = pathlib.Path(tempfile.mkdtemp())
class Handle:
    def __init__(self, d, validate=True):
        c = json.loads((d / "config.yaml").read_text())
        config = types.SimpleNamespace(bundled_packages_dir=c.get("bundled_packages_dir", "packages"))
        self.spec = types.SimpleNamespace(config=config, external_package_dirs_paths=[d / p for p in c.get("external_package_dirs", [])])
        self.max_modified_time = path.get_max_modified_time_of_dir(d)
    def clear_external_packages(self): pass
    def validate(self): pass
class Local:
    @staticmethod
    def shadow_trusses_dir_path(): return shadows
module("truss.local.local_config_handler", LocalConfigHandler=Local)
module("truss.truss_handle.patch.hash", str_hash_str=lambda s: s.replace("/", "_"))
module("truss.truss_handle.truss_handle", TrussHandle=Handle)
gatherer = load("gatherer", "truss/truss_handle/truss_gatherer.py")
def archive(d):
    f = tar.create_tar_with_progress_bar(d, path.load_trussignore_patterns_from_truss_dir(d))
    with tarfile.open(f.name) as t:
        return {m.name: m.issym() for m in t.getmembers()}
out = []
for name in json.load(sys.stdin):
    d = pathlib.Path(name)
    if (d / "config.yaml").exists():
        c = json.loads((d / "config.yaml").read_text())
        names = archive(gatherer.gather(d) if c.get("external_package_dirs") else d)
        result = {n: "@" if link else "" for n, link in names.items()}
        result.setdefault("config.yaml", "?")
    else:
        result = {n: "@" if link else "" for n, link in archive(d).items()}
        if (d / "chain.py").exists():
            chainlet = pathlib.Path(tempfile.mkdtemp())
            path.copy_tree_path(d, chainlet / "packages")
            for n, link in archive(chainlet).items():
                result[n.removeprefix("packages/")] = "@" if link else ""
    out.append(sorted(n + k for n, k in result.items()))
json.dump(out, sys.stdout)
`

// TestUploadSetAgainstTruss runs when B10LINT_TRUSS names a checkout of truss and
// python3 has pathspec.
func TestUploadSetAgainstTruss(t *testing.T) {
	checkout := os.Getenv("B10LINT_TRUSS")
	if checkout == "" {
		t.Skip("B10LINT_TRUSS is not set")
	}
	head, layouts := readLayouts(t)
	var dirs []string
	for _, l := range layouts {
		root := t.TempDir()
		l.build(t, root)
		dirs = append(dirs, filepath.Join(root, "t"))
	}
	got := askTruss(t, checkout, dirs)
	text := head
	for i, l := range layouts {
		if diff := cmp.Diff(got[i], l.want); diff != "" && !*update {
			t.Errorf("%s (-truss +want):\n%s", l.name, diff)
		}
		text += fmt.Sprintf("== %s\n%s\nwant\n%s\n\n", l.name, strings.Join(l.files, "\n"), strings.Join(got[i], "\n"))
	}
	if *update {
		if err := os.WriteFile(layoutsFile, []byte(strings.TrimRight(text, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func askTruss(t *testing.T, checkout string, dirs []string) [][]string {
	t.Helper()
	in, err := json.Marshal(dirs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-c", trussScript, checkout)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var got [][]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// A recorder is a Sink that keeps what it is given.
type recorder struct {
	blobs    map[string]string
	at       []finding.Location
	problems []finding.Problem
}

func (r *recorder) Blob(b *Blob) (int, error) {
	if r.blobs == nil {
		r.blobs = map[string]string{}
	}
	r.blobs[b.At.Path] += string(b.Data)
	r.at = append(r.at, b.At)
	return 0, nil
}

func (r *recorder) Problem(p finding.Problem) error {
	r.problems = append(r.problems, p)
	return nil
}

func TestTrussWalk(t *testing.T) {
	root := t.TempDir()
	l := layout{files: []string{"t/config.yaml: {}", "t/.env: no", "t/.env.local: yes", "t/l -> ../outside", "outside: no", "t/.truss_ignore: config.yaml|.env"}}
	l.build(t, root)
	var r recorder
	if err := Truss(filepath.Join(root, "t"), TrussOptions{}).Walk(context.Background(), &r); err != nil {
		t.Fatal(err)
	}
	dir := filepath.ToSlash(filepath.Join(root, "t"))
	want := map[string]string{dir + "/config.yaml": "{}", dir + "/.env.local": "yes", dir + "/.truss_ignore": "config.yaml\n.env"}
	if diff := cmp.Diff(want, r.blobs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(r.at, func(at finding.Location) bool { return at.Exposure != finding.Shipped }) {
		t.Error("not everything is marked as shipped")
	}
	err := Truss(filepath.Join(root, "gone"), TrussOptions{}).Walk(context.Background(), &r)
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestUploadProblems(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		warning          bool
		files            []string
	}{
		{"broken link", "t/l", "broken symbolic link", true, []string{"t/config.yaml: {}", "t/l -> nowhere"}},
		{"bad list", "t/.truss_ignore", "line 2", false, []string{"t/config.yaml: {}", "t/.truss_ignore: a|b\\"}},
		{"bad yaml", "t/config.yaml", "not YAML", false, []string{"t/config.yaml: {a: [}"}},
		{"external file", "x", "not a folder", false, []string{"t/config.yaml: {external_package_dirs: [../x]}", "x: 1"}},
		{"external link", "x", "symbolic link", false, []string{"t/config.yaml: {external_package_dirs: [../x]}", "x -> y", "y/z"}},
		{"external gone", "x", "", false, []string{"t/config.yaml: {external_package_dirs: [../x]}"}},
		{"chain with code", "t/c.py", "only running it", true, []string{"t/c.py: import truss_chains|external_package_dirs=[x]"}},
	} {
		root := t.TempDir()
		layout{files: c.files}.build(t, root)
		_, problems := UploadSet(filepath.Join(root, "t"), TrussOptions{})
		want := filepath.ToSlash(filepath.Join(root, c.file))
		if len(problems) != 1 || problems[0].Path != want || !strings.Contains(problems[0].Error, c.text) || problems[0].Warning != c.warning || problems[0].Hint == "" && !strings.HasPrefix(c.name, "external") {
			t.Errorf("%s: %+v", c.name, problems)
		}
	}
}

func TestUploadSetWithConfig(t *testing.T) {
	root := t.TempDir()
	layout{files: []string{"t/config.yaml: {}", "prod.yaml: {a: 1}", "t/m.py"}}.build(t, root)
	entries, problems := UploadSet(filepath.Join(root, "t"), TrussOptions{Config: filepath.Join(root, "prod.yaml")})
	if len(entries) != 2 || len(problems) != 0 || entries[0].Path != "config.yaml" || !strings.HasSuffix(entries[0].File, "prod.yaml") || !entries[0].Sent || entries[0].SentOnly {
		t.Errorf("%+v %+v", entries, problems)
	}
}
