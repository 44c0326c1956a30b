package cmd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A helpGroup is flags, or commands, that a help lists below one title.
type helpGroup struct {
	title string
	names []string
	// more are the commands whose --help leaves the group to --help-all.
	more []string
}

// flagGroups are the groups of the flags of all commands, in the order in which they are
// shown. A flag that is in none is the command's own, and is listed before the others.
var flagGroups = []helpGroup{
	{"What to scan", strings.Fields("staged range since commit history-only no-history include exclude home truss list"), nil},
	{"What counts", strings.Fields(`fail-on fail-on-new min-confidence on-problem shallow-ok
		baseline config config-from no-config`), nil},
	{"Which keys", strings.Fields(`from keys name unused never-used old dormant recent few-models without
		scan scan-report type team owner rule older legacy unnamed`), nil},
	{"The new key", strings.Fields("downgrade model-id assume-unscoped grace until-idle no-probe overwrite"), nil},
	{"Where the new key goes", strings.Fields(`everywhere skip to-trussrc to-dotenv variable to-file template
		to-github to-gitlab repo to-kubectl to-kubernetes secret secret-key namespace to-stdout exec`), nil},
	{"Verification", []string{"verify", "by"}, []string{"scan"}},
	{"Revocation", strings.Fields(`revoke apply resume dry-run yes plan receipt journal max include-self force-active
		by-prefix children verify-dead`), []string{"scan"}},
	{"Output", strings.Fields("format output jq quiet verbose color"), nil},
	{"Access to Baseten", strings.Fields("api-key-file api-key-stdin profile remote remote-url ca-file"),
		[]string{"scan", "revoke", "rotate", "audit"}},
	{"Archives and pictures", strings.Fields(`no-archives archive-depth archive-members archive-bytes
		archive-member-bytes archive-memory archive-ratio ocr ocr-images ocr-timeout`), []string{"scan"}},
	{"Speed", []string{"jobs", "cache", "state"}, []string{"scan"}},
	{"Hooks and rare cases", strings.Fields(`commit-msg pre-push pre-receive all-refs truss-config fix
		no-inline rewrite-script`), []string{"scan"}},
}

// commandGroups are the groups of the commands. One that is in none is in the last.
var commandGroups = []helpGroup{
	{title: "Find keys", names: strings.Fields("scan explain redact truss-ignore")},
	{title: "Keep keys out", names: strings.Fields("hook doctor baseline action")},
	{title: "Keys at Baseten", names: strings.Fields("verify keys audit timeline rotate revoke incident receipt")},
	{title: "Reports and rules", names: strings.Fields("convert rules")},
	{title: "Other commands"},
}

const (
	helpWidth = 80 // of a terminal whose width is unknown
	helpMost  = 100
	helpLeast = 40
	// helpColumn is where the second column begins; a longer name has a line of its own.
	helpColumn = 28
)

// helpAll is the flag --help-all: the help with every group of flags.
type helpAll struct{ asked bool }

func (h *helpAll) String() string   { return "" }
func (h *helpAll) Type() string     { return "bool" }
func (h *helpAll) IsBoolFlag() bool { return true }

// Set makes cobra show the help before it looks at the arguments, as for --help.
func (h *helpAll) Set(string) error {
	h.asked = true
	return pflag.ErrHelp
}

// setHelp gives root and all commands below it their help.
func setHelp(root *cobra.Command, env Env) {
	all := &helpAll{}
	root.PersistentFlags().Var(all, "help-all", "help with every flag")
	root.PersistentFlags().Lookup("help-all").NoOptDefVal = "true"
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		columns := cmp.Or(width(env.Stdout), helpWidth)
		_, _ = io.WriteString(c.OutOrStdout(), helpText(c, max(helpLeast, min(columns, helpMost)), all.asked))
	})
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 { // cobra's own help command takes this for success
				hint := ""
				if len(rest) > 0 {
					hint = didYouMean(rest[0], "", commandNames(c))
				}
				return usage(hint+"run '"+root.Name()+" --help' for the commands", "there is no command %q", strings.Join(args, " "))
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	})
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if errors.Is(err, pflag.ErrHelp) {
			return pflag.ErrHelp // of --help-all: cobra shows the help
		}
		return refusedFlag(c, err)
	})
}

// helpText is the help of a command, with lines of at most columns.
func helpText(c *cobra.Command, columns int, all bool) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\nUsage:\n", paragraphs(cmp.Or(c.Long, c.Short+"."), columns))
	if c.Runnable() && c.HasParent() || !c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s\n", c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND\n", c.CommandPath())
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		b.WriteString(commandHelp(c, columns))
	}
	b.WriteString(FlagHelp(c, columns, all))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nHelp on one: %s COMMAND --help\n", c.CommandPath())
	}
	return b.String()
}

// commandHelp lists the commands below c.
func commandHelp(c *cobra.Command, columns int) string {
	var b bytes.Buffer
	groups := commandGroups
	if c.HasParent() {
		groups = []helpGroup{{title: "Commands"}}
	}
	listed := map[string]bool{}
	for i, g := range groups {
		var rows []string
		subs := slices.Clone(c.Commands())
		slices.SortStableFunc(subs, func(x, y *cobra.Command) int {
			return slices.Index(g.names, x.Name()) - slices.Index(g.names, y.Name())
		})
		for _, sub := range subs {
			mine := slices.Contains(g.names, sub.Name()) || i == len(groups)-1 && !listed[sub.Name()]
			if mine && (sub.IsAvailableCommand() || sub.Name() == "help") {
				listed[sub.Name()] = true
				rows = append(rows, helpRow("  "+sub.Name(), sub.Short, 16, columns))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "\n%s:\n%s", g.title, strings.Join(rows, ""))
		}
	}
	return b.String()
}

// FlagHelp lists the flags of a command by their groups, with lines of at most columns.
// Without all, the groups that the command's --help leaves out are named instead.
func FlagHelp(c *cobra.Command, columns int, all bool) string {
	var b bytes.Buffer
	flags := map[string]*pflag.Flag{}
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = f })
	c.InheritedFlags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = f })
	delete(flags, "help")
	delete(flags, "help-all")
	var own []string
	for name, f := range flags {
		if !f.Hidden && !slices.ContainsFunc(flagGroups, func(g helpGroup) bool { return slices.Contains(g.names, name) }) {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	var left []string
	for _, g := range append([]helpGroup{{title: "Flags", names: own}}, flagGroups...) {
		var rows []string
		for _, name := range g.names {
			if f := flags[name]; f != nil && !f.Hidden {
				rows = append(rows, helpRow(flagName(f), flagUsage(f), helpColumn, columns))
			}
		}
		switch {
		case len(rows) == 0:
		case !all && slices.Contains(g.more, c.Name()):
			left = append(left, strings.ToLower(g.title[:1])+g.title[1:])
		default:
			fmt.Fprintf(&b, "\n%s:\n%s", g.title, strings.Join(rows, ""))
		}
	}
	b.WriteString("\n")
	b.WriteString(helpRow("  -h, --help", "this help", helpColumn, columns))
	if len(left) > 0 {
		b.WriteString(helpRow("      --help-all", "also the flags for "+strings.Join(left, ", "), helpColumn, columns))
	}
	return b.String()
}

// flagsWithMore reports whether the command has flags that only --help-all lists.
func flagsWithMore(c *cobra.Command) bool {
	return slices.ContainsFunc(flagGroups, func(g helpGroup) bool { return slices.Contains(g.more, c.Name()) })
}

// flagName is a flag as it is typed, with a word for its value.
func flagName(f *pflag.Flag) string {
	name := "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	word, _ := pflag.UnquoteUsage(f)
	if replaced, ok := map[string]string{"string": "TEXT", "strings": "TEXT", "stringArray": "TEXT", "int": "N", "duration": "DURATION"}[word]; ok {
		word = replaced
	}
	switch {
	case word == "" || f.Value.Type() == "bool":
		return name
	case f.NoOptDefVal != "":
		return name + "[=" + word + "]"
	}
	return name + " " + word
}

// flagUsage is what a flag does, and its default where it has one that says something.
func flagUsage(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	if d := f.DefValue; !slices.Contains([]string{"", "0", "false", "true", "[]"}, d) && !strings.Contains(text, "(default") {
		text += " (default " + d + ")"
	}
	return text
}

// helpRow is a name and beside it, from a column on, what there is to say of it.
func helpRow(name, text string, column, columns int) string {
	lines := strings.Split(wrap(text, columns-column), "\n")
	if len(name)+2 > column {
		lines = append([]string{""}, lines...)
	}
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			name = ""
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", column, name, line), " "))
		b.WriteString("\n")
	}
	return b.String()
}

// paragraphs wraps text to columns; lines that are indented stay as they are.
func paragraphs(text string, columns int) string {
	parts := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range parts {
		if !strings.HasPrefix(p, " ") && !strings.Contains(p, "\n ") {
			parts[i] = wrap(p, columns)
		}
	}
	return strings.Join(parts, "\n\n")
}

// wrap breaks each paragraph of text into lines of at most columns, where words allow.
func wrap(text string, columns int) string {
	parts := strings.Split(text, "\n\n")
	for i, p := range parts {
		var lines []string
		line, used := "", 0
		for _, word := range strings.Fields(p) {
			n := utf8.RuneCountInString(word)
			switch {
			case line == "":
				line, used = word, n
			case used+1+n > columns:
				lines = append(lines, line)
				line, used = word, n
			default:
				line, used = line+" "+word, used+1+n
			}
		}
		parts[i] = strings.Join(append(lines, line), "\n")
	}
	return strings.Join(parts, "\n\n")
}
