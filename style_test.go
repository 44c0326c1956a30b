package b10lint_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	maxFile     = 500 // lines, tests too
	maxFunction = 100 // lines, from func to the closing brace
)

func TestSizes(t *testing.T) {
	for _, name := range goFiles(t) {
		if n := bytes.Count(read(t, name), []byte("\n")); n > maxFile {
			t.Errorf("%s has %d lines, more than %d; split it by what it is about", name, n, maxFile)
		}
		for _, d := range parse(t, name, parser.SkipObjectResolution).Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := line(f.End()) - line(f.Pos()) + 1; n > maxFunction {
				t.Errorf("%s: func %s has %d lines, more than %d", name, f.Name.Name, n, maxFunction)
			}
		}
	}
}

func line(p token.Pos) int { return fileset.Position(p).Line }

// Work at start-up runs in every program and test that imports the package, in an
// order that nobody reads; a package called utils is a room without a purpose.
func TestNoInitAndNoLumberRoom(t *testing.T) {
	lumber := []string{"types", "utils", "util", "common", "core", "helpers", "misc"}
	for _, name := range goFiles(t) {
		f := parse(t, name, parser.SkipObjectResolution)
		if slices.Contains(lumber, strings.TrimSuffix(f.Name.Name, "_test")) {
			t.Errorf("%s: a package called %s says nothing of what is in it", name, f.Name.Name)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s:%d: init() runs work that nobody asked for", name, line(fn.Pos()))
			}
		}
	}
}

func TestFormatted(t *testing.T) {
	for _, name := range goFiles(t) {
		source := read(t, name)
		want, err := format.Source(source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(source, want) {
			t.Errorf("%s is not formatted; run gofmt -w on it", name)
		}
	}
}

func TestPackagesAreDescribed(t *testing.T) {
	described := map[string]bool{}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f := parse(t, name, parser.ParseComments|parser.SkipObjectResolution)
		dir := path.Dir(name)
		described[dir] = described[dir] || f.Doc.Text() != ""
	}
	for dir, ok := range described {
		if !ok {
			t.Errorf("package %s has no comment that says what it is for", dir)
		}
	}
}

// The comment of an exported name starts with the name, as the go command shows it.
func TestExportedNamesAreDescribed(t *testing.T) {
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f := parse(t, name, parser.ParseComments|parser.SkipObjectResolution)
		if f.Name.Name == "main" {
			continue
		}
		for _, d := range f.Decls {
			for _, id := range undescribed(d) {
				t.Errorf("%s:%d: %s has no comment that starts with its name", name, line(id.Pos()), id.Name)
			}
		}
	}
}

// undescribed returns the exported names of a declaration that lack a comment. A
// comment on a group of values holds for all of them.
func undescribed(d ast.Decl) (bad []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && !describes(d.Doc, d.Name) && exportedReceiver(d) {
			bad = append(bad, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && !describes(s.Doc, s.Name) && !describes(d.Doc, s.Name) {
					bad = append(bad, s.Name)
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" && s.Comment.Text() == "" {
						bad = append(bad, id)
					}
				}
			}
		}
	}
	return bad
}

func describes(doc *ast.CommentGroup, id *ast.Ident) bool {
	text := doc.Text()
	for _, article := range []string{"A ", "An ", "The "} {
		text = strings.TrimPrefix(text, article)
	}
	return strings.HasPrefix(text, id.Name+" ") || strings.HasPrefix(text, id.Name+"\n") || strings.HasPrefix(text, id.Name+",")
}

// exportedReceiver reports whether a function is no method, or one of an exported
// type: the methods of others are only seen through an interface that says more.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	switch receiver := baseType(d.Recv.List[0].Type).(type) {
	case *ast.Ident:
		return receiver.IsExported() && !conventional[d.Name.Name]
	}
	return true
}

// conventional are the methods whose meaning is fixed by an interface of the
// standard library; a comment would only repeat it.
var conventional = map[string]bool{"Error": true, "Unwrap": true, "Len": true, "Less": true, "Swap": true}

func baseType(e ast.Expr) ast.Expr {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		default:
			return e
		}
	}
}

// keyShape is wider than what the detector reports: a value may be no key for the
// detector and still set off another scanner, or the next version of ours.
var keyShape = regexp.MustCompile(`\b(?:b10_|sky_)?[A-Za-z0-9]{8,12}\.[A-Za-z0-9]{32}\b`)

// placeholder is the value in Baseten's own documentation. Keys for tests are made
// at run time by internal/fakekey.
const placeholder = "abcdefgh.1234567890ABCDEFGHIJKL1234567890"

func TestNoKeyShapedLiteral(t *testing.T) {
	for _, name := range files(t) {
		if strings.HasPrefix(name, "testdata/demo/") || name == "go.sum" {
			continue
		}
		data := read(t, name)
		for _, at := range keyShape.FindAllIndex(data, -1) {
			shape := string(data[at[0]:at[1]])
			if strings.TrimPrefix(shape, "b10_") == placeholder || !mixed(shape) {
				continue
			}
			prefix, _, _ := strings.Cut(shape, ".")
			t.Errorf("%s:%d: a key-shaped literal (%s.****); make it at run time with internal/fakekey, or put it into testdata/demo",
				name, 1+bytes.Count(data[:at[0]], []byte("\n")), prefix)
		}
	}
}

// mixed reports whether the half after the dot has a digit, an upper-case and a
// lower-case letter: else it is an identifier, a digest or a word.
func mixed(shape string) bool {
	_, half, _ := strings.Cut(shape, ".")
	return strings.ContainsAny(half, "0123456789") && strings.ToLower(half) != half && strings.ToUpper(half) != half
}
