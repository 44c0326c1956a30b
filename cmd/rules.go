package cmd

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newRules(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:     "rules",
		Short:   "List the rules, or explain one",
		Example: "  b10lint rules\n  b10lint rules explain leaked-key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
			for _, r := range Catalogue() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Severity, r.Title)
			}
			return w.Flush()
		},
	}
	c.AddCommand(&cobra.Command{
		Use:     "list",
		Short:   "List the rules with their severities",
		Example: "  b10lint rules list",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return c.RunE(c, nil) },
	}, newExplain(env))
	return c
}

func newExplain(env Env) *cobra.Command {
	return &cobra.Command{
		Use:     "explain RULE",
		Short:   "Say what a rule means and what to do",
		Example: "  b10lint rules explain leaked-key",
		Args:    cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			r, ok := lookUpRule(args[0])
			if !ok {
				return usage("the rules are: "+strings.Join(ruleIDs(), ", "), "no rule %q", args[0])
			}
			_, err := fmt.Fprintf(env.Stdout, "%s (%s)\n%s\n\n%s\n\nWhat to do\n%s\n", r.ID, r.Severity, r.Title, wrap(r.Text, 80), wrap(r.Remedy, 80))
			return err
		},
	}
}

func ruleIDs() (ids []string) {
	for _, r := range Catalogue() {
		ids = append(ids, r.ID)
	}
	return ids
}

// wrap breaks each paragraph of text into lines of at most width bytes, where
// words allow.
func wrap(text string, width int) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("\n\n")
		}
		column := 0
		for _, word := range strings.Fields(paragraph) {
			switch {
			case column == 0:
			case column+1+len(word) > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += len(word)
		}
	}
	return b.String()
}
