package truss

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b10lint/b10lint/scanner/source/sourcetest"
)

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
def upload(d):
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
    return sorted(n + k for n, k in result.items())
for name in json.load(sys.stdin):
    try:
        out.append(upload(pathlib.Path(name)))
    except Exception as e: # the push fails
        print(name, repr(e), file=sys.stderr)
        out.append(None)
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
		sourcetest.Write(t, root, l.files...)
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

// TestRandomUploadSetsAgainstTruss compares made-up folders and ignore lists with
// what truss's own code makes of them.
func TestRandomUploadSetsAgainstTruss(t *testing.T) {
	checkout := os.Getenv("B10LINT_TRUSS")
	if checkout == "" {
		t.Skip("B10LINT_TRUSS is not set")
	}
	r := rand.New(rand.NewPCG(21, 0xb10))
	names := []string{"a", "b", "lib", "build", ".env", ".env.local", "env", "x.log", "c.py", "packages", "__pycache__", ".git", "docs", "_build", "d.pyc"}
	patterns := []string{"a", "/a", "a/", "*.py", "**/b", "a/**", "!a", "!*.py", "lib", "packages/", "/packages/a", "packages/**/b", "*", "!*/", ".env*", "[ab]", "a/*", "!a/b", "b/c.py"}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	var roots, dirs []string
	var all []layout
	for range 300 {
		l := layout{files: []string{"t/config.yaml: {}"}}
		switch r.IntN(4) {
		case 0:
			l.files[0] = `t/config.yaml: {"external_package_dirs": ["../shared"]}`
			l.files = append(l.files, "shared/base.py")
		case 1:
			l.files[0] = "t/chain.py: import truss_chains"
		}
		if r.IntN(2) == 0 {
			l.files = append(l.files, "t/.truss_ignore: "+pick(patterns)+"|"+pick(patterns)+"|"+pick(patterns))
		}
		taken := map[string]bool{}
		for range 10 {
			name := pick([]string{"t/", "t/", "shared/"})
			for range r.IntN(3) {
				name += "dir" + pick(names) + "/"
				if r.IntN(2) == 0 {
					name = strings.Replace(name, "/dir", "/", 1)
				}
			}
			name += pick(names)
			if !fits(taken, name) {
				continue
			}
			if r.IntN(8) == 0 {
				name += " -> " + strings.Repeat("../", strings.Count(name, "/")) + pick([]string{"t", "t/config.yaml", "t/chain.py"})
			}
			l.files = append(l.files, name)
		}
		root := t.TempDir()
		sourcetest.Write(t, root, l.files...)
		if slices.ContainsFunc(l.files, func(f string) bool { return brokenLinkIn(root, f) }) {
			continue
		}
		roots, dirs, all = append(roots, root), append(dirs, filepath.Join(root, "t")), append(all, l)
	}
	compared := 0
	for i, want := range askTruss(t, checkout, dirs) {
		if want == nil {
			continue // truss refuses it
		}
		compared++
		if diff := cmp.Diff(want, uploaded(t, roots[i])); diff != "" {
			t.Errorf("%q (-truss +got):\n%s", all[i].files, diff)
		}
	}
	t.Logf("%d layouts, of which truss takes %d", len(all), compared)
}

// fits reports whether a file can be made beside those that are there.
func fits(taken map[string]bool, name string) bool {
	for other := range taken {
		if other == name || strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return false
		}
	}
	taken[name] = true
	return true
}

func brokenLinkIn(root, file string) bool {
	name, _, link := strings.Cut(file, " -> ")
	_, err := os.Stat(filepath.Join(root, name))
	return link && err != nil
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
