package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/scanner/source"
	"github.com/b10lint/b10lint/scanner/source/truss"
	"github.com/b10lint/b10lint/scanner/source/workstation"
)

// placesFlags are the flags of scan that name a home or a truss in place of targets.
type placesFlags struct {
	home, truss, config string
	list, fix, yes      bool
	isHome, isTruss     bool // the flag was given, perhaps without a value
}

// mine is what --home stands for without a value.
const mine = "~"

func (p *placesFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.home, "home", "", "scan the places where keys are kept in this home, or in the one at `DIR`")
	f.Lookup("home").NoOptDefVal = mine
	f.StringVar(&p.truss, "truss", "", "scan the files that truss push would upload from `DIR`")
	f.StringVar(&p.config, "truss-config", "", "with --truss: the `FILE` that truss push --config is given")
	f.BoolVar(&p.list, "list", false, "with --home or --truss: list the places or the files, and read none")
	f.BoolVar(&p.fix, "fix", false, "with --home: first remove other users' read permission on credential files (asks)")
	f.BoolVar(&p.yes, "yes", false, "with --fix or --revoke: do not ask")
	c.MarkFlagsMutuallyExclusive("home", "truss")
	c.MarkFlagsMutuallyExclusive("list", "fix")
	for _, other := range []string{"exclude", "include"} { // the table and truss choose what is scanned
		c.MarkFlagsMutuallyExclusive("home", other)
		c.MarkFlagsMutuallyExclusive("truss", other)
	}
	_ = c.MarkFlagDirname("truss")
}

// check refuses combinations that mean nothing.
func (p *placesFlags) check(env Env, targets []string, revoke bool) error {
	switch {
	case p.isHome && len(targets) > 0:
		return usage("another home goes behind an equals sign: --home="+targets[0], "--home takes no targets")
	case p.isTruss && len(targets) > 0:
		return usage("run scan once more for the other targets", "--truss takes no targets beside its folder")
	case p.isHome && p.homeOptions(env).Dir == "":
		return usage("name the folder: --home=DIR", "the home of this account is not known")
	case p.isTruss && p.truss == "":
		return usage("name the folder of the truss: --truss DIR", "--truss has no folder")
	case p.isTruss && !isFolder(p.truss):
		return usage("check the path's spelling: --truss DIR", "%s is not a folder that can be read", report.Visible(p.truss))
	case p.config != "" && !p.isTruss:
		return usage("name the folder of the truss: --truss DIR", "--truss-config needs --truss")
	case p.list && !p.isHome && !p.isTruss:
		return usage("b10lint scan --home --list", "--list needs --home or --truss")
	case p.fix && !p.isHome:
		return usage("b10lint scan --home --fix", "--fix needs --home")
	case p.yes && !p.fix && !revoke:
		return usage("b10lint scan --home --fix --yes, or b10lint scan --revoke --yes", "--yes needs --fix or --revoke")
	case p.fix && !p.yes && !env.canAsk(false):
		return usage("add --yes to have the modes corrected without being asked",
			"--fix asks first, and standard input is not a terminal")
	}
	return nil
}

// ownHome is the home of the account that the program runs as, with its variables.
// Its Dir is empty when the home is not known.
func ownHome(env Env) workstation.Options {
	return workstation.Options{Dir: env.home(), Lookup: env.Lookup}
}

// homeOptions say whose home --home means. The process's own environment belongs to
// its own home alone.
func (p *placesFlags) homeOptions(env Env) workstation.Options {
	own := ownHome(env)
	own.Environ = env.Environ()
	if p.home == mine || p.home == "" {
		return own
	}
	a, errA := os.Stat(p.home)
	b, errB := os.Stat(own.Dir)
	if errA == nil && errB == nil && os.SameFile(a, b) {
		own.Dir = p.home
		return own
	}
	return workstation.Options{Dir: p.home}
}

// target returns what to scan in place of the targets, none when no flag says so.
func (p *placesFlags) target(env Env) source.Target {
	switch {
	case p.isHome:
		o := p.homeOptions(env)
		return source.Target{Name: o.Dir, Source: workstation.Home(o)}
	case p.isTruss:
		return source.Target{Name: p.truss, Source: truss.Uploads(p.truss, truss.Options{Config: p.config})}
	}
	return source.Target{}
}

// inspect judges what goes with the target besides its keys: how a home keeps them, what
// a truss would upload, and the .trussrc files and trusses that were read elsewhere.
func (p *placesFlags) inspect(env Env, trussFiles []string) ([]finding.Finding, []finding.Problem) {
	switch {
	case p.isHome:
		in := workstation.InspectHome(p.homeOptions(env))
		return in.Findings, in.Problems
	case p.isTruss:
		return truss.Inspect(p.truss, truss.Options{Config: p.config}), nil
	}
	var trussrcs []string
	var findings []finding.Finding
	for _, name := range trussFiles {
		if path.Base(name) == ".trussrc" {
			trussrcs = append(trussrcs, name)
		} else {
			findings = append(findings, truss.InspectConfig(filepath.FromSlash(name))...)
		}
	}
	in := workstation.InspectTrussrcs(ownHome(env), trussrcs)
	return append(findings, in.Findings...), in.Problems
}

// newTrussIgnore is the command that prints a .truss_ignore.
func newTrussIgnore(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "truss-ignore",
		Short: "Print a .truss_ignore that keeps credentials out of truss push",
		Long: `Truss-ignore prints the list that is built into truss, which a .truss_ignore replaces,
and below it the names of files that hold credentials. See docs/truss.md.`,
		Example: "  b10lint truss-ignore > my-model/.truss_ignore",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(env.Stdout, truss.Ignore())
			return failed(err)
		},
	}
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// print lists what would be scanned.
func (p *placesFlags) print(env Env, ui *UI, outputs []output) error {
	asJSON := outputs[0].format == "json"
	if len(outputs) != 1 || outputs[0].file != "" || !asJSON && outputs[0].format != "text" {
		return usage("leave -f out, or use -f json", "--list prints a list, as text or JSON, to standard output")
	}
	if p.isTruss {
		return p.printUpload(env, ui, asJSON)
	}
	places := workstation.Places(p.homeOptions(env))
	if asJSON {
		return failed(writeJSON(env.Stdout, places, "  "))
	}
	var rows [][]string
	for _, x := range places {
		rows = append(rows, []string{string(x.Kind), x.Path, x.Reason, x.Source})
	}
	return failed(table(env.Stdout, []string{"KIND", "PATH", "WHY A KEY MAY BE THERE", "HOW WE KNOW"}, rows))
}

// An uploadEntry is one file of an upload set, as --list -f json shows it.
type uploadEntry struct {
	Path     string `json:"path"` // in the archive
	File     string `json:"file"` // on this machine
	Size     int64  `json:"size"`
	Link     string `json:"link,omitempty"`
	Sent     bool   `json:"sent_in_request,omitempty"`
	Archived bool   `json:"archived"`
}

// printUpload lists the upload set; what keeps the list from being complete is an
// error of the exit status too.
func (p *placesFlags) printUpload(env Env, ui *UI, asJSON bool) error {
	entries, problems := truss.UploadSet(p.truss, truss.Options{Config: p.config})
	for _, x := range problems {
		say := ui.error
		if x.Warning {
			say = ui.warn
		}
		say(report.Visible(x.Path)+": "+report.Visible(x.Error), x.Hint)
	}
	list := make([]uploadEntry, 0, len(entries))
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, e := range entries {
		list = append(list, uploadEntry{e.Path, filepath.ToSlash(e.File), e.Size, e.Link, e.Sent, !e.SentOnly})
		note := ""
		switch {
		case e.Link != "":
			note = " -> " + report.Visible(e.Link)
		case e.SentOnly:
			note = " (in the request only, not in the archive)"
		case e.Sent:
			note = " (in the archive and in the request)"
		}
		fmt.Fprintf(w, "%d\t  %s%s\n", e.Size, report.Visible(e.Path), note)
	}
	err := w.Flush()
	if asJSON {
		err = writeJSON(env.Stdout, list, "  ")
	} else if err == nil {
		_, err = text.WriteTo(env.Stdout)
	}
	if err == nil && !finding.Complete(problems) {
		return silent(ExitIncomplete)
	}
	return failed(err)
}

// fixModes corrects the modes of files that hold keys, if it was asked for and is
// agreed to. What could not be corrected is a problem of the run that follows.
func (p *placesFlags) fixModes(ctx context.Context, env Env, ui *UI) ([]finding.Problem, error) {
	if !p.fix {
		return nil, nil
	}
	plan := workstation.InspectHome(p.homeOptions(env)).Modes
	if len(plan) == 0 {
		ui.info("no mode needs to be corrected")
		return nil, nil
	}
	if !p.yes {
		for _, fix := range plan {
			fmt.Fprintf(env.Stderr, "%s: mode %04o would become %04o\n", report.Visible(fix.Path), fix.From, fix.To)
		}
		answer, err := env.ask(ctx, "Correct the modes? Type yes to go on: ", "nothing was changed")
		if err != nil {
			return nil, err
		}
		if answer != "yes" {
			ui.info("nothing was changed")
			return nil, nil
		}
	}
	var failures []finding.Problem
	for _, r := range workstation.FixModes(plan) {
		if r.Err != nil {
			reason := r.Err
			if pe := (*os.PathError)(nil); errors.As(reason, &pe) {
				reason = pe.Err // the problem gives the path already
			}
			failures = append(failures, finding.Problem{Path: r.Path, Error: "its mode was not corrected: " + reason.Error(),
				Hint: fmt.Sprintf("correct it yourself: chmod %o", r.To)})
			continue
		}
		ui.info(fmt.Sprintf("mode of %s: %04o is now %04o", report.Visible(r.Path), r.From, r.To))
	}
	return failures, nil
}
