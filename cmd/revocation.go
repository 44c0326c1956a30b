package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/secret"
)

// revocationFlags are what revoke and scan --revoke have in common.
type revocationFlags struct {
	dryRun, yes, includeSelf, forceActive, verifyDead bool
	max                                               int
	plan, journal, receipt                            string
}

func (o *revocationFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan and revoke nothing")
	f.StringVar(&o.plan, "plan", "", "save the plan as JSON in this `FILE`")
	f.BoolVar(&o.includeSelf, "include-self", false, "revoke also the key that b10lint itself uses, after all others")
	f.BoolVar(&o.forceActive, "force-active", false, "revoke also keys that were used within a day and are not known to be leaked")
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
	case o.max < 1:
		return usage("leave it out for the usual "+strconv.Itoa(revoke.DefaultMax), "--max %d: must be at least 1", o.max)
	case o.dryRun || o.yes:
		return nil
	case !env.canAsk(busy):
		return usage("look at the plan with --dry-run, then pass --yes", "standard input is not a terminal: nobody can be asked whether to revoke the keys")
	}
	return nil
}

func (o *revocationFlags) request() revoke.Request {
	return revoke.Request{IncludeSelf: o.includeSelf, ForceActive: o.forceActive, Max: o.max}
}

// A revocation is what revoke and scan --revoke do with a plan.
type revocation struct {
	env        Env
	ui         *UI
	flags      *revocationFlags
	options    baseten.Options
	client     *baseten.Client
	credential baseten.Credential
	keys       map[string]secret.Secret // by prefix, for --verify-dead
}

func newRevocation(env Env, ui *UI, flags *revocationFlags, a *api) (*revocation, error) {
	client, credential, err := a.client(env)
	if err != nil {
		return nil, err
	}
	options, err := a.options(env, credential)
	if err != nil {
		return nil, err
	}
	return &revocation{env: env, ui: ui, flags: flags, options: options, client: client, credential: credential}, nil
}

func (r *revocation) survey(ctx context.Context) (*revoke.Survey, error) {
	s, err := revoke.TakeSurvey(ctx, r.client, selfPrefix(r.credential))
	if err != nil {
		return nil, apiFailed(ctx, "looking the keys up", err)
	}
	return s, nil
}

// newPlan makes a plan, and saves it if asked.
func (r *revocation) newPlan(ctx context.Context, request revoke.Request) (*revoke.Plan, error) {
	survey, err := r.survey(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := revoke.NewPlan(survey, request)
	if errors.Is(err, revoke.ErrTooMany) && !r.flags.dryRun {
		return nil, usage("look at the plan with --dry-run, then raise --max if it is right", "nothing was revoked: %w", err)
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
		return nil, nil
	}
	if !r.flags.yes {
		if err := confirmCount(ctx, r.env, len(plan.Items)); err != nil {
			return nil, err
		}
	}
	dir, err := r.flags.folder(r.env)
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

// folder is where the journal is kept.
func (o *revocationFlags) folder(env Env) (string, error) {
	if o.journal != "" {
		return filepath.Abs(o.journal)
	}
	dir, err := revoke.DefaultDir(env.Lookup)
	if err != nil {
		return "", usage("name a folder with --journal", "%w", err)
	}
	return dir, nil
}

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
		survey, surveyErr := r.survey(ctx)
		if surveyErr != nil {
			return nil, surveyErr
		}
		e, err = revoke.Resume(path, o, survey)
	}
	if errors.Is(err, revoke.ErrBusy) {
		return nil, failed(err, "wait for the other run to end")
	}
	if err != nil {
		return nil, failed(err, "nothing was revoked")
	}
	return r.execute(ctx, e)
}

func (r *revocation) executeOptions() (revoke.Options, error) {
	o := revoke.Options{Client: r.client, Self: selfPrefix(r.credential), Credential: describeCredential(r.credential), Keys: r.keys}
	if r.flags.verifyDead {
		probe, err := baseten.NewProbe(r.options, 0)
		if err != nil {
			return o, usage("", "%w", err)
		}
		o.Probe = probe
	}
	return o, nil
}

func (r *revocation) execute(ctx context.Context, e *revoke.Execution) (*revoke.Receipt, error) {
	receipt, err := e.Run(ctx)
	if r.flags.receipt != "" {
		if writeErr := writeReceipt(r.flags.receipt, receipt); writeErr != nil {
			err = errors.Join(err, fmt.Errorf("the receipt could not be written: %w", writeErr))
		}
	}
	return receipt, err
}

func writeReceipt(path string, receipt *revoke.Receipt) error {
	var b strings.Builder
	write := receipt.WriteText
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		write = receipt.WriteJSON
	case ".md", ".markdown":
		write = receipt.WriteMarkdown
	}
	if err := write(&b); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, []byte(b.String()), atomicfile.Mode{Perm: 0o600})
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
		text := fmt.Errorf("%d of %d keys are not revoked", open, len(receipt.Entries))
		return &exitError{code: ExitIncomplete, err: errors.Join(text, err), hints: []string{hint}}
	case err != nil:
		return failed(err)
	case left:
		return &exitError{code: ExitIncomplete, err: errors.New("some of what was asked for was not matched, or was kept back"),
			hints: []string{"the plan says why, and what to do"}}
	}
	return nil
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

// readKeys reads the keys to ask with, one a line. No error repeats a line.
func (o *revokeOptions) readKeys(env Env) (map[string]secret.Secret, error) {
	in := env.Stdin
	if o.keys != "-" {
		f, err := os.Open(o.keys)
		if err != nil {
			return nil, usage("it holds one key a line", "--keys: %w", err)
		}
		defer f.Close()
		in = f
	}
	suspects, err := readSuspects(in)
	if err != nil {
		return nil, err
	}
	keys := map[string]secret.Secret{}
	for _, s := range suspects {
		if s.Confidence == finding.LowConfidence {
			return nil, usage("each line is a whole key", "--keys: %s is not a whole Baseten key", s.prefix)
		}
		keys[s.Key.Prefix()] = s.Key
	}
	return keys, nil
}
