package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

// incidentOptions are the flags of incident.
type incidentOptions struct {
	revocation revocationFlags
	api        api
	folder     string
	resume     string
	drill      bool
	noRotate   bool
	everywhere bool
}

func newIncident(env Env, ui *UI) *cobra.Command {
	o := &incidentOptions{}
	c := &cobra.Command{
		Use:   "incident [TARGET...]",
		Short: "Work through a leak from the first find to the last file",
		Long: `Incident is one command for the worst day. It goes through these steps and keeps what
each comes to in one folder:

  find      scan the targets and prove each found key by asking Baseten with it
  plan      what would be revoked, the keys that a leaked key created among it
  question  the number of keys is asked for; nothing was changed until here
  rotate    where a file of NAME=VALUE lines that git does not see, or ~/.trussrc, holds a
            leaked key too, a successor is put in its place before the key goes
  revoke    the other keys, and those whose rotation failed
  timeline  of each key, as HTML and JSON
  to do     TODO.md: what is left to be done by hand

The folder holds report, plan, journals, receipt, timelines and TODO.md, no secret
half, and is for its owner alone. Every step can be left at any moment, with Ctrl-C or a
closed laptop, and taken up again: --resume FOLDER.

--drill practises it: the same steps with a made-up leak, against a stand-in for Baseten
inside b10lint that holds the names of your own keys, which are read once, or a sample
without a credential. Nothing real is changed or asked again, and every line says DRILL.

Exit status: 0 if every found key is revoked and everything could be read, 3 if
something is left, which TODO.md names, 2 if it was not confirmed.`,
		Example: `  b10lint incident
  b10lint incident --drill
  b10lint incident --folder ../leak-4711 . ../deploy-scripts
  b10lint incident --yes --children --folder ../leak-4711
  b10lint incident --resume ../leak-4711`,
		RunE: func(c *cobra.Command, args []string) error { return o.run(c.Context(), env, ui, args) },
	}
	f := c.Flags()
	f.StringVar(&o.folder, "folder", "", "keep everything in this new `FOLDER` (default: incident-DATE-TIME)")
	f.StringVar(&o.resume, "resume", "", "resume the incident in this `FOLDER`")
	f.BoolVar(&o.drill, "drill", false, "practise against a stand-in for Baseten; nothing real is changed")
	f.BoolVar(&o.noRotate, "no-rotate", false, "make no successors: only revoke")
	f.BoolVar(&o.everywhere, "everywhere", false, "look for leaked keys in the stores behind kubectl, glab and gh, too, to put successors there")
	f.BoolVar(&o.revocation.children, "children", false, "revoke also the keys that a leaked key created; asked about on a terminal")
	f.BoolVar(&o.revocation.includeSelf, "include-self", false, "revoke also the key that b10lint itself uses, after all others")
	f.BoolVar(&o.revocation.forceActive, "force-active", false, "revoke also keys that were used within a day and are not proved to be leaked")
	f.IntVar(&o.revocation.max, "max", revoke.DefaultMax, "revoke no key at all if the plan holds more than this")
	f.BoolVarP(&o.revocation.yes, "yes", "y", false, "revoke and rotate without being asked")
	_ = c.MarkFlagDirname("folder")
	_ = c.MarkFlagDirname("resume")
	o.api.register(c)
	return c
}

// The files of an incident's folder.
const (
	incidentFile   = "incident.json"
	organisationIn = "organisation.json" // of a drill: the stand-in
	repositoryIn   = "repository"        // of a drill: where the key leaked
)

// incidentState is what the folder says of the steps behind it. Whether keys were revoked
// or rotated, their journals say.
type incidentState struct {
	Version   int       `json:"b10lint_incident"`
	Begun     time.Time `json:"begun"`
	Targets   []string  `json:"targets"` // absolute
	Drill     bool      `json:"drill,omitempty"`
	Found     bool      `json:"found,omitempty"`     // the report is written
	Confirmed string    `json:"confirmed,omitempty"` // the digest of the plan that was agreed to
	// Left are why rotations failed that are not tried again, by the key's prefix.
	Left map[string]string `json:"left,omitempty"`
}

// An incident is one being worked through.
type incident struct {
	*incidentOptions
	*revocation
	env   Env
	ui    *UI
	out   io.Writer
	dir   string // absolute
	state incidentState

	report  finding.Report
	plan    *revoke.Plan
	receipt *revoke.Receipt
	// left are what went wrong and did not end the run, for TODO.md.
	left []string
}

func (o *incidentOptions) run(ctx context.Context, env Env, ui *UI, args []string) error {
	switch {
	case o.resume != "" && (len(args) > 0 || o.folder != "" || o.drill):
		return usage("the folder says what it is about", "--resume takes no targets, no --folder and no --drill")
	case o.drill && len(args) > 0:
		return usage("leave the targets out", "--drill has a leak of its own")
	case o.revocation.max < 1:
		return usage("leave it out for the usual number", "--max %d: must be at least 1", o.revocation.max)
	case !o.revocation.yes && !env.canAsk(o.api.keyStdin):
		return usage("review the plan with b10lint scan --revoke --dry-run, then pass --yes",
			"standard input is not a terminal, so there is no one to ask whether to revoke the keys")
	}
	x := &incident{incidentOptions: o, env: env, ui: ui, out: env.Stdout}
	var err error
	if o.resume != "" {
		err = x.open(o.resume)
	} else {
		err = x.create(ctx, args)
	}
	if err != nil {
		return err
	}
	if x.state.Drill {
		if err := x.practise(); err != nil {
			return err
		}
	}
	account, err := o.api.open(x.env)
	if err != nil {
		return err
	}
	o.revocation.journal, o.revocation.receipt, o.revocation.plan = x.file(journalsIn), x.file("receipt.json"), x.file("plan.json")
	x.revocation = &revocation{account: account, env: x.env, ui: x.ui, flags: &o.revocation}
	var open error // keys that are not done with: the files are written all the same
	for i, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"find", x.find}, {"plan", x.makePlan}, {"question", x.question}, {"rotate", x.rotate}, {"revoke", x.revoke},
		{"timeline", x.timelines}, {"to do", x.conclude}} {
		fmt.Fprintf(x.env.Stderr, "--- %d of 7: %s\n", i+1, step.name)
		err := step.do(ctx)
		if err != nil && step.name == "revoke" && ctx.Err() == nil && x.receipt != nil {
			open, err = err, nil
		}
		if err != nil {
			return x.goOn(err)
		}
	}
	switch {
	case open != nil:
		return x.goOn(open)
	case slices.ContainsFunc(x.receipt.Entries, func(e revoke.Entry) bool { return len(e.Made) > 0 }), len(x.left) > 0 || !finding.Complete(x.report.Problems) || x.plan.Left():
		return &exitError{code: ExitIncomplete, err: errors.New("something is left to be done"), hints: []string{"it is listed in " + x.file("TODO.md")}}
	}
	return nil
}

// goOn adds to an error how to take the incident up again.
func (x *incident) goOn(err error) error {
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{code: ExitFailed, err: err}
	}
	return &exitError{code: e.code, err: e.err, hints: append(slices.Clone(e.hints), "to go on: b10lint incident --resume "+shell.Quote(x.dir))}
}

// file is a file of the folder.
func (x *incident) file(name string) string { return filepath.Join(x.dir, name) }

// create makes the folder.
func (x *incident) create(ctx context.Context, args []string) (err error) {
	x.state = incidentState{Version: 1, Begun: time.Now().UTC(), Drill: x.drill}
	name := x.folder
	if name == "" {
		kind := "incident"
		if x.drill {
			kind = "drill"
		}
		name = kind + "-" + x.state.Begun.Format("20060102-150405")
	}
	if x.dir, err = filepath.Abs(name); err != nil {
		return failed(err)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if arg == "-" {
			return usage("save it to a file first", "an incident can be taken up again, and standard input cannot")
		}
		abs, err := filepath.Abs(arg)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			return usage("a target is a file or a folder", "%w", err)
		}
		x.state.Targets = append(x.state.Targets, abs)
	}
	if !x.drill { // that there is a credential is found out before there is a folder
		if _, err := x.api.open(x.env); err != nil {
			return err
		}
	}
	if err := os.Mkdir(x.dir, 0o700); err != nil {
		return usage("name a new folder with --folder, or go on with --resume", "%w", err)
	}
	if x.drill {
		if err := x.stage(ctx); err != nil {
			return failed(err, "nothing was changed")
		}
	}
	// The folder may lie in a repository: what is in it must not be committed.
	if err := os.WriteFile(x.file(".gitignore"), []byte("*\n"), 0o600); err != nil {
		return failed(err)
	}
	return x.save()
}

// open reads the folder of an earlier run.
func (x *incident) open(name string) (err error) {
	if x.dir, err = filepath.Abs(name); err != nil {
		return failed(err)
	}
	data, err := regular.ReadFile(x.file(incidentFile), maxReceipt)
	if err == nil {
		if err = json.Unmarshal(data, &x.state); err != nil || x.state.Version != 1 {
			err = fmt.Errorf("%s is not of an incident that this version knows", report.Visible(x.file(incidentFile)))
		}
	}
	if err != nil {
		return usage("name the folder that an earlier run of b10lint incident made", "--resume: %w", err)
	}
	return nil
}

// save writes the state: whole, or not at all.
func (x *incident) save() error {
	data, err := json.MarshalIndent(x.state, "", "  ")
	if err == nil {
		err = x.write(incidentFile, append(data, '\n'))
	}
	return failed(err)
}

// write writes a file of the folder, for its owner alone.
func (x *incident) write(name string, data []byte) error {
	return atomicfile.WriteFile(x.file(name), data, atomicfile.Mode{Perm: 0o600, Force: true})
}
