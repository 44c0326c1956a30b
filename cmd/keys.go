package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
)

func newKeys(env Env, ui *UI) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "List, create and delete Baseten API keys",
		Long: `Keys does what "baseten org api-key" does, with the same flags, words and streams,
and says more: who owns a key, how old it is, when it was last used, what it may
do. So -o is a format here and -q a jq expression, as there; in all other commands -o
is a file and -q is quiet. See docs/keys.md.`,
		Example: `  b10lint keys list --unused 90d
  b10lint keys create --type workspace-invoke --name ci-2
  b10lint keys delete --name ci-1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newKeysList(env, ui), newKeysCreate(env), newKeysDelete(env))
	return c
}

// keyTypes are the types that a key can be made of, in the order of the words
// that Baseten's own command has for them. It lists others, too.
func keyTypes() []baseten.KeyType {
	return []baseten.KeyType{baseten.Personal, baseten.WorkspaceExportMetrics, baseten.WorkspaceInvoke,
		baseten.WorkspaceManageAll, baseten.WorkspaceManageAPIKeys}
}

// typeWord is how the command line spells a type. One that is not known stays as
// Baseten spells it.
func typeWord(t baseten.KeyType) string {
	if t != baseten.Routes && !slices.Contains(keyTypes(), t) {
		return string(t)
	}
	return strings.ReplaceAll(strings.ToLower(string(t)), "_", "-")
}

// typeOf is the type that a word of the command line stands for. Baseten's own
// spelling is taken, too, and the console's words.
func typeOf(word string) baseten.KeyType {
	if t, ok := consoleWords[strings.ToLower(word)]; ok {
		return t
	}
	return baseten.KeyType(strings.ReplaceAll(strings.ToUpper(word), "-", "_"))
}

// consoleWords are what Baseten's console calls types of team keys.
var consoleWords = map[string]baseten.KeyType{"full-access": baseten.WorkspaceManageAll, "inference": baseten.WorkspaceInvoke,
	"metrics": baseten.WorkspaceExportMetrics}

func typeWords() (words []string) {
	for _, t := range keyTypes() {
		words = append(words, typeWord(t))
	}
	return words
}

// scope says what the type of a key leaves open. history is what the audit log says of it.
func scope(k baseten.Key, history baseten.KeyHistory) string {
	models := ""
	if len(k.ModelIDs) > 0 {
		models = ", models " + strings.Join(k.ModelIDs, " ")
	}
	switch {
	case history.InEnvironments():
		return "some environments" + models
	case len(k.ModelIDs) > 0:
		return "models " + strings.Join(k.ModelIDs, " ")
	case k.Type == baseten.WorkspaceInvoke || k.Type == baseten.WorkspaceExportMetrics:
		return "all models" // or none: the list shows both alike
	}
	return ""
}

// maxPrefix is longer than any public prefix known, which is 16 characters, and
// shorter than any secret half, which is 32.
const maxPrefix = 24

// prefixArguments reads prefixes from the command line, also as lists show them. The
// error never repeats an argument, which may be a key.
func prefixArguments(args ...string) (prefixes []string, err error) {
	for _, arg := range args {
		prefix, ok := prefixOf(arg)
		switch {
		case ok:
			prefixes = append(prefixes, prefix)
		case len(prefix) > maxPrefix || strings.Contains(prefix, "."):
			return nil, usage("pass the part before the dot, or the key on standard input; and if that was a key, others may have seen it: revoke it",
				"an argument is more than a prefix: a whole key must not be on the command line, where the list of processes and the shell's history show it")
		default:
			return nil, usage("a prefix is the part of a key before the dot, like b10_ and 8 letters and digits",
				"an argument is not the prefix of a key")
		}
	}
	return prefixes, nil
}

// prefixOf reads a prefix, also as lists show it: with a dot and stars.
func prefixOf(s string) (prefix string, ok bool) {
	prefix = strings.TrimSuffix(strings.TrimSuffix(s, "****"), ".")
	return prefix, isPrefix(prefix)
}

// isPrefix reports whether s can be the public part of a key.
func isPrefix(s string) bool {
	return s != "" && len(s) <= maxPrefix && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
	})
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func lastUsed(t baseten.Time) string {
	if t.Null() {
		return "never"
	}
	return day(t.Ptr())
}

// resolveTeam finds the id of a team by its id or its name. An id wins, so that
// it always can be given.
func resolveTeam(ctx context.Context, client *baseten.Client, team string) (baseten.Team, error) {
	teams, err := client.Teams(ctx, "")
	if err != nil {
		return baseten.Team{}, apiFailed(ctx, "listing teams", err)
	}
	var found []baseten.Team
	for _, t := range teams {
		if t.ID == team {
			return t, nil
		}
		if t.Name == team {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return baseten.Team{}, usage("--team takes a team's name or its id", "no team matched %q", team)
	}
	return baseten.Team{}, usage("the console shows the ids", "multiple teams named %q; pass the team ID instead", team)
}

// apiFailed words a call that failed: what was being done, what Baseten said, and
// what that means.
func apiFailed(ctx context.Context, doing string, err error) error {
	e := &exitError{code: ExitFailed, err: fmt.Errorf("%s: %w", doing, err)}
	if ctx.Err() != nil {
		return &exitError{code: ExitInterrupted, err: fmt.Errorf("interrupted: %s", doing)}
	}
	e.hints = append(e.hints, baseten.Explain(err))
	return e
}
