package cmd

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/rules"
)

// Catalogue returns every rule that a report of any command can name: those on
// what a scan sees, then those on the inventory.
func Catalogue() []finding.Rule { return append(rules.Catalogue(), audit.Rules()...) }

func newRules(env Env) *cobra.Command {
	all := Catalogue()
	var ids []string
	var rows [][]string
	for _, r := range all {
		ids = append(ids, r.ID)
		rows = append(rows, []string{r.ID, r.Severity.String(), r.Title})
	}
	c := &cobra.Command{
		Use:     "rules",
		Short:   "List the rules, or explain one",
		Example: "  b10lint rules\n  b10lint rules explain leaked-key",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return failed(table(env.Stdout, nil, rows)) },
	}
	c.AddCommand(&cobra.Command{
		Use:     "list",
		Short:   "List the rules with their severities",
		Example: "  b10lint rules list",
		Args:    cobra.NoArgs,
		RunE:    c.RunE,
	}, &cobra.Command{
		Use:               "explain RULE",
		Short:             "Say what a rule means and what to do",
		Example:           "  b10lint rules explain leaked-key",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(ids, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.Index(ids, args[0])
			if i < 0 {
				return unknownRule(args[0], ids)
			}
			r := all[i]
			_, err := fmt.Fprintf(env.Stdout, "%s (%s)\n%s\n\n%s\n\nWhat to do\n%s\n", r.ID, r.Severity, r.Title, wrap(r.Text, 80), wrap(r.Remedy, 80))
			return err
		},
	})
	return c
}
