// Package cmd is the command line: arguments in, exit status out. One file a
// command. Nothing here decides what a key is or what is done with one; it reads
// flags, puts the rooms together and words what went wrong.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
)

// Env is the world that the program runs in. Tests make their own.
type Env struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Lookup         func(name string) (string, bool)
	Environ        func() []string
}

func (e Env) get(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// Main runs the program and returns its exit status. It never panics on bad input
// and never calls os.Exit.
func Main(ctx context.Context, env Env) int {
	ui := NewUI(env)
	root := NewRoot(env, ui)
	root.SetArgs(env.Args)
	at, err := root.ExecuteContextC(ctx)
	if err == nil {
		return ExitClean
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = refused(at, err)
	}
	if text := e.Error(); text != "" {
		ui.error(text, e.hints...)
	}
	return e.code
}

// NewRoot returns the command tree. The documentation is made from it too.
func NewRoot(env Env, ui *UI) *cobra.Command {
	t := tool()
	version := fmt.Sprintf("%s %s (%s %s/%s)\n", t.Name, t.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	root := &cobra.Command{
		Use:   "b10lint",
		Short: "Find, judge and revoke leaked Baseten API keys",
		Long: `b10lint finds Baseten API keys where they should not be, says whether they still
work and how stale they are, and takes them out of service.

No secret is ever printed: a key is shown by its prefix, the part before the dot,
which Baseten shows too.

Exit status: 0 nothing found and everything read, 1 findings, 2 bad command
line or config, 3 something could not be read, 4 failure, 130 interrupted.`,
		Example: `  b10lint scan                               # this folder
  b10lint scan -f text -f sarif=out.sarif .  # text on the screen and SARIF in a file
  kubectl get secrets -o yaml | b10lint scan -   # standard input
  b10lint rules explain leaked-key           # what a finding means`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.PersistentFlags().Var(&ui.colorFlag, "color", "colour the output (NO_COLOR is obeyed)")
	root.AddCommand(newScan(env, ui), newVerify(env, ui), newKeys(env, ui), newRevoke(env, ui), newRotate(env, ui), newReceipt(env), newIncident(env, ui), newAudit(env, ui),
		newTimeline(env, ui), newRules(env), newExplain(env), newBaseline(env, ui), newConvert(env, ui), newRedact(env), newHook(env, ui),
		newDoctor(env), newTrussIgnore(env), newAction(env, ui), &cobra.Command{
			Use:     "version",
			Short:   "Print the version",
			Example: "  b10lint version",
			Args:    cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := io.WriteString(env.Stdout, version)
				return err
			},
		})
	// Cobra's own completion command takes an unknown shell for a wish to read the help,
	// and exits with 0.
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"})
	completion.Example = "  b10lint completion bash"
	completion.Args, completion.RunE = cobra.NoArgs, root.RunE
	for _, shell := range completion.Commands() {
		shell.Example = "  b10lint completion " + shell.Name()
	}
	setHelp(root, env)
	root.Version = t.Version
	root.SetVersionTemplate(version)
	return root
}

// tool names the program in reports. The version is what the build recorded.
func tool() finding.Tool {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	return finding.Tool{Name: "b10lint", Version: version}
}
