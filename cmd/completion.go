package cmd

import "github.com/spf13/cobra"

// addCompletion adds cobra's own command, which by itself takes a shell that it
// does not know for a wish to read the help, and exits with 0.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Example = "  b10lint completion bash"
		c.Args = cobra.NoArgs
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		for _, shell := range c.Commands() {
			shell.Example = "  b10lint completion " + shell.Name()
		}
	}
}
