package cmd_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/cmd"
)

// docs/exit-codes.md gives the codes of cmd/exit.go, in its words and its order.
func TestExitCodesAreDocumented(t *testing.T) {
	page := readFile(t, "../docs/exit-codes.md")
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			rows.WriteString("| " + v.Values[0].(*ast.BasicLit).Value + " | " + strings.TrimSpace(v.Comment.Text()) + " |\n")
		}
	}
	if rows.Len() == 0 || !strings.Contains(page, "|---|---|\n"+rows.String()+"\n") {
		t.Errorf("docs/exit-codes.md does not have this table:\n%s", rows.String())
	}
}

// tree returns the commands that users see.
func tree() (all []*cobra.Command) {
	env := cmd.Env{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Lookup: func(string) (string, bool) { return "", false }, Environ: func() []string { return nil },
	}
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		all = append(all, c)
		for _, child := range c.Commands() {
			add(child)
		}
	}
	add(cmd.NewRoot(env, cmd.NewUI(env)))
	return all
}

func TestEveryCommandHasExamples(t *testing.T) {
	for _, c := range tree() {
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, args := range calls(c.Example) {
			parses(t, c.CommandPath(), args)
		}
	}
}

// parses fails the test when a documented call has a command, flag or value that
// the program refuses.
func parses(t *testing.T, where string, args []string) {
	t.Helper()
	found, rest, err := tree()[0].Find(args)
	if err != nil {
		t.Errorf("%s: b10lint %s: %v", where, strings.Join(args, " "), err)
		return
	}
	found.InitDefaultHelpFlag()
	if err := found.ParseFlags(rest); err != nil {
		t.Errorf("%s: b10lint %s: %v", where, strings.Join(args, " "), err)
	} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		t.Errorf("%s: b10lint %s: %v", where, strings.Join(args, " "), err)
	}
}

// calls returns the arguments of each b10lint in a piece of shell, which quotes
// with ' at most. Variables set for one call, and redirections, are no arguments.
func calls(shell string) (all [][]string) {
	for _, line := range strings.Split(shell, "\n") {
		line, _, _ = strings.Cut(line+" ", " # ")
		var words []string
		for n, piece := range strings.Split(line, "'") {
			if n%2 == 1 { // within quotes
				words = append(words, piece)
				continue
			}
			words = append(words, strings.Fields(strings.NewReplacer("|", " | ", "&&", " | ").Replace(piece))...)
		}
		for _, part := range split(words, "|") {
			for len(part) > 1 && strings.Contains(part[0], "=") {
				part = part[1:]
			}
			if i := slices.IndexFunc(part, func(w string) bool { return w == "<" || w == ">" }); i >= 0 {
				part = part[:i]
			}
			if len(part) > 0 && part[0] == "b10lint" {
				all = append(all, part[1:])
			}
		}
	}
	return all
}

// split cuts a list at every separator.
func split(words []string, separator string) [][]string {
	parts := [][]string{nil}
	for _, w := range words {
		if w == separator {
			parts = append(parts, nil)
			continue
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], w)
	}
	return parts
}

// offline are the commands that can be run here, without --revoke: they ask nobody
// and change nothing. TestDocumentedCommandsRun runs the others.
var offline = map[string]bool{"scan": true, "rules": true, "version": true, "completion": true}

// Every command of the README's that is ours runs in a folder like a user's, and
// is neither refused nor incomplete.
func TestREADMECommands(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a POSIX shell")
	}
	work := t.TempDir()
	t.Setenv("HOME", work)
	if err := os.CopyFS(work, os.DirFS("../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(work, "testdata", "demo"), os.DirFS("../testdata/demo")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"src/app.py", "notebooks/run.ipynb"} {
		if err := os.MkdirAll(filepath.Join(work, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(work, name), []byte("{}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, line := range shellLines(readFile(t, "../README.md")) {
		line = strings.ReplaceAll(line, "go run ./cmd/b10lint", "b10lint")
		for _, args := range calls(line) {
			parses(t, "README.md", args)
			if len(args) > 0 && offline[args[0]] && !slices.Contains(args, "--revoke") {
				ran++
				runLine(t, work, line)
			}
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands of the README were run", ran)
	}
}

func runLine(t *testing.T, dir, line string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	err := c.Run()
	exit := (*exec.ExitError)(nil)
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != cmd.ExitFindings) {
		t.Errorf("%s: %v\n%s", line, err, stderr.String())
	}
	if strings.Contains(stderr.String(), "b10lint: error") || strings.Contains(stderr.String(), "b10lint: warning") {
		t.Errorf("%s says on standard error: %s", line, stderr.String())
	}
}

// shellLines returns the lines of the blocks marked as shell.
func shellLines(page string) (lines []string) {
	_, rest, found := strings.Cut(page, "```sh\n")
	for found {
		var block string
		block, rest, _ = strings.Cut(rest, "```")
		lines = append(lines, strings.Split(strings.TrimSpace(block), "\n")...)
		_, rest, found = strings.Cut(rest, "```sh\n")
	}
	return lines
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
