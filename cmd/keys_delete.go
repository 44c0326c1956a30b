package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/report"
)

// keysDelete are the flags of keys delete.
type keysDelete struct {
	api          api
	out          dataOutput
	name, prefix string
	yes          bool
}

func newKeysDelete(env Env) *cobra.Command {
	o := &keysDelete{}
	c := &cobra.Command{
		Use:   "delete",
		Short: "Delete an API key",
		Long: `Delete revokes one key, named by exactly one of --name and --prefix. It cannot be
undone. On a terminal it shows the key and asks; elsewhere it needs --yes.`,
		Example: `  b10lint keys delete --name ci
  b10lint keys delete --prefix abcdefgh --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c, env) },
	}
	o.out.registerDialect(c)
	f := c.Flags()
	f.StringVar(&o.name, "name", "", "name of the key to delete")
	f.StringVar(&o.prefix, "prefix", "", "prefix of the key to delete, as the list shows it: what comes before the dot")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	c.MarkFlagsMutuallyExclusive("name", "prefix")
	c.MarkFlagsOneRequired("name", "prefix")
	o.api.register(c)
	o.api.registerVerbose(c, env)
	return c
}

// run refuses what cannot work before anything is sent.
func (o *keysDelete) run(c *cobra.Command, env Env) error {
	if err := o.out.prepare(c, "output"); err != nil {
		return err
	}
	if c.Flags().Changed("prefix") {
		prefixes, err := prefixArguments(o.prefix)
		if err != nil {
			return err
		}
		o.prefix = prefixes[0]
	} else if o.name == "" {
		return usage("a key without a name is deleted by --prefix", "--name is empty")
	}
	if !o.yes && !env.canAsk(o.api.keyStdin) {
		return usage("pass --yes to delete without being asked",
			"standard input is not a terminal, so there is no one to ask whether to delete the key")
	}
	ctx := c.Context()
	account, err := o.api.open(env)
	if err != nil {
		return err
	}
	k := baseten.Key{Prefix: o.prefix}
	if o.name != "" || !o.yes {
		if k, err = o.find(ctx, account.client); err != nil {
			return err
		}
	}
	if !o.yes {
		words := []string{"API key " + k.Prefix + "****"}
		for _, w := range [][2]string{{"named", k.Name}, {"", typeWord(k.Type)}, {"team", k.TeamName}, {"of", k.OwnerName()},
			{"", scope(k, baseten.KeyHistory{})}, {"created", day(k.CreatedAt.Ptr())}, {"last used", lastUsed(k.LastUsedAt)}} {
			if w[1] != "" {
				words = append(words, strings.TrimSpace(w[0]+" "+w[1]))
			}
		}
		fmt.Fprintln(env.Stderr, report.Visible(strings.Join(words, ", ")))
		if account.credential.Key.Prefix() == k.Prefix {
			fmt.Fprintln(env.Stderr, "This is the key that Baseten is being called with.")
		}
		answer, err := env.ask(ctx, "Delete it? It cannot be undone. [y/N] ", "the key was not deleted")
		if err != nil {
			return err
		}
		if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
			return usage("answer y to delete it", "the key was not deleted")
		}
	}
	err = account.client.DeleteKey(ctx, k.Prefix)
	switch {
	case baseten.IsNotFound(err):
		return noSuchKey("with the prefix", k.Prefix)
	case err != nil:
		return apiFailed(ctx, "deleting API key", err)
	}
	fmt.Fprintf(env.Stderr, "Deleted API key %s\n", k.Prefix)
	return o.out.write(ctx, env.Stdout, map[string]string{"prefix": k.Prefix}, func(io.Writer) error { return nil })
}

// find looks the key up in the list. A name that several keys have names none.
func (o *keysDelete) find(ctx context.Context, client *baseten.Client) (baseten.Key, error) {
	keys, err := client.Keys(ctx)
	if err != nil {
		return baseten.Key{}, apiFailed(ctx, "listing API keys", err)
	}
	var found []baseten.Key
	for _, k := range keys {
		if o.prefix != "" && k.Prefix == o.prefix || o.name != "" && k.Name == o.name {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var prefixes []string
		for _, k := range found {
			prefixes = append(prefixes, report.Visible(k.Prefix))
		}
		return baseten.Key{}, usage("they are "+strings.Join(prefixes, ", "),
			"multiple API keys named %q; pass --prefix instead", o.name)
	case o.prefix != "":
		return baseten.Key{}, noSuchKey("with the prefix", o.prefix)
	}
	return baseten.Key{}, noSuchKey("named", o.name)
}

// noSuchKey is the error for a key that is not there, or that the caller may not
// see: Baseten does not say which.
func noSuchKey(how, what string) error {
	return usage("see b10lint keys list; a key that was revoked, or that you may not see, is not in it",
		"no API key %s %q", how, what)
}
