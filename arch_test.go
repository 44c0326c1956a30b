package b10lint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/b10lint/b10lint"

// A room is one row of the import table: which of our packages its code may
// import, and which others it must not. Tests may import any package.
type room struct {
	may   []string // ours, leaves aside
	never []string // of the standard library; "net/..." is net and all below it
	leaf  bool     // every room may import it; it imports only the standard library and other leaves
	why   string
}

// The import table. The row of the longest matching path holds for a package;
// lower rooms never import higher ones.
var rooms = map[string]room{
	"secret": {
		why: "the floor of the house: whoever holds a key must not have to trust anything else",
	},
	"finding": {
		may: []string{"secret"}, never: []string{"net/...", "os/..."},
		why: "the vocabulary: engine and writers meet here, so it knows neither",
	},

	// Leaves: mechanism that knows nothing of keys or findings can be read, tested
	// and replaced alone, and is shared rather than copied.
	"internal/archive":             {why: "containers of any kind, behind one walk; it imports libraries for them, so it is not a leaf"},
	"internal/archive/archivetest": {why: "writes archives, for the tests of several rooms"},
	"internal/atomicfile":          {leaf: true, why: "one way to replace a file"},
	"internal/authfile":            {leaf: true, why: "one reader of the baseten command's auth.json"},
	"internal/clock":               {leaf: true, why: "one clock that tests can replace"},
	"internal/english":             {leaf: true, why: "one plural, one guess at a misspelt word"},
	"internal/fakekey":             {leaf: true, why: "one maker of keys for tests"},
	"internal/gittest":             {why: "runs git, for the tests of several rooms"},
	"internal/inflate":             {leaf: true, why: "one inflater"},
	"internal/keyformat":           {leaf: true, why: "one table of the key formats"},
	"internal/notebook":            {leaf: true, why: "one reader of notebooks"},
	"internal/regular":             {leaf: true, why: "one way to open what must be a regular file"},
	"internal/shell":               {leaf: true, why: "one way to quote for a shell"},
	"internal/sqlite":              {leaf: true, why: "one reader of SQLite"},
	"internal/span":                {leaf: true, why: "one type for a range of bytes"},
	"internal/trussrc":             {leaf: true, why: "one reader and writer of .trussrc"},
	"internal/git/config":          {leaf: true, why: "one reader of git's configuration"},
	"internal/git/gitdir":          {leaf: true, why: "one answer to where a repository keeps what is its own"},
	"internal/git/ignore":          {leaf: true, why: "one reading of git's ignore rules"},
	"internal/git/index":           {leaf: true, why: "one reader of git's index"},
	"internal/git/pack":            {leaf: true, why: "one object store, with the sweep"},
	"internal/git/refs":            {leaf: true, why: "one reader of references"},

	"internal/worstcase": {
		why: "makes the texts that cost most, for the tests of several rooms; it needs keys",
	},

	"internal/hosts": {
		why: "whose a host is, decided in one place; it parses addresses, so it is not a leaf",
	},
	"rules": {
		may: []string{"finding", "secret", "internal/hosts"}, never: []string{"net", "net/http/...", "net/rpc/...", "net/smtp", "os/...", "io/fs", "path/filepath", "time", "syscall"},
		why: "pure: the same bytes give the same answer everywhere, at any time, and can be fuzzed without a sandbox (net/url and internal/hosts parse, and no more)",
	},
	"rules/internal/train": {
		may: []string{"rules"},
		why: "a program that makes a table of rules from source text; not part of the binary",
	},
	"rules/encodingtest": {
		why: "writes texts in every encoding, for the tests of several rooms",
	},
	"scanner/source": {
		may: []string{"finding"}, never: []string{"net/...", "os/..."},
		why: "what a source is; it opens nothing, and must not know what is searched for",
	},
	"scanner/source/disk": {
		may: []string{"finding", "scanner/source"}, never: []string{"net/...", "os/exec"},
		why: "reads files, whatever is in them and wherever they are",
	},
	"scanner/source/unpack": {
		may: []string{"finding", "internal/archive", "scanner/source"}, never: []string{"net/..."},
		why: "decorates any source, so it knows none",
	},
	"scanner/source/git": {
		may: []string{"finding", "internal/archive", "scanner/source", "scanner/source/disk", "scanner/source/unpack"}, never: []string{"net/...", "os/exec"},
		why: "reads object stores without git; the cache asks unpack what may be in an object besides its own bytes",
	},
	"scanner/source/remote": {
		may: []string{"finding", "internal/httpc", "scanner/source", "scanner/source/git"},
		why: "fetches what another room reads; it knows no key, and cmd hands it the way to call git",
	},
	"scanner/source/truss": {
		may: []string{"finding", "rules", "scanner/source", "scanner/source/disk"}, never: []string{"net/...", "os/exec"},
		why: "what truss push uploads, and the rules about it",
	},
	"scanner/source/workstation": {
		may: []string{"finding", "secret", "rules", "scanner/source", "scanner/source/disk", "scanner/source/git", "scanner/source/truss"}, never: []string{"net/...", "os/exec"},
		why: "the places of a home, what git knows of them, and the rules about how they are kept",
	},
	"scanner/source/target": {
		may: []string{"finding", "scanner/source", "scanner/source/disk", "scanner/source/git", "scanner/source/workstation"}, never: []string{"net/...", "os/exec"},
		why: "puts together the files and histories that a path stands for",
	},
	"scanner/source/sourcetest": {
		may: []string{"finding", "scanner/source"},
		why: "makes files and takes blobs, for the tests of several sources",
	},
	"internal/config": {
		may: []string{"finding"}, never: []string{"net/..."},
		why: "what was accepted is decided on findings alone",
	},
	"internal/httpc": {
		why: "retries, rate, bounds and certificates are the same whoever is called; it knows no credential and no host",
	},
	"internal/baseten": {
		may: []string{"finding", "secret", "internal/hosts", "internal/httpc"},
		why: "the only room that sends a found key anywhere, so the one to audit for it",
	},
	"internal/baseten/basetentest": {
		may: []string{"internal/baseten", "internal/httpc", "finding", "secret", "internal/baseten/basetentest"},
		why: "the fake makes keys of its own at run time",
	},
	"internal/drill": {
		may: []string{"secret", "internal/baseten"},
		why: "stands in for Baseten while people practise; it opens no connection and no test uses it in Baseten's place",
	},
	"scanner": {
		may: []string{"finding", "secret", "rules", "scanner/source"}, never: []string{"net/..."},
		why: "the pipeline is given a verifier and a suppressor, and knows none of them by name",
	},
	"internal/audit": {
		may: []string{"finding", "rules", "internal/baseten", "internal/config"}, never: []string{"net/...", "os/..."},
		why: "policies are pure functions of an inventory that was gathered before and of settings that were read before",
	},
	"revoke": {
		may: []string{"finding", "secret", "internal/baseten"}, never: []string{"net/http"},
		why: "what takes keys out of service must not depend on how they were found or are shown",
	},
	"internal/redact": {
		may: []string{"finding", "rules"}, never: []string{"net/...", "os/..."},
		why: "bytes in, bytes out: it opens and runs nothing, so its promise can be fuzzed",
	},
	"report": {
		may: []string{"finding"}, never: []string{"net", "net/http", "os/exec"},
		why: "a writer can be given a report that was read back: it needs nothing else",
	},
	"cmd": {
		may: []string{"secret", "finding", "internal/archive", "internal/audit", "internal/baseten", "internal/config", "internal/drill", "internal/redact", "rules", "scanner", "scanner/source", "scanner/source/disk", "scanner/source/git", "scanner/source/remote", "scanner/source/target", "scanner/source/truss", "scanner/source/unpack", "scanner/source/workstation", "revoke", "report"},
		why: "puts the rooms together",
	},
	"cmd/b10lint": {
		may: []string{"cmd"},
		why: "main wires, a function runs",
	},
	"cmd/fakebaseten": {
		may: []string{"internal/baseten/basetentest", "secret"},
		why: "serves the made-up Baseten to people and scripts; not part of the binary",
	},
	"cmd/gendocs": {
		may: []string{"cmd", "rules", "finding"},
		why: "makes the documentation from the code; not part of the binary",
	},
	"bench/gitserve": {
		may: []string{"internal/gittest"},
		why: "serves repositories on loopback for the scripts; not part of the binary",
	},
	"bench": {
		why: "holds benchmarks, which are tests, and scripts",
	},
}

// connected lists the rooms that open network connections, and to whom.
var connected = map[string]string{
	"internal/baseten":             "Baseten's management and inference hosts, or the one that the user names",
	"internal/httpc":               "whoever the room above it names; it opens no connection by itself",
	"internal/drill":               "nobody: it answers in the process itself",
	"scanner/source/remote":        "the git servers that the user names as targets",
	"internal/gittest":             "serves repositories on loopback, for tests",
	"bench/gitserve":               "serves repositories on loopback, for benchmarks",
	"internal/baseten/basetentest": "serves a made-up Baseten on loopback, for tests",
}

func TestImportTable(t *testing.T) {
	packages := map[string]bool{}
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		dir := path.Dir(f)
		packages[dir] = true
		row, name, ok := roomOf(dir)
		if !ok {
			t.Errorf("%s: package %s has no row in the import table; decide what it may import and say why", f, dir)
			continue
		}
		for _, imported := range imports(t, f) {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				if leaf, _, _ := roomOf(ours); ours != dir && !leaf.leaf && !allows(row.may, ours) {
					t.Errorf("%s: %s must not import %s: %s", f, name, ours, row.why)
				}
			} else if allows(row.never, imported) {
				t.Errorf("%s: %s must not import %s: %s", f, name, imported, row.why)
			} else if row.leaf && !standard(imported) {
				t.Errorf("%s: %s is open to all rooms, so it must not import %s", f, name, imported)
			}
		}
	}
	if !packages["secret"] || !packages["cmd/b10lint"] {
		t.Errorf("saw %d packages only; the walk is broken", len(packages))
	}
}

// standard reports whether an import is of the standard library, or of the
// operating system's calls beside it, and opens no connection and runs nothing.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return (!strings.Contains(first, ".") || strings.HasPrefix(imported, "golang.org/x/sys/")) &&
		!allows([]string{"net/...", "os/exec"}, imported)
}

func TestConnectionsAreListed(t *testing.T) {
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f, "_test.go") || connected[path.Dir(f)] != "" {
			continue
		}
		for _, imported := range imports(t, f) {
			if allows([]string{"net", "net/http/...", "net/rpc/...", "net/smtp", "crypto/tls"}, imported) {
				t.Errorf("%s imports %s; list in connected with whom package %s talks", f, imported, path.Dir(f))
			}
		}
	}
}

// Every row says why, names rooms that the table knows, and no two rooms may
// import each other.
func TestImportTableIsSound(t *testing.T) {
	for name, row := range rooms {
		if row.why == "" {
			t.Errorf("%s has no reason", name)
		}
		for _, other := range row.may {
			target, known, ok := roomOf(other)
			if !ok {
				t.Errorf("%s may import %s, which is not a room", name, other)
			}
			if known != name && slices.Contains(target.may, name) {
				t.Errorf("%s and %s may import each other", name, other)
			}
		}
	}
}

// roomOf returns the row of the longest path that dir is, or lies below.
func roomOf(dir string) (r room, name string, ok bool) {
	for at := dir; at != "."; at = path.Dir(at) {
		if r, ok := rooms[at]; ok {
			return r, at, true
		}
	}
	return room{}, "", false
}

func allows(list []string, name string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		if tree, ok := strings.CutSuffix(entry, "/..."); ok {
			return name == tree || strings.HasPrefix(name, tree+"/")
		}
		ok, _ := path.Match(entry, name)
		return ok
	})
}

// goFiles returns every Go file of the module, with slashes, in order.
func goFiles(t *testing.T) (names []string) {
	t.Helper()
	for _, name := range files(t) {
		if strings.HasSuffix(name, ".go") {
			names = append(names, name)
		}
	}
	return names
}

// files returns every regular file of the repository, with slashes, in order.
func files(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || name == "dist") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func imports(t *testing.T, name string) (paths []string) {
	t.Helper()
	for _, spec := range parse(t, name, parser.ImportsOnly).Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return paths
}

func parse(t *testing.T, name string, mode parser.Mode) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(fileset, name, nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fileset gives the positions of every file that parse has read.
var fileset = token.NewFileSet()

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
