package secret_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// revealers are the functions that may take a key out of its Secret, each with
// what it does with it. A new one needs a reason as good as these.
var revealers = map[string]string{
	"secret/secret.go: Secret.Prefix": "cuts off the public part",
	"secret/secret.go: Secret.Digest": "hashes it",
	"secret/secret.go: Secret.Equal":  "compares two",

	"internal/baseten/transport.go: withAuth": "puts the user's own key into the header of a request, to an allowed host",
	"internal/baseten/probe.go: lookalike":    "draws a random key of the same form, which a probe is compared with",
	"internal/baseten/probe.go: isAccountKey": "asks for the form alone",
	"internal/baseten/match.go: lookUp":       "cuts off what may be the public part",
	"internal/baseten/match.go: registered":   "cuts off the 16 characters that a gateway shows of a registered key",

	"cmd/keys_create.go: keysCreate.run": "prints a new key, once, to who asked for it",

	"cmd/rewrite.go: writeRewrite": "writes the found keys into the file that git filter-repo takes them from, when asked to",

	"revoke/sink_file.go: File.Deliver":       "puts a new key into the file that was named for it",
	"revoke/sink.go: Output.Deliver":          "prints a new key, once, when that was asked for",
	"revoke/sink_command.go: Command.Deliver": "gives a new key to the command that was named for it, on its standard input",
	"revoke/sink_stored.go: Stored.Deliver":   "gives a new key to the program whose store was named for it, on its standard input",
	"revoke/sink_command.go: mask":            "hides the key in that command's words",

	"internal/drill/repository.go: Baseten.Repository": "writes the made-up key of a drill into the drill's own repository",

	"internal/baseten/basetentest/org.go: Org.RegisterGatewayKey": "the fake is given a key by its test",
	"internal/baseten/basetentest/record.go: Server.Received":     "the fake looks for keys that must not have come in",
	"cmd/fakebaseten/main.go: run":                                "the fake writes the made-up key that leaked, when asked to",
	"cmd/fakebaseten/main.go: announce":                           "the fake tells who started it the made-up key that it takes",
}

func TestCallersOfRevealAreKnown(t *testing.T) {
	var got []string
	root := ".."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		callers, err := callersOfReveal(name)
		for _, c := range callers {
			got = append(got, filepath.ToSlash(rel)+": "+c)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for w := range revealers {
		want = append(want, w)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, slices.Compact(got)); d != "" {
		t.Errorf("the callers of Reveal are not those that are accounted for (-listed +found):\n%s", d)
	}
}

// callersOfReveal returns the functions of a file that name Reveal on anything,
// also without calling it.
func callersOfReveal(name string) (callers []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" {
				callers = append(callers, declName(d))
			}
			return true
		})
	}
	return callers, nil
}

// declName returns the name of a function or method, or "package level".
func declName(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok {
		return "package level"
	}
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if id, ok := receiver.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}
