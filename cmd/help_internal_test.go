package cmd

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every flag is in the help of its command, in words, and within the terminal; what --help
// leaves out it names, and --help-all has.
func TestHelpFitsTheTerminal(t *testing.T) {
	env := Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Lookup: func(string) (string, bool) { return "", false }, Environ: func() []string { return nil }}
	leaked := regexp.MustCompile(`\b(string|stringArray|int|duration)\b *($|  )|\[="`)
	seen := 0
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, columns := range []int{40, 80, 100} {
			all := FlagHelp(c, columns, true)
			for line := range strings.Lines(all) {
				if n := len(strings.TrimRight(line, "\n")); n > columns && len(strings.Fields(line)) > 2 {
					t.Errorf("%s, %d columns: a line of %d: %s", c.CommandPath(), columns, n, line)
				}
			}
			if leaked.MatchString(all) {
				t.Errorf("%s: the name of a Go type is shown: %q", c.CommandPath(), leaked.FindString(all))
			}
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				seen++
				if !f.Hidden && f.Name != "help-all" && !strings.Contains(all, "--"+f.Name) {
					t.Errorf("%s --help-all does not have --%s", c.CommandPath(), f.Name)
				}
			})
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	root := NewRoot(env, NewUI(env))
	visit(root)
	if seen < 500 {
		t.Errorf("only %d flags were seen", seen)
	}
	scan, _, _ := root.Find([]string{"scan"})
	scan.Flags().VisitAll(func(f *pflag.Flag) {
		in := func(g helpGroup) bool { return slices.Contains(g.names, f.Name) }
		if !f.Hidden && !strings.HasPrefix(f.Name, "help") && !slices.ContainsFunc(flagGroups, in) {
			t.Errorf("scan --%s is in no group of help.go", f.Name)
		}
	})
	short := strings.Count(FlagHelp(scan, 80, false), "\n      --") + strings.Count(FlagHelp(scan, 80, false), "\n  -")
	if short > 30 {
		t.Errorf("scan --help shows %d flags", short)
	}
}
