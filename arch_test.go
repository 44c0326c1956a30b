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
// import, and which others it must not. Tests may look at the whole house.
type room struct {
	may   []string // ours; "internal/*" is any of them
	never []string // of the standard library; "net/..." is net and all below it
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
	"internal": {
		why: "mechanism that knows nothing of keys, findings or each other can be read, tested and replaced alone",
	},
	"internal/pack": {
		may: []string{"internal/inflate"},
		why: "the object sweep is the one mechanism that is built on another: the inflater made for it",
	},
	"rules": {
		may: []string{"finding", "secret"}, never: []string{"net", "net/http/...", "net/rpc/...", "net/smtp", "os/...", "io/fs", "path/filepath", "time", "syscall"},
		why: "pure: the same bytes give the same answer everywhere, at any time, and can be fuzzed without a sandbox (net/url parses, and no more)",
	},
	"rules/internal/train": {
		may: []string{"rules"},
		why: "a program that makes a table of rules from source text; not part of the binary",
	},
	"rules/encodingtest": {
		may: []string{"internal/fakekey"},
		why: "writes texts in every encoding, for the tests of several rooms",
	},
	"scanner/source": {
		may: []string{"finding", "internal/archive", "internal/gitdir", "internal/gitindex", "internal/ignore", "internal/notebook", "internal/pack"}, never: []string{"net/..."},
		why: "where bytes come from must not know what is looked for",
	},
	"config": {
		may: []string{"finding"}, never: []string{"net/..."},
		why: "what was accepted is decided on findings alone",
	},
	"baseten": {
		may: []string{"finding", "secret"},
		why: "the only room that speaks HTTP, so the only one to audit for what leaves the machine",
	},
	"baseten/basetentest": {
		may: []string{"baseten", "finding", "secret", "internal/fakekey", "baseten/basetentest"},
		why: "the fake makes keys of its own at run time",
	},
	"scanner": {
		may: []string{"finding", "secret", "rules", "scanner/source", "internal/notebook", "internal/trussrc"}, never: []string{"net/..."},
		why: "the pipeline is given a verifier, a suppressor and a handler, and knows none of them by name; its look at a workstation reads .trussrc, and a place in a notebook is a cell",
	},
	"audit": {
		may: []string{"finding", "rules", "baseten"}, never: []string{"net/...", "os/..."},
		why: "policies are pure functions of an inventory that somebody else fetched",
	},
	"revoke": {
		may: []string{"finding", "secret", "baseten", "internal/atomicfile"}, never: []string{"net/http"},
		why: "what takes keys out of service must not depend on how they were found or are shown",
	},
	"redact": {
		may: []string{"finding", "rules"}, never: []string{"net/...", "os/..."},
		why: "bytes in, bytes out: it opens and runs nothing, so its promise can be fuzzed",
	},
	"report": {
		may: []string{"finding"}, never: []string{"net", "net/http", "os/exec"},
		why: "a writer can be replayed from a JSON report: it needs nothing but findings",
	},
	"cmd": {
		may: []string{"secret", "finding", "internal/*", "rules", "scanner", "scanner/source", "config", "baseten", "audit", "redact", "revoke", "report"},
		why: "puts the rooms together; speaks to the network through baseten only",
	},
	"cmd/b10lint": {
		may: []string{"cmd"},
		why: "main wires, a function runs",
	},
	"cmd/gendocs": {
		may: []string{"cmd", "rules", "finding"},
		why: "makes the documentation from the code; not part of the binary",
	},
	"bench": {
		why: "holds benchmarks, which are tests, and scripts",
	},
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
				if ours != dir && !allows(row.may, ours) {
					t.Errorf("%s: %s must not import %s: %s", f, name, ours, row.why)
				}
			} else if allows(row.never, imported) {
				t.Errorf("%s: %s must not import %s: %s", f, name, imported, row.why)
			}
		}
	}
	if !packages["secret"] || !packages["cmd/b10lint"] {
		t.Errorf("looked at %d packages only; the walk is broken", len(packages))
	}
}

func TestOnlyBasetenSpeaksHTTP(t *testing.T) {
	for _, f := range goFiles(t) {
		if strings.HasPrefix(f, "baseten/") || strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, imported := range imports(t, f) {
			if imported == "net/http" || strings.HasPrefix(imported, "net/http/") {
				t.Errorf("%s imports %s; the one room that speaks HTTP is baseten", f, imported)
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
			if other == "internal/*" {
				continue
			}
			target, known, ok := roomOf(other)
			if !ok {
				t.Errorf("%s may import %s, which is no room", name, other)
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
