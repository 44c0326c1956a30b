package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/config"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
)

// The verdicts of a check.
const (
	checkOK      = "ok"
	checkWarning = "warning"
	checkFailed  = "FAILED"
	checkSkipped = "skipped"
)

// A check is one line of doctor.
type check struct{ verdict, name, text, hint string }

func newDoctor(env Env, ui *UI) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Prove that the gates work: plant a made key and see it stopped",
		Long: `Doctor makes an empty repository in a temporary folder, with the hooks and settings
of this one, and tries to commit and push a key that it made up: a gate that lets it
through is broken, whatever its configuration says. Nothing is left behind, and
nothing comes into this repository.

Then it looks at who may read ~/.trussrc, whether a credential for Baseten is at
hand, whether the clone is deep enough for its history to be scanned, and whether
the workflows of GitHub Actions fetch that history. It asks nobody on the network.

The exit status is 1 if a gate that is there does not hold, else 0.`,
		Example: "  b10lint doctor",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d := &doctor{env: env}
			if err := d.run(); err != nil {
				return err
			}
			return d.print(ui)
		},
	}
}

type doctor struct {
	env    Env
	root   string // of the work tree; empty outside of one
	checks []check
}

func (d *doctor) add(verdict, name, text, hint string) {
	d.checks = append(d.checks, check{verdict, name, text, hint})
}

func (d *doctor) run() error {
	root, err := git{env: d.env, dir: "."}.run("rev-parse", "--show-toplevel")
	if err == nil {
		_, err = os.Lstat(filepath.Join(root, ".git")) // an old git takes a folder that only looks like a repository
	}
	if err != nil {
		d.add(checkSkipped, "repository", "this is no work tree: "+err.Error(), "run it in the repository to look at its gates")
	} else {
		d.root = root
		if err := d.gates(); err != nil {
			return err
		}
		d.settings()
		d.depth()
		d.workflows()
	}
	d.trussrc()
	d.credential()
	return nil
}

func (d *doctor) print(ui *UI) error {
	broken := 0
	for _, c := range d.checks {
		if c.verdict == checkFailed {
			broken++
		}
		if _, err := fmt.Fprintf(d.env.Stdout, "%-8s %s: %s\n", c.verdict, c.name, report.Visible(c.text)); err != nil {
			return failed(err)
		}
		if c.hint != "" {
			fmt.Fprintf(d.env.Stdout, "%-8s   %s\n", "", report.Visible(c.hint))
		}
	}
	if broken > 0 {
		return silent(ExitFindings)
	}
	return nil
}

// settings checks that the settings are understood.
func (d *doctor) settings() {
	_, err := config.Load(filepath.Join(d.root, config.Name))
	var at *config.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add(checkOK, config.Name, "not there; every default holds", "")
	case errors.As(err, &at):
		d.add(checkFailed, config.Name, at.Error(), at.Hint)
	case err != nil:
		d.add(checkFailed, config.Name, err.Error(), "")
	default:
		d.add(checkOK, config.Name, "understood", "")
	}
}

// depth checks that the history is there to be scanned.
func (d *doctor) depth() {
	shallow, err := git{env: d.env, dir: d.root}.run("rev-parse", "--is-shallow-repository")
	switch {
	case err != nil:
		d.add(checkWarning, "history", err.Error(), "")
	case shallow == "true":
		d.add(checkWarning, "history", "this is a shallow clone: older commits are not there to be scanned", "git fetch --unshallow; in GitHub Actions: fetch-depth: 0")
	default:
		d.add(checkOK, "history", "the whole of it is there", "")
	}
}

// workflows looks for workflows that run b10lint on a checkout without history.
func (d *doctor) workflows() {
	names, _ := filepath.Glob(filepath.Join(d.root, ".github", "workflows", "*.y*ml"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(data), "b10lint") {
			continue
		}
		rel := ".github/workflows/" + filepath.Base(name)
		if strings.Contains(string(data), "actions/checkout") && !strings.Contains(string(data), "fetch-depth: 0") {
			d.add(checkWarning, rel, "checks out one commit, so b10lint cannot see the history", "add to actions/checkout: with: fetch-depth: 0")
			continue
		}
		d.add(checkOK, rel, "fetches the history", "")
	}
}

// trussrc checks who may read the keys of the truss command.
func (d *doctor) trussrc() {
	name := d.env.trussrc()
	if name == "" {
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		d.add(checkOK, name, "not there", "")
		return
	}
	if who := rules.Readers(uint32(info.Mode().Perm())); who != "" && filepath.Separator == '/' {
		d.add(checkWarning, name, fmt.Sprintf("%s can read the keys in it (mode %04o)", who, info.Mode().Perm()), "chmod 600 "+name)
		return
	}
	d.add(checkOK, name, "only its owner can read it", "")
}

// credential says whether verification and revocation could ask Baseten.
func (d *doctor) credential() {
	for _, name := range []string{"BASETEN_API_KEY", "BASETEN_PROFILE"} {
		if d.env.get(name) != "" {
			d.add(checkOK, "credential", "from "+name+"; not tried", "b10lint keys list tries it")
			return
		}
	}
	d.add(checkWarning, "credential", "none in BASETEN_API_KEY: keys can be found, but neither verified nor revoked", "set BASETEN_API_KEY to a key that may manage keys, where you need it")
}
