package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/english"
)

// keysList are the flags of keys list.
type keysList struct {
	api           api
	out           dataOutput
	types         []string
	owner, team   string
	unused, older duration
	legacy        bool
	unnamed       bool
}

func newKeysList(env Env, ui *UI) *cobra.Command {
	o := &keysList{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the API keys of the organisation",
		Long: `List shows the keys that were not revoked, as far as the key that it calls Baseten
with may see them: an organisation admin's personal key sees all keys. Values are never shown: Baseten
does not return them.

The first four columns are those of "baseten org api-key list"; owner, age, last
use, format and scope follow. A key that was never used says "never"; an empty
cell means that Baseten did not report it. Several filters must all hold.`,
		Example: `  b10lint keys list
  b10lint keys list --type personal --owner dev@example.com
  b10lint keys list --unused 90d -q '.keys[].prefix'
  b10lint keys list --legacy -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c, env, ui) },
	}
	o.out.registerDialect(c)
	f := c.Flags()
	f.StringArrayVar(&o.types, "type", nil, "only keys of this type; repeatable {"+strings.Join(append(typeWords(), "routes"), ",")+"}")
	f.StringVar(&o.owner, "owner", "", "only personal keys of this member: email address, name or id")
	f.StringVar(&o.team, "team", "", "only keys of this team: name or id")
	f.Var(&o.unused, "unused", "only keys not used for so long (90d, 12h), or never and made before that")
	f.Var(&o.older, "older", "only keys made so long ago, or before")
	f.BoolVar(&o.legacy, "legacy", false, "only keys in the legacy format, without b10_")
	f.BoolVar(&o.unnamed, "unnamed", false, "only keys without a name")
	_ = c.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(append(typeWords(), "routes"), cobra.ShellCompDirectiveNoFileComp))
	o.api.register(c)
	o.api.registerVerbose(c, env)
	return c
}

func (o *keysList) run(c *cobra.Command, env Env, ui *UI) error {
	if err := o.out.prepare(c, "output"); err != nil {
		return err
	}
	ctx := c.Context()
	account, err := o.api.open(env)
	if err != nil {
		return err
	}
	sources := []baseten.Source{baseten.SourceKeys}
	if o.unused.value > 0 { // a use that the list does not have may be in the others
		sources = append(sources, baseten.SourceUsage, baseten.SourceActions)
	}
	inventory, err := baseten.Gather(ctx, account.client, sources...)
	if state := inventory.Source(baseten.SourceKeys); state.Err != nil {
		err = state.Err
	}
	if err != nil {
		return apiFailed(ctx, "listing API keys", err)
	}
	keys := inventory.Keys
	for _, s := range inventory.Sources {
		if s.Err != nil {
			ui.warn(fmt.Sprintf("%s could not be read, so --unused goes by less: %v", s.Name, s.Err))
		}
	}
	uses, later := inventory.LastUses(keys), 0
	team := o.team
	if !slices.ContainsFunc(keys, func(k baseten.Key) bool { return k.TeamName == team }) && team != "" { // then it is an id
		t, err := resolveTeam(ctx, account.client, team)
		if err != nil {
			return err
		}
		team = t.Name
	}
	shown, undated := []listedKey{}, 0
	for _, k := range keys {
		wanted, known := o.wants(k, k.LastUsedAt, team, time.Now())
		if u := uses[k.Prefix]; wanted && known && u.Disagreement() != "" {
			if wanted, _ = o.wants(k, baseten.Time{Time: u.Until}, team, time.Now()); !wanted {
				later++
			}
		}
		switch {
		case !known:
			undated++
		case wanted:
			shown = append(shown, listedKey{Key: k})
		}
	}
	// Only the audit log knows that a key works in some environments alone. Who may not read
	// it sees the list as Baseten's own command shows it.
	if slices.ContainsFunc(shown, func(l listedKey) bool { return l.Type == baseten.WorkspaceInvoke }) && o.out.format.value != "none" {
		if err := inventory.Add(ctx, account.client, baseten.SourceKeyEvents); err != nil {
			return apiFailed(ctx, "reading the audit log", err)
		}
	}
	for i := range shown {
		shown[i].history = inventory.History[shown[i].Prefix]
	}
	if later > 0 {
		ui.warn(fmt.Sprintf("%d %s skipped: Model API usage or the audit log has a later use than the list",
			later, english.Plural(later, "key was", "keys were")))
	}
	if undated > 0 {
		ui.warn(fmt.Sprintf("%d %s skipped: Baseten returned no dates, which --unused and --older need",
			undated, english.Plural(undated, "key was", "keys were")))
	}
	if len(shown) == 0 && o.out.format.value == "text" {
		fmt.Fprintln(env.Stderr, "No API keys found.")
		return nil
	}
	return o.out.write(ctx, env.Stdout, map[string]any{"keys": shown}, func(w io.Writer) error {
		var rows [][]string
		for _, l := range shown {
			k := l.Key
			rows = append(rows, []string{k.Name, k.Prefix + "****", typeWord(k.Type), k.TeamName,
				k.OwnerName(), day(k.CreatedAt.Ptr()), lastUsed(k.LastUsedAt), string(k.Format()), scope(k, l.history)})
		}
		return table(w, []string{"NAME", "KEY", "TYPE", "TEAM", "OWNER", "CREATED", "LAST USED", "FORMAT", "SCOPE"}, rows)
	})
}

// wants reports whether all the filters let a key through. known is false when that
// hangs on a date that Baseten did not give.
func (o *keysList) wants(k baseten.Key, used baseten.Time, team string, now time.Time) (wanted, known bool) {
	mine := func(s string) bool { return strings.EqualFold(s, o.owner) }
	switch {
	case len(o.types) > 0 && !slices.ContainsFunc(o.types, func(t string) bool { return typeOf(t) == k.Type }),
		o.owner != "" && (k.Owner == nil || !mine(k.Owner.Email) && !mine(k.Owner.Name) && !mine(k.Owner.UserID)),
		team != "" && k.TeamName != team,
		o.legacy && k.Format() != finding.Legacy,
		o.unnamed && k.Name != "":
		return false, true
	}
	// One that was never used counts as unused from the day it was created.
	if used.Null() {
		used = k.CreatedAt
	}
	known = true
	for _, f := range []struct {
		least time.Duration
		since baseten.Time
	}{{o.older.value, k.CreatedAt}, {o.unused.value, used}} {
		switch {
		case f.least == 0:
		case f.since.IsZero():
			known = false
		case now.Sub(f.since.Time) < f.least:
			return false, true
		}
	}
	return true, known
}

// A listedKey is an entry in the words of Baseten's own list, with null for what
// is not set, and the format beside. Dates that Baseten did not give are
// omitted: a last_used_at of null means never.
type listedKey struct {
	baseten.Key
	history baseten.KeyHistory
}

func (l listedKey) MarshalJSON() ([]byte, error) {
	k := l.Key
	v := struct {
		Prefix     string          `json:"prefix"`
		Name       *string         `json:"name"`
		Type       baseten.KeyType `json:"type"`
		ModelIDs   []string        `json:"model_ids"`
		TeamName   *string         `json:"team_name"`
		Owner      *baseten.Owner  `json:"owner"`
		CreatedAt  *time.Time      `json:"created_at,omitempty"`
		LastUsedAt json.RawMessage `json:"last_used_at,omitempty"`
		Format     finding.Format  `json:"format,omitempty"`
		// InEnvironments is set where the audit log says that the key works in some alone.
		InEnvironments bool `json:"environment_scoped,omitempty"`
	}{k.Prefix, orNull(k.Name), k.Type, k.ModelIDs, orNull(k.TeamName), k.Owner, k.CreatedAt.Ptr(), nil, k.Format(), l.history.InEnvironments()}
	if k.LastUsedAt.Null() || !k.LastUsedAt.IsZero() {
		v.LastUsedAt, _ = k.LastUsedAt.MarshalJSON()
	}
	return json.Marshal(v)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
