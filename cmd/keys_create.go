package cmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
)

// keysCreate are the flags of keys create.
type keysCreate struct {
	api      api
	out      dataOutput
	kind     choice
	name     string
	modelIDs []string
	team     string
}

func newKeysCreate(env Env) *cobra.Command {
	o := &keysCreate{kind: choice{"", append(typeWords(), "full-access", "inference", "metrics")}}
	o.out.secret = true
	c := &cobra.Command{
		Use:   "create",
		Short: "Create an API key",
		Long: `Create creates a key and prints its value on standard output, once: Baseten does not
show it again. Everything else goes to standard error, so a pipe gets the value
alone.

The request is sent once and never repeated. If no answer comes, the key may exist
nevertheless; the message then says how to find it.`,
		Example: `  b10lint keys create --type personal --name laptop
  b10lint keys create --type workspace-invoke --name ci --model-id abcd1234 --team research
  b10lint keys create --type workspace-manage-all --name deploy -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c, env) },
	}
	o.out.registerDialect(c)
	f := c.Flags()
	o.kind.register(c, "type", "", "what the key may do; the last three are the console's words")
	f.StringVar(&o.name, "name", "", "name of the key: lower-case letters, digits and hyphens")
	f.StringArrayVar(&o.modelIDs, "model-id", nil, "restrict the key to this model; repeatable; for workspace-export-metrics and workspace-invoke")
	f.StringVar(&o.team, "team", "", "team to create the key in, name or id (default: the organisation's default team)")
	_ = c.MarkFlagRequired("type")
	o.api.register(c)
	o.api.registerVerbose(c, env)
	return c
}

// run refuses what cannot work before anything is sent. When the key exists, an answer
// that cannot be written says how to get rid of it.
func (o *keysCreate) run(c *cobra.Command, env Env) error {
	if err := o.out.prepare(c, "output"); err != nil {
		return err
	}
	ctx, k := c.Context(), baseten.NewKey{Type: typeOf(o.kind.value), Name: o.name, ModelIDs: o.modelIDs}
	switch {
	case len(k.ModelIDs) > 0 && k.Type != baseten.WorkspaceExportMetrics && k.Type != baseten.WorkspaceInvoke:
		return usage("leave out --model-id, or choose one of these types",
			"--model-id is only valid with --type workspace-export-metrics or workspace-invoke")
	case o.out.format.value == "none":
		return usage("the value is shown this once", "--output none would lose the key")
	}
	account, err := o.api.open(env)
	if err != nil {
		return err
	}
	if o.team != "" {
		team, err := resolveTeam(ctx, account.client, o.team)
		if err != nil {
			return err
		}
		k.TeamID = team.ID
	}
	started := time.Now()
	made, err := account.client.CreateKey(ctx, k)
	if err != nil {
		return o.notMade(ctx, err, started)
	}
	if o.out.format.value == "text" {
		fmt.Fprintln(env.Stderr, "Save this key now. It will not be shown again.")
	}
	answer := map[string]string{"api_key": made.Reveal()}
	err = o.out.write(ctx, env.Stdout, answer, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, answer["api_key"])
		return err
	})
	if err != nil {
		return failed(fmt.Errorf("the key %s was created, and its value is lost: %w", made, err),
			"delete it: b10lint keys delete --prefix "+made.Prefix())
	}
	return nil
}

// notMade words a create that failed. Only Baseten's own refusal says that there
// is not a new key.
func (o *keysCreate) notMade(ctx context.Context, err error, started time.Time) error {
	e := apiFailed(ctx, "creating API key", err).(*exitError)
	if baseten.Refused(err) {
		if baseten.IsForbidden(err) { // who may, by the page of Baseten's Terraform provider
			right := "a " + o.kind.value + " key is made with "
			switch typeOf(o.kind.value) {
			case baseten.Personal:
				right += "another personal key of the same member"
			case baseten.WorkspaceManageAPIKeys:
				right += "the personal key of an organisation admin"
			default:
				right += "the personal key of an admin of the team or organisation, or a workspace key that manages API keys"
			}
			e.hints = append(e.hints, right)
		}
		return e
	}
	look := "look for its name: b10lint keys list -q '.keys[] | select(.name == \"" + o.name + "\")'"
	if o.name == "" {
		look = fmt.Sprintf("it has no name; look for a %s key made after %s: b10lint keys list --unnamed --type %s",
			o.kind.value, started.UTC().Format("15:04 MST"), o.kind.value)
	}
	e.hints = append(e.hints, "the key may exist nevertheless, and the request was not repeated; "+look,
		"if it is there, delete it before you try again: its value is lost")
	return e
}
