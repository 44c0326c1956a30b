package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

// rotateOptions are the flags of rotate.
type rotateOptions struct {
	api       api
	sink      sinkFlags
	sweep     everywhereFlags
	plan      string
	downgrade string
	models    []string
	unscoped  bool
	grace     duration
	idle      duration
	journal   string
	resume    string
	dryRun    bool
	noProbe   bool
	yes       bool
	overwrite bool
	force     bool
	answer    answer
}

func newRotate(env Env, ui *UI) *cobra.Command {
	o := &rotateOptions{}
	c := &cobra.Command{
		Use:   "rotate [PREFIX]",
		Short: "Put a new key in a key's place, then revoke the old one",
		Long: `Rotate creates a key of the same type, team and models under a new name, checks that
Baseten lists it and that it works, delivers it to one place or to several, checks that it
is there, and only then revokes the old one. All places are checked before the key is
created. If no place takes it, the new key is deleted and everything is as it was. If some
do, both keys live, the result names the places, and --resume finishes.

--everywhere finds the places that hold the key: ~/.trussrc, files of NAME=VALUE lines (by
a scan, or by --scan-report), Secrets of Kubernetes, variables of GitLab, and by their names
secrets of GitHub Actions, whose values cannot be read. What it must not write to, such as
source code, is listed to be done by hand. docs/incident.md has the details.

A flag that names a place can be repeated. A flag that goes with it (--variable, --repo,
--secret-key ...) is given once for all of them, or once for each in their order. Into a
pipe (--to-stdout, --to-kubernetes -) it only delivers, since nothing shows that the key
arrived, and prints the command that revokes the old one. With --exec CMD beside
--to-kubernetes - the manifest goes to CMD, whose exit status shows it.

The key is named by its prefix, by --remote (the key of that remote in ~/.trussrc; without
another place the new one goes to every section that holds it), or by --plan, a plan that
b10lint revoke saved.

It asks first, or takes --yes. A key that was used within a day takes --until-idle, which
watches it until nothing uses it any more and then revokes it, or --force-active; a place that holds another value than the old key --overwrite. A journal makes it safe to
end the run at any moment.

Refused, with the reason, is what the API cannot copy: keys that are restricted to
environments, personal keys of someone else, keys of routes and of the gateway.
--downgrade and --model-id narrow what the new key may do; nothing widens it.

The result goes to standard output, or to standard error if the key goes there.`,
		Example: `  b10lint rotate --remote baseten
  b10lint rotate abcdefgh --everywhere --dry-run
  b10lint rotate abcdefgh --to-dotenv .env --variable BASETEN_API_KEY
  b10lint rotate abcdefgh --to-dotenv .env --to-github BASETEN_API_KEY --repo acme/app
  b10lint rotate abcdefgh --to-kubectl baseten --secret-key api-key --namespace ml
  b10lint rotate abcdefgh --to-kubernetes - --secret baseten --exec 'kubectl apply -f -'
  b10lint rotate abcdefgh --exec 'vault kv put secret/baseten key=-' --grace 10m
  b10lint rotate --resume ~/.local/state/b10lint/rotate-abcdefgh.jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.answer.to(ui, func(w io.Writer) error { return o.run(c.Context(), env, ui, w, args) })
		},
	}
	o.sink.register(c)
	o.sweep.register(c)
	f := c.Flags()
	f.StringVar(&o.plan, "plan", "", "rotate the keys of the plan in `FILE`")
	f.StringVar(&o.downgrade, "downgrade", "", "give the new key this narrower `TYPE`")
	f.StringArrayVar(&o.models, "model-id", nil, "let the new key call only this model; repeatable")
	f.BoolVar(&o.unscoped, "assume-unscoped", false, "assume the key is not restricted to environments when the audit log does not say")
	f.Var(&o.grace, "grace", "let the old key live for so long after the new one works")
	f.Var(&o.idle, "until-idle", "revoke the old key only when nothing has used it for so long (2h); until then, watch it")
	f.StringVar(&o.journal, "journal", "", "keep the journal in this `FOLDER` (default: ~/.local/state/b10lint)")
	f.StringVar(&o.resume, "resume", "", "finish what the run of this `JOURNAL` began")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done and do nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "rotate without being asked")
	f.BoolVar(&o.overwrite, "overwrite", false, "deliver also where another value is than the old key, which is lost")
	f.BoolVar(&o.force, "force-active", false, "rotate also a key that was used within a day")
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
	*account
	env Env
	ui  *UI
	out io.Writer // of the results
}

func (o *rotateOptions) run(ctx context.Context, env Env, ui *UI, w io.Writer, args []string) error {
	named := len(args) + count(o.plan != "", o.resume != "")
	switch {
	case named == 0 && o.api.remote == "":
		return usage("pass a prefix, --remote NAME, --plan FILE or --resume JOURNAL", "nothing says which key to rotate")
	case named > 1:
		return usage("name the key in one way", "a prefix, --plan and --resume were given together")
	case o.resume != "" && len(o.sink.given()) > 0:
		return usage("leave it out", "the journal says where the key is delivered to")
	case o.grace.value > 0 && o.idle.value > 0:
		return usage("pass one of them", "--grace and --until-idle both say when the old key is revoked")
	case (o.sweep.report != "" || len(o.sweep.skip) > 0) && !o.sweep.on:
		return usage("add --everywhere, or leave them out", "--scan-report and --skip have no use without --everywhere")
	case o.sweep.on && (o.plan != "" || o.resume != ""):
		return usage("rotate one key after the other; a journal names its places", "--everywhere takes one key, and not --plan or --resume")
	case o.resume == "":
		if err := o.sink.check(o.api.remote != "" || o.sweep.on); err != nil {
			return err
		}
	}
	access := o.api
	if access.keyFile != "" || access.keyStdin || access.profile != "" {
		access.remote = "" // another credential was named, so the remote is only what is rotated
	}
	account, err := access.open(env)
	if err != nil {
		return err
	}
	x := &rotator{rotateOptions: o, account: account, env: env, ui: ui, out: w}
	if o.resume != "" {
		return x.resumeOne(ctx)
	}
	prefixes, err := o.targets(env, args)
	if err != nil {
		return err
	}
	if len(prefixes) > 1 && !o.sink.perKey() {
		return usage("put {prefix} or {name} into the path or the name that the keys are delivered to",
			"the plan has %d keys, and they would all be delivered to one place", len(prefixes))
	}
	dir, err := journalFolder(env, o.journal)
	if err != nil {
		return err
	}
	// A failure ends it: what is left of a plan is rotated by running it again, when the
	// rotated keys are gone.
	for _, prefix := range prefixes {
		if err := x.one(ctx, dir, prefix); err != nil {
			return err
		}
	}
	return nil
}

// targets are the prefixes of the keys to rotate.
func (o *rotateOptions) targets(env Env, args []string) (prefixes []string, err error) {
	switch {
	case o.plan != "":
		plan, err := revoke.LoadPlan(o.plan)
		if err != nil {
			return nil, usage("a plan is made with b10lint revoke --plan FILE --dry-run", "%w", err)
		}
		for _, it := range plan.Items {
			prefixes = append(prefixes, it.Prefix)
		}
		return prefixes, nil
	case len(args) == 1:
		return prefixArguments(args...)
	}
	c, err := (&api{remote: o.api.remote}).credential(env)
	if p := c.Key.Prefix(); err == nil && !isPrefix(p) {
		err = usage("--remote names a section of ~/.trussrc that holds a key", "%s is not a Baseten key", c.From)
	}
	return []string{c.Key.Prefix()}, err
}

func (x *rotator) one(ctx context.Context, dir, prefix string) error {
	survey, err := x.survey(ctx, "looking the key up")
	if err != nil {
		return err
	}
	name := ""
	for _, k := range survey.Keys {
		if k.Prefix == prefix {
			name = k.Name
		}
	}
	specs, found, err := x.places(ctx, prefix, name)
	if err != nil {
		return err
	}
	plan, err := revoke.PlanRotation(ctx, x.client, survey, revoke.RotateRequest{Prefix: prefix, Downgrade: typeOf(x.downgrade),
		ModelIDs: x.models, AssumeUnscoped: x.unscoped, Grace: x.grace.value, UntilIdle: x.idle.value, Sinks: specs, Overwrite: x.overwrite, ForceActive: x.force})
	var refused *revoke.RefusedError
	switch {
	case errors.As(err, &refused):
		return &exitError{code: ExitIncomplete, err: err, hints: []string{refused.Hint}}
	case err != nil:
		return apiFailed(ctx, "planning the rotation", err)
	case plan.KeepOld && (plan.Grace > 0 || plan.UntilIdle > 0):
		return usage("leave it out", "--grace and --until-idle have no use where the key goes into a stream: the old key is not revoked then")
	}
	if found != nil {
		plan.ByHand, plan.LeftAlone = found.byHand, found.gaps
	}
	places, err := x.agree(ctx, plan)
	if err != nil || x.dryRun {
		return err
	}
	rotation, err := revoke.BeginRotation(ctx, dir, plan, x.with(places))
	if err != nil {
		return notBegun(err, "nothing was changed")
	}
	return x.finish(ctx, rotation, plan)
}

// agree checks the places of a plan, shows it and asks, until it is agreed to: of places
// that were searched for, the person can leave some out. It returns the places.
func (x *rotator) agree(ctx context.Context, plan *revoke.RotationPlan) ([]revoke.Sink, error) {
	warnings := plan.Warnings
	for {
		if len(plan.Sinks) == 0 {
			return nil, usage("name where the new key goes, as well", "no place is left that holds the key %s and can be written to", plan.Old.Prefix)
		}
		places, err := openSinks(x.env, plan.Sinks)
		if err != nil {
			return nil, err
		}
		if err := plan.Ready(ctx, places); err != nil {
			hint := "nothing was changed"
			switch {
			case x.sweep.on:
				hint = "leave the place out with --skip, by its name in the plan; nothing was changed"
			case errors.Is(err, revoke.ErrOtherValue):
				hint = "deliver to a place that holds the key, or add --overwrite"
			}
			return nil, failed(err, hint)
		}
		plan.Warnings = append(slices.Clone(warnings), revoke.Leftovers(places, plan.Old.Prefix)...)
		if x.dryRun {
			return places, failed(plan.WriteText(x.out))
		}
		if !x.yes && !plan.KeepOld && !x.env.canAsk(x.api.keyStdin) {
			return nil, usage("review it with --dry-run, then pass --yes", "standard input is not a terminal, so there is no one to ask whether to rotate the key")
		}
		if err := plan.WriteText(x.env.Stderr); err != nil {
			return nil, failed(err)
		}
		if x.yes || plan.KeepOld {
			return places, nil
		}
		question := "The old key is revoked when the new one is in its place. Type rotate to go on: "
		if x.sweep.on && len(plan.Sinks) > 1 {
			question = "The old key is revoked when the new one is in these places. Type rotate to go on, or the numbers of places to skip: "
		}
		answer, err := x.env.ask(ctx, question, "nothing was changed")
		switch left, ok := without(plan.Sinks, answer); {
		case err != nil:
			return nil, err
		case answer == "rotate":
			return places, nil
		case x.sweep.on && ok:
			plan.Sinks = left
		default:
			return nil, usage("type the word to go on", "not confirmed: nothing was changed")
		}
	}
}

// without leaves out the places of the numbers in an answer. Any other word refuses it.
func without(specs []revoke.SinkSpec, answer string) (left []revoke.SinkSpec, ok bool) {
	drop := map[int]bool{}
	for _, word := range strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(specs) {
			return nil, false
		}
		drop[n] = true
	}
	for i, s := range specs {
		if !drop[i+1] {
			left = append(left, s)
		}
	}
	return left, len(drop) > 0
}

// places are where the new key goes: what the flags name, and with --everywhere what is
// found; without either, the sections of ~/.trussrc that hold the old key, of which
// --remote named one.
func (x *rotator) places(ctx context.Context, prefix, name string) (specs []revoke.SinkSpec, found *search, err error) {
	specs, err = x.sink.specs(ctx, x.env, prefix, name)
	switch {
	case err != nil:
		return nil, nil, err
	case x.sweep.on:
		if found, err = x.everywhere(ctx, prefix); err != nil {
			return nil, nil, err
		}
		return found.specs(specs), found, nil
	case len(specs) > 0:
		return specs, nil, nil
	}
	holding, err := revoke.TrussrcHolding(x.env.trussrc(), prefix)
	if err != nil {
		return nil, nil, failed(err, "nothing was changed")
	}
	if len(holding) == 0 {
		return nil, nil, usage("name where the new key goes", "no section of %s holds the key %s", report.Visible(x.env.trussrc()), prefix)
	}
	for _, h := range holding {
		specs = append(specs, h.Sink)
	}
	return specs, nil, nil
}

func (x *rotator) with(places []revoke.Sink) revoke.RotateOptions {
	o := revoke.RotateOptions{Client: x.client, Self: x.self(), NewProbe: x.probe, Sinks: places, Credential: x.name(),
		Note: func(text string) { x.status(""); fmt.Fprintln(x.env.Stderr, report.Visible(text)) }, Progress: x.status}
	if x.noProbe {
		o.NewProbe = nil
	}
	return o
}

// status shows a line on a terminal in the place of the one before; an empty one takes it away.
func (x *rotator) status(text string) {
	if isTerminal(x.env.Stderr) {
		fmt.Fprint(x.env.Stderr, "\r\x1b[K"+report.Visible(text))
	}
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
	places, err := openSinks(x.env, plan.Sinks)
	if err != nil {
		return err
	}
	rotation, err := revoke.ResumeRotation(path, x.with(places))
	if err != nil {
		return notBegun(err, "nothing was changed")
	}
	return x.finish(ctx, rotation, plan)
}

// errByHand is in the error of a rotation that came to its end and leaves places to a person.
var errByHand = errors.New("to be changed by hand")

// finish runs a rotation and reports what became of it.
func (x *rotator) finish(ctx context.Context, rotation *revoke.Rotation, plan *revoke.RotationPlan) error {
	// A closed pipe must be a failed delivery, not the end of the process.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	fmt.Fprintf(x.env.Stderr, "journal: %s\n", report.Visible(rotation.Journal()))
	res, err := rotation.Run(ctx)
	x.status("")
	out := x.out
	if out == x.env.Stdout && plan.KeepOld {
		out = x.env.Stderr
	}
	write := res.WriteText
	if x.answer.format.value == "json" {
		write = res.WriteJSON
	}
	err = errors.Join(err, write(out))
	hint := ""
	if res.Resume != "" {
		hint = "to go on: " + res.Resume
	}
	switch {
	case err == nil && res.OldGone && len(res.ByHand) > 0:
		return &exitError{code: ExitIncomplete, err: fmt.Errorf("the old key is revoked, and %d %s %w",
			len(res.ByHand), english.Plural(len(res.ByHand), "place that held it is", "places that held it are"), errByHand)}
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{code: ExitInterrupted, err: err, hints: []string{hint}}
	case res.State == "unfinished":
		return &exitError{code: ExitIncomplete, err: err, hints: []string{hint}}
	}
	return failed(err)
}
