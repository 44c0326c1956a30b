package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/secret"
)

// revocationFlags are what revoke and scan --revoke have in common.
type revocationFlags struct {
	dryRun, yes, includeSelf, forceActive, verifyDead, byPrefix, children bool
	max                                                                   int
	plan, journal, receipt                                                string
}

func (o *revocationFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan and revoke nothing")
	f.StringVar(&o.plan, "plan", "", "save the plan as JSON in this `FILE`")
	f.BoolVar(&o.includeSelf, "include-self", false, "revoke also the key that b10lint itself uses, after all others")
	f.BoolVar(&o.forceActive, "force-active", false, "revoke also keys that were used within a day and are not proved to be leaked")
	f.BoolVar(&o.byPrefix, "by-prefix", false, "revoke found keys without the proof that they are real: anyone can write a text with the prefix of your key")
	f.BoolVar(&o.children, "children", false, "revoke also the keys that a leaked or named key created, and those that they created")
	f.IntVar(&o.max, "max", revoke.DefaultMax, "revoke no key at all if the plan holds more than this")
	f.StringVar(&o.journal, "journal", "", "keep the journal in this `FOLDER` (default: ~/.local/state/b10lint)")
	f.StringVar(&o.receipt, "receipt", "", "write the receipt to this `FILE`, by its ending as JSON (.json), Markdown (.md) or text")
	f.BoolVar(&o.verifyDead, "verify-dead", false, "ask Baseten with each revoked key whether it turns it away")
	_ = c.MarkFlagDirname("journal")
}

// check refuses what cannot work before anything is sent. busy is set when
// standard input is read for something else than an answer.
func (o *revocationFlags) check(env Env, busy bool) error {
	switch {
	case o.receipt != "" && folderOf(o.receipt) != nil:
		return usage("name a file in a folder that can be written to", "--receipt: %w", folderOf(o.receipt))
	case o.plan != "" && folderOf(o.plan) != nil:
		return usage("name a file in a folder that can be written to", "--plan: %w", folderOf(o.plan))
	case o.max < 1:
		return usage("leave it out for the usual "+strconv.Itoa(revoke.DefaultMax), "--max %d: must be at least 1", o.max)
	case o.dryRun || o.yes:
		return nil
	case !env.canAsk(busy):
		return usage("review the plan with --dry-run, then pass --yes",
			"standard input is not a terminal, so there is no one to ask whether to revoke the keys")
	}
	return nil
}

// folderOf returns why a file cannot be written, as far as can be seen without doing it.
func folderOf(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", report.Visible(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".b10lint-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (o *revocationFlags) request() revoke.Request {
	return revoke.Request{IncludeSelf: o.includeSelf, ForceActive: o.forceActive, Children: o.children, Max: o.max}
}

// A revocation is what revoke and scan --revoke do with a plan.
type revocation struct {
	*account
	env   Env
	ui    *UI
	flags *revocationFlags
	keys  map[string]secret.Secret // by prefix, for --verify-dead
	taken func() (*revoke.Survey, error)
	asked revoke.Request // what the plan was made for; nothing for a plan that was read
	// rotated says of keys, by prefix, that a rotation revoked them.
	rotated map[string]string
}

// look takes the survey before found keys are verified: to prove a key is to use it,
// and the plan shows when it was last used by others.
func (r *revocation) look(ctx context.Context, found finding.Report) {
	if r == nil || !slices.ContainsFunc(found.Findings, func(f finding.Finding) bool {
		_, wanted := wantedOf(f, true)
		return wanted
	}) {
		return
	}
	survey, err := r.survey(ctx, "looking the keys up")
	r.taken = func() (*revoke.Survey, error) { return survey, err }
}

func newRevocation(env Env, ui *UI, flags *revocationFlags, a *api) (*revocation, error) {
	account, err := a.open(env)
	if dir, dirErr := journalFolder(env, flags.journal); dirErr == nil && err == nil {
		pending, _ := revoke.Unfinished(dir) // one that cannot be read does not hinder this run
		for _, p := range pending {
			ui.warn("an earlier run is not finished: "+report.Visible(p.Path), "to finish it: "+p.Resume+"; to forget it, delete the file")
		}
	}
	return &revocation{account: account, env: env, ui: ui, flags: flags}, err
}

// newPlan makes a plan, and saves it if asked.
func (r *revocation) newPlan(ctx context.Context, request revoke.Request) (*revoke.Plan, error) {
	if r.taken == nil {
		r.taken = func() (*revoke.Survey, error) { return r.survey(ctx, "looking the keys up") }
	}
	survey, err := r.taken()
	if err != nil {
		return nil, err
	}
	r.asked = request
	plan, err := revoke.NewPlan(survey, request)
	if errors.Is(err, revoke.ErrTooMany) && !r.flags.dryRun {
		return nil, usage("review the plan with --dry-run, then raise --max if it is right", "nothing was revoked: %w", err)
	}
	if err != nil {
		r.ui.warn(err.Error(), "carrying it out takes a higher --max")
	}
	if r.flags.plan != "" {
		if err := plan.Save(r.flags.plan); err != nil {
			return nil, failed(fmt.Errorf("saving the plan: %w", err), "nothing was revoked")
		}
	}
	return plan, nil
}

// carryOut shows a plan, asks, and revokes. The receipt is nil when there was
// nothing to revoke.
func (r *revocation) carryOut(ctx context.Context, plan *revoke.Plan) (*revoke.Receipt, error) {
	if err := plan.WriteText(r.env.Stderr); err != nil {
		return nil, failed(err)
	}
	if len(plan.Items) == 0 {
		return nil, r.receiptOfNone(plan, "")
	}
	plan, err := r.confirm(ctx, plan)
	if err != nil {
		return nil, errors.Join(err, r.receiptOfNone(plan, "not confirmed: nothing was sent"))
	}
	return r.begin(ctx, plan)
}

// confirm asks whether to carry a plan out that was shown, and returns the plan that was
// agreed to: with the children, if they were asked for. With an error it is the one that was not.
func (r *revocation) confirm(ctx context.Context, plan *revoke.Plan) (*revoke.Plan, error) {
	if r.flags.yes {
		return plan, nil
	}
	more, err := r.offerChildren(ctx, plan)
	if err != nil {
		return plan, err
	}
	return more, confirmCount(ctx, r.env, len(more.Items))
}

// begin carries a plan out.
func (r *revocation) begin(ctx context.Context, plan *revoke.Plan) (*revoke.Receipt, error) {
	dir, err := journalFolder(r.env, r.flags.journal)
	if err != nil {
		return nil, err
	}
	o, err := r.executeOptions()
	if err != nil {
		return nil, err
	}
	e, err := revoke.Begin(dir, plan, o)
	if err != nil {
		return nil, failed(err, "nothing was revoked; name another folder with --journal")
	}
	fmt.Fprintf(r.env.Stderr, "journal: %s\n", report.Visible(e.Journal()))
	return r.execute(ctx, e)
}

// offerChildren asks whether the keys that a planned one created are to be revoked with
// it, and returns the plan with them if so: shown anew, since the guards may have kept
// some of them back.
func (r *revocation) offerChildren(ctx context.Context, plan *revoke.Plan) (*revoke.Plan, error) {
	var made []string
	for _, it := range plan.Items {
		if it.Proof == revoke.ByProbe || it.Proof == revoke.ByName {
			made = append(made, it.Made...)
		}
	}
	slices.Sort(made)
	made = slices.Compact(made)
	if len(made) == 0 || len(r.asked.Wanted)+len(r.asked.Names) == 0 || r.asked.Children {
		return plan, nil
	}
	answer, err := r.env.ask(ctx, fmt.Sprintf("Keys of this plan created %d %s. Type children to revoke them too, or press Enter: ",
		len(made), english.Plural(len(made), "key that lives", "keys that live")), "nothing was revoked")
	if err != nil || answer != "children" {
		return plan, err
	}
	request := r.asked
	request.Children = true
	if plan, err = r.newPlan(ctx, request); err != nil {
		return nil, err
	}
	return plan, failed(plan.WriteText(r.env.Stderr))
}

// confirmCount asks for the number of keys, which nobody types by habit.
func confirmCount(ctx context.Context, env Env, n int) error {
	number := strconv.Itoa(n)
	answer, err := env.ask(ctx, "This cannot be undone. Type "+number+" to revoke: ", "nothing was revoked")
	if err == nil && answer != number {
		return usage("type the number of keys to go on", "not confirmed: nothing was revoked")
	}
	return err
}

// journalFolder is where journals are kept: an absolute path.
func journalFolder(env Env, flag string) (string, error) {
	if flag == "" {
		dir, err := revoke.DefaultDir(env.Lookup)
		if err != nil {
			return "", usage("name a folder with --journal", "%w", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(flag)
	return dir, failed(err)
}

// resume finishes what the run of a journal began.
func (r *revocation) resume(ctx context.Context, path string) (*revoke.Receipt, error) {
	o, err := r.executeOptions()
	if err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, failed(err)
	}
	e, err := revoke.Resume(path, o, nil)
	if errors.Is(err, revoke.ErrOtherCredential) {
		survey, surveyErr := r.survey(ctx, "looking the keys up")
		if surveyErr != nil {
			return nil, surveyErr
		}
		e, err = revoke.Resume(path, o, survey)
	}
	if err != nil {
		return nil, notBegun(err, "nothing was revoked")
	}
	return r.execute(ctx, e)
}

// notBegun words why a journal could not be started or resumed.
func notBegun(err error, hint string) error {
	var unfinished *revoke.UnfinishedError
	switch {
	case errors.As(err, &unfinished):
		hint = "finish it: b10lint rotate --resume " + shell.Quote(unfinished.Path)
	case errors.Is(err, revoke.ErrBusy):
		hint = "wait for the other run to end"
	}
	return failed(err, hint)
}

func (r *revocation) executeOptions() (o revoke.Options, err error) {
	o = revoke.Options{Client: r.client, Self: r.self(), Credential: r.name(), Keys: r.keys, Rotated: r.rotated}
	if r.flags.verifyDead {
		if r.self() != "" {
			o.Keys = map[string]secret.Secret{r.self(): r.credential.Key}
			maps.Copy(o.Keys, r.keys)
		}
		if o.Probe, err = r.probe(); err != nil {
			return o, usage("", "%w", err)
		}
	}
	return o, nil
}

// receiptOfNone writes the receipt of a plan that was not carried out: an older file of
// the name must not pass for this run's.
func (r *revocation) receiptOfNone(plan *revoke.Plan, why string) error {
	return r.saveReceipt(plan.Receipt(r.name(), why, time.Now()))
}

// execute revokes, and writes the receipt that --receipt names.
func (r *revocation) execute(ctx context.Context, e *revoke.Execution) (*revoke.Receipt, error) {
	receipt, err := e.Run(ctx)
	return receipt, errors.Join(err, r.saveReceipt(receipt))
}

// saveReceipt writes a receipt to the file that --receipt names, if any.
func (r *revocation) saveReceipt(receipt *revoke.Receipt) error {
	if receipt == nil {
		return nil
	}
	receipt.Tool = tool().Name + " " + tool().Version
	if r.flags.receipt == "" {
		return nil
	}
	format := map[string]string{".json": "json", ".md": "markdown", ".markdown": "markdown"}[strings.ToLower(filepath.Ext(r.flags.receipt))]
	var b bytes.Buffer
	err := writeReceipt(&b, format, receipt)
	if err == nil {
		err = atomicfile.WriteFile(r.flags.receipt, b.Bytes(), atomicfile.Mode{Perm: 0o600, Force: true})
	}
	if err != nil {
		return fmt.Errorf("the receipt could not be written: %w", err)
	}
	return nil
}

// writeReceipt writes a receipt as json or markdown, else as text.
func writeReceipt(w io.Writer, format string, receipt *revoke.Receipt) error {
	switch format {
	case "json":
		return receipt.WriteJSON(w)
	case "markdown":
		return receipt.WriteMarkdown(w)
	}
	return receipt.WriteText(w)
}

// status turns what became of a plan into an error, or nil. left is set when
// something that was asked for is not in the plan.
func (r *revocation) status(ctx context.Context, receipt *revoke.Receipt, left bool, err error) error {
	var known *exitError
	if errors.As(err, &known) {
		return err
	}
	hint := ""
	open := 0
	if receipt != nil {
		open = receipt.Open()
		if receipt.Resume != "" {
			hint = "to finish the rest: " + receipt.Resume
		}
	}
	switch {
	case ctx.Err() != nil:
		return &exitError{code: ExitInterrupted, err: fmt.Errorf("interrupted: %d keys are not done with", open), hints: []string{hint}}
	case open > 0:
		unconfirmed := 0
		for _, e := range receipt.Entries {
			if e.State == revoke.Unconfirmed {
				unconfirmed++
			}
		}
		var texts []string
		if n := open - unconfirmed; n > 0 {
			texts = append(texts, fmt.Sprintf("%d of %d keys are not revoked", n, len(receipt.Entries)))
		}
		if unconfirmed > 0 {
			texts = append(texts, fmt.Sprintf("Baseten accepted the delete of %d of %d keys, and it is not confirmed that they are gone",
				unconfirmed, len(receipt.Entries)))
		}
		return &exitError{code: ExitIncomplete, err: errors.Join(errors.New(strings.Join(texts, "; ")), err), hints: []string{hint}}
	case err != nil:
		return failed(err)
	case receipt != nil && receipt.Unproved() > 0:
		return &exitError{code: ExitIncomplete, err: fmt.Errorf("--verify-dead: of %d of %d revoked keys Baseten's answers do not show that they are dead",
			receipt.Unproved(), len(receipt.Entries)), hints: []string{"the list does not have them; ask again with b10lint verify --by probe"}}
	case left:
		return &exitError{code: ExitIncomplete, err: errors.New("some of what was asked for was not matched, or was kept back"),
			hints: []string{"the plan says why, and what to do"}}
	}
	return nil
}

// wantedOf is the key of a finding, if it is a leak that was not accepted. A key
// in a place where users are meant to keep it is not a leak, and is not wanted. What
// proves it is that Baseten let the found key in, or with byPrefix nothing at all.
func wantedOf(f finding.Finding, byPrefix bool) (revoke.Wanted, bool) {
	if f.Prefix == "" || f.Suppression != nil || !leaks(f) {
		return revoke.Wanted{}, false
	}
	w := revoke.Wanted{Prefix: f.Prefix, ID: f.Fingerprint, Leaked: true}
	if byPrefix {
		w.Proof = revoke.ByPrefix
	}
	if l := f.Liveness; l != nil {
		probed := l.By == baseten.ByProbe
		switch l.State {
		case finding.Live, finding.Restricted:
			if probed {
				w.Proof = revoke.ByProbe
			}
		case finding.Dead:
			w.Forged = probed // if the list has its prefix
		case finding.Forged:
			w.Forged = true
		}
	}
	for _, l := range f.Locations {
		w.Places = append(w.Places, placeOf(l))
	}
	return w, true
}

// leaks reports whether a finding is about a key that is where it must not be.
func leaks(f finding.Finding) bool {
	switch f.Rule {
	case "leaked-key", "leaked-key-live", "leaked-key-dead", "leaked-federated-key", "forged-key":
		return f.Exposure != finding.Home && f.Exposure != finding.Ignored
	}
	return false
}

// placeOf names a place on one line.
func placeOf(l finding.Location) string {
	place := l.Path
	if l.Member != "" {
		place += "!/" + l.Member
	}
	if l.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, l.Line)
	}
	if l.Commit != "" {
		place += " in commit " + l.Commit[:min(len(l.Commit), 12)]
	}
	return place
}
