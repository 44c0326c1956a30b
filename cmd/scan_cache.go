package cmd

import "github.com/spf13/cobra"

// A cacheFolder is the one place on disk where a command may keep what saves work
// next time: nothing is kept without it.
type cacheFolder struct{ dir string }

func (f *cacheFolder) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "cache", "", "keep what saves work next time in this `FOLDER`; never a key")
	_ = c.MarkFlagDirname("cache")
}
