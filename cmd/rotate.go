package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

// rotateOptions are the flags of rotate.
type rotateOptions struct {
	api       api
	sink      sinkFlags
	plan      string
	downgrade string
	models    []string
	unscoped  bool
	grace     duration
	journal   string
	resume    string
	dryRun    bool
	noProbe   bool
	answer    answer
}

func newRotate(env Env, ui *UI) *cobra.Command {
	o := &rotateOptions{}
	c := &cobra.Command{
		Use:   "rotate [PREFIX]",
		Short: "Put a new key in a key's place, then revoke the old one",
		Long: `Rotate makes a key of the same type, team and models under a new name, delivers it,
checks that Baseten lists it, that it is where it was delivered to and that it works,
and only then revokes the old one. If the delivery fails the old key lives and the
new one is deleted. A journal makes it safe to end the run at any moment: --resume
goes on.

The key is named by its prefix, by --remote (the key of that remote in ~/.trussrc,
which also is where the new one goes, unless another place is named), or by --plan, a
plan that b10lint revoke saved.

Refused, with the reason, is what the API cannot copy: keys that are restricted to
environments, personal keys of somebody else, keys of routes and of the gateway.
--downgrade and --model-id narrow what the new key may do; nothing widens it.

The result goes to standard output, or to standard error if the key goes there.`,
		Example: `  b10lint rotate --remote baseten
  b10lint rotate abcdefgh --to-dotenv .env --variable BASETEN_API_KEY
  b10lint rotate abcdefgh --exec 'gh secret set BASETEN_API_KEY' --grace 10m
  b10lint rotate abcdefgh --to-kubernetes - --secret baseten | kubectl apply -f -
  b10lint rotate --resume ~/.local/state/b10lint/rotate-abcdefgh.jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.answer.to(ui, func(w io.Writer) error { return o.run(c.Context(), env, w, args) })
		},
	}
	o.sink.register(c)
	f := c.Flags()
	f.StringVar(&o.plan, "plan", "", "rotate the keys of the plan in `FILE`")
	f.StringVar(&o.downgrade, "downgrade", "", "give the new key this narrower `TYPE`")
	f.StringArrayVar(&o.models, "model-id", nil, "let the new key call only this model; repeatable")
	f.BoolVar(&o.unscoped, "assume-unscoped", false, "take it that the key is not restricted to environments, where the audit log does not tell")
	f.Var(&o.grace, "grace", "let the old key live for so long after the new one works")
	f.StringVar(&o.journal, "journal", "", "keep the journal in this `FOLDER` (default: ~/.local/state/b10lint)")
	f.StringVar(&o.resume, "resume", "", "finish what the run of this `JOURNAL` began")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done and do nothing")
	f.BoolVar(&o.noProbe, "no-probe", false, "do not ask Baseten with the new key; go by its list of keys alone")
	o.answer.formerly = []string{"text", "json"}
	o.answer.register(c, "write the result in this form", "text", "json")
	_ = c.MarkFlagDirname("journal")
	_ = c.RegisterFlagCompletionFunc("downgrade", cobra.FixedCompletions(typeWords(), cobra.ShellCompDirectiveNoFileComp))
	o.api.register(c)
	return c
}

// A rotator carries rotations out.
type rotator struct {
	*rotateOptions
	env        Env
	out        io.Writer // of the results
	client     *baseten.Client
	credential baseten.Credential
	newProbe   func() (*baseten.Probe, error) // nil: none
}

func (o *rotateOptions) run(ctx context.Context, env Env, w io.Writer, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	remote := o.api.remote
	if o.api.keyFile != "" || o.api.keyStdin || o.api.profile != "" {
		o.api.remote = "" // another credential was named, so the remote is only what is rotated
	}
	client, credential, err := o.api.client(env)
	if err != nil {
		return err
	}
	x := &rotator{rotateOptions: o, env: env, out: w, client: client, credential: credential}
	if !o.noProbe {
		options, err := o.api.options(env, credential)
		if err != nil {
			return err
		}
		x.newProbe = func() (*baseten.Probe, error) { return baseten.NewProbe(options, 0) }
	}
	if o.resume != "" {
		return x.resumeOne(ctx)
	}
	prefixes, err := o.targets(env, remote, args)
	if err != nil {
		return err
	}
	return x.each(ctx, remote, prefixes)
}

func (o *rotateOptions) check(args []string) error {
	named := len(args)
	for _, set := range []bool{o.plan != "", o.resume != "", o.api.remote != "" && len(args) == 0 && o.plan == "" && o.resume == ""} {
		if set {
			named++
		}
	}
	switch {
	case named == 0:
		return usage("pass a prefix, --remote NAME, --plan FILE or --resume JOURNAL", "nothing says which key to rotate")
	case named > 1:
		return usage("name the key in one way", "a prefix, --plan and --resume were given together")
	case o.resume != "" && len(o.sink.given()) > 0:
		return usage("leave it out", "the journal says where the key is delivered to")
	case o.resume != "":
		return nil
	}
	return o.sink.check(o.api.remote)
}

// targets are the prefixes of the keys to rotate.
func (o *rotateOptions) targets(env Env, remote string, args []string) ([]string, error) {
	switch {
	case o.plan != "":
		plan, err := revoke.LoadPlan(o.plan)
		if err != nil {
			return nil, usage("a plan is made with b10lint revoke --plan FILE --dry-run", "%w", err)
		}
		var prefixes []string
		for _, it := range plan.Items {
			prefixes = append(prefixes, it.Prefix)
		}
		return prefixes, nil
	case len(args) == 1:
		prefix, err := prefixArgument(args[0])
		return []string{prefix}, err
	}
	c, err := (&api{remote: remote}).credential(env)
	if err == nil && selfPrefix(c) == "" {
		err = usage("--remote names a section of ~/.trussrc that holds a key", "%s is not a Baseten key", c.From)
	}
	return []string{selfPrefix(c)}, err
}

// each rotates the keys one after another. A failure ends it: what is left of a
// plan is rotated by running it again, when the rotated keys are gone.
func (x *rotator) each(ctx context.Context, remote string, prefixes []string) error {
	dir := x.journal
	if dir == "" {
		var err error
		if dir, err = revoke.DefaultDir(x.env.Lookup); err != nil {
			return usage("name a folder with --journal", "%w", err)
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return failed(err)
	}
	if len(prefixes) > 1 && !x.sink.perKey() {
		return usage("put {prefix} or {name} into the path or the name that the keys are delivered to",
			"the plan has %d keys, and they would all be delivered to one place", len(prefixes))
	}
	for _, prefix := range prefixes {
		survey, err := revoke.TakeSurvey(ctx, x.client, selfPrefix(x.credential))
		if err != nil {
			return apiFailed(ctx, "looking the key up", err)
		}
		if err := x.one(ctx, dir, remote, prefix, survey); err != nil {
			return err
		}
	}
	return nil
}

func (x *rotator) one(ctx context.Context, dir, remote, prefix string, survey *revoke.Survey) error {
	name := ""
	for _, k := range survey.Keys {
		if k.Prefix == prefix {
			name = k.Name
		}
	}
	spec, err := x.sink.spec(x.env, remote, prefix, name)
	if err != nil {
		return err
	}
	plan, err := revoke.PlanRotation(ctx, x.client, survey, revoke.RotateRequest{Prefix: prefix, Downgrade: typeOf(x.downgrade),
		ModelIDs: x.models, AssumeUnscoped: x.unscoped, Grace: x.grace.value, Sink: spec})
	var refused *revoke.RefusedError
	switch {
	case errors.As(err, &refused):
		return &exitError{code: ExitIncomplete, err: err, hints: []string{refused.Hint}}
	case err != nil:
		return apiFailed(ctx, "planning the rotation", err)
	}
	sink, err := openSink(x.env, spec)
	if err != nil {
		return err
	}
	if x.dryRun {
		if err := sink.Ready(ctx); err != nil {
			return failed(err, "the new key could not be delivered there")
		}
		fmt.Fprintf(x.out, "rotate %s (%s): a new %s key, delivered to %s; then the old one is revoked%s\n", prefix, report.Visible(name),
			typeWord(plan.Type), spec, graceWords(plan.Grace))
		return nil
	}
	rotation, err := revoke.BeginRotation(ctx, dir, plan, x.rotateOptionsFor(sink))
	var unfinished *revoke.UnfinishedError
	switch {
	case errors.As(err, &unfinished):
		return failed(err, "finish it: b10lint rotate --resume "+shell.Quote(unfinished.Path))
	case errors.Is(err, revoke.ErrBusy):
		return failed(err, "wait for the other run to end")
	case err != nil:
		return failed(err, "nothing was changed")
	}
	return x.finish(ctx, rotation, spec)
}

func graceWords(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " after " + d.String()
}

func (x *rotator) rotateOptionsFor(sink revoke.Sink) revoke.RotateOptions {
	return revoke.RotateOptions{Client: x.client, Self: selfPrefix(x.credential), NewProbe: x.newProbe, Sink: sink, Credential: describeCredential(x.credential),
		Note: func(text string) { fmt.Fprintln(x.env.Stderr, report.Visible(text)) }}
}

func (x *rotator) resumeOne(ctx context.Context) error {
	path, err := filepath.Abs(x.resume)
	if err != nil {
		return failed(err)
	}
	plan, err := revoke.ReadRotation(path)
	if err != nil {
		return failed(err, "nothing was changed")
	}
	sink, err := openSink(x.env, plan.Sink)
	if err != nil {
		return err
	}
	rotation, err := revoke.ResumeRotation(path, x.rotateOptionsFor(sink))
	if errors.Is(err, revoke.ErrBusy) {
		return failed(err, "wait for the other run to end")
	}
	if err != nil {
		return failed(err, "nothing was changed")
	}
	return x.finish(ctx, rotation, plan.Sink)
}

// finish runs a rotation and tells what became of it.
func (x *rotator) finish(ctx context.Context, rotation *revoke.Rotation, spec revoke.SinkSpec) error {
	fmt.Fprintf(x.env.Stderr, "journal: %s\n", report.Visible(rotation.Journal()))
	res, err := rotation.Run(ctx)
	out := x.out
	if out == x.env.Stdout && (spec.Kind == "stdout" || spec.Path == "-") {
		out = x.env.Stderr
	}
	write := res.WriteText
	if x.answer.format.value == "json" {
		write = res.WriteJSON
	}
	if writeErr := write(out); writeErr != nil {
		err = errors.Join(err, writeErr)
	}
	hint := ""
	if res.Resume != "" {
		hint = "to go on: " + res.Resume
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{code: ExitInterrupted, err: err, hints: []string{hint}}
	case res.State == "unfinished":
		return &exitError{code: ExitIncomplete, err: err, hints: []string{hint}}
	}
	return failed(err)
}
