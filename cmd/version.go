package cmd

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersion(env Env) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  b10lint version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(env.Stdout, versionLine())
			return err
		},
	}
}

func versionLine() string {
	t := tool()
	return fmt.Sprintf("%s %s (%s %s/%s)", t.Name, t.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
