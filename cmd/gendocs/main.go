// Command gendocs makes the documentation that repeats what the code says:
// docs/rules.md, docs/usage.md, the manual pages in docs/man, and the output shown
// in README.md. Run it at the root of the repository:
//
//	go run ./cmd/gendocs
//
// A test beside it fails when what lies there is not what it makes. It is a
// program of its own so that b10lint does not carry a manual writer.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/b10lint/b10lint/cmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func run() error {
	pages, err := generate()
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns every page by its path from the root of the repository, which
// must be the current folder.
func generate() (map[string][]byte, error) {
	pages := map[string][]byte{
		"docs/rules.md": rulesPage(),
		"docs/usage.md": usagePage(),
	}
	if err := manPages(pages, "docs/man"); err != nil {
		return nil, err
	}
	readme, err := readmePage("README.md")
	pages["README.md"] = readme
	return pages, err
}

// lookalikes is the section that is written by hand. A test in package rules
// compares its figures with the code's.
//
//go:embed lookalikes.md
var lookalikes []byte

// rulesPage lists the rules with all that is to say of them.
func rulesPage() []byte {
	var b bytes.Buffer
	b.WriteString("# Rules\n\n<!-- Made by cmd/gendocs from packages rules and audit; do not edit. -->\n\n")
	b.WriteString("IDs are stable and never used again for something else. `b10lint rules explain ID` prints\nthe same words.\n\n")
	b.WriteString("| rule | severity | what it reports |\n|---|---|---|\n")
	for _, r := range cmd.Catalogue() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title)
	}
	b.WriteString("\nThe severity is the rule's highest: a match of medium confidence is `medium` at most, one of low\nconfidence `low`, and so is a key in a git-ignored local file or in a place of the workstation where users\nare told to keep it.\n")
	for _, r := range cmd.Catalogue() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. Severity: %s.\n\n%s\n\n**What to do.** %s\n", r.ID, r.Title, r.Severity, r.Text, r.Remedy)
	}
	b.WriteString("\n")
	b.Write(lookalikes)
	return b.Bytes()
}

// env is a world without input, terminal or variables.
func env(stdout io.Writer, args ...string) cmd.Env {
	return cmd.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: io.Discard,
		Lookup:  func(string) (string, bool) { return "", false },
		Environ: func() []string { return nil },
	}
}

func commands() *cobra.Command {
	e := env(io.Discard)
	root := cmd.NewRoot(e, cmd.NewUI(e))
	root.DisableAutoGenTag = true
	return root
}

// usagePage is the help of every command on one page.
func usagePage() []byte {
	var b bytes.Buffer
	b.WriteString("# Usage\n\n<!-- Made by cmd/gendocs from the command line itself; do not edit. -->\n")
	each(commands(), func(c *cobra.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", c.CommandPath(), c.Short)
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", prose(c.Long))
		}
		if c.Runnable() {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", c.UseLine())
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n\n```sh\n%s\n```\n", strings.TrimSpace(strings.ReplaceAll("\n"+c.Example, "\n  ", "\n")))
		}
		fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(cmd.FlagHelp(c, 100, true)))
	})
	return b.Bytes()
}

// each visits the commands that users see, a parent before its children.
func each(c *cobra.Command, visit func(*cobra.Command)) {
	c.InitDefaultHelpFlag()
	visit(c)
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() && !child.IsAdditionalHelpTopicCommand() {
			each(child, visit)
		}
	}
}

// prose makes a block of its own of indented lines, which are commands.
func prose(text string) string {
	var out []string
	inBlock := false
	toggle := func() {
		// The blank lines before a change stay outside the block.
		n := len(out)
		for n > 0 && out[n-1] == "" {
			n--
		}
		if inBlock {
			out = slices.Insert(out, n, "```")
		} else {
			out = append(out, "```")
		}
		inBlock = !inBlock
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "  ")
		line = strings.TrimSpace(line)
		if line != "" && indented != inBlock {
			toggle()
		}
		out = append(out, line)
	}
	if inBlock {
		toggle()
	}
	return strings.Join(out, "\n")
}

// manDate is on the manual pages: a day that does not change from build to build.
var manDate = time.Date(2026, time.November, 21, 0, 0, 0, 0, time.UTC)

func manPages(pages map[string][]byte, dir string) error {
	var errs []error
	each(commands(), func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		var b bytes.Buffer
		header := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Source: "b10lint", Manual: "b10lint", Date: &manDate}
		errs = append(errs, doc.GenMan(c, header, &b))
		pages[path.Join(dir, name+".1")] = b.Bytes()
	})
	return errors.Join(errs...)
}

const (
	demoStart = "<!-- what follows is made by cmd/gendocs -->\n"
	demoEnd   = "<!-- until here -->\n"
)

// elapsed is the part of a summary that differs from run to run.
var elapsed = regexp.MustCompile(` in [0-9.]+(µs|ms|s)\.`)

// readmePage returns the README with the report on the demonstration files put
// in: the first finding and the summary.
func readmePage(name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	before, rest, ok := bytes.Cut(text, []byte(demoStart))
	_, after, ok2 := bytes.Cut(rest, []byte(demoEnd))
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s: the marks of the shown output are gone", name)
	}
	var report bytes.Buffer
	if code := cmd.Main(context.Background(), env(&report, "scan", "testdata/demo")); code != cmd.ExitFindings {
		return nil, fmt.Errorf("the scan of testdata/demo exits with %d", code)
	}
	parts := strings.Split(strings.TrimSpace(elapsed.ReplaceAllString(report.String(), ".")), "\n\n")
	shown := parts[0] + "\n\n…\n\n" + parts[len(parts)-1]
	return []byte(string(before) + demoStart + "```\n" + shown + "\n```\n" + demoEnd + string(after)), nil
}
