package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/secret"
)

// revokeOptions are the flags of revoke.
type revokeOptions struct {
	revocation revocationFlags
	api        api
	names      []string
	from       string
	rules      []string // of an audit's report
	team       string
	owner      string
	unused     duration
	apply      string
	resume     string
	keys       string
	answer     answer
}

func newRevoke(env Env, ui *UI) *cobra.Command {
	o := &revokeOptions{}
	c := &cobra.Command{
		Use:   "revoke [PREFIX...]",
		Short: "Revoke keys by a plan, with a journal and a receipt",
		Long: `Revoke takes keys out of service, for good. It matches what it is asked for with
Baseten's list of keys, shows for each key what it is, who owns it, what it may do,
when it was last used and what will stop, asks, revokes, reads the list again until
the keys are gone, and writes a receipt. What does not match exactly is listed and
never guessed.

Kept back are: the key that b10lint itself uses, unless --include-self; a key that
was used within a day and is not known to be leaked, unless --force-active; a key that cannot be distinguished from another; and everything when the plan holds more than --max.

A journal on disk makes it safe to end the run at any moment: --resume JOURNAL goes on,
and --resume alone lists the journals that are not finished.

Exit status: 0 if every key that was asked for is revoked, 3 if some are not.`,
		Example: `  b10lint revoke abcdefgh
  b10lint revoke --from report.json --dry-run
  b10lint revoke --unused 90d --plan plan.json --dry-run
  b10lint revoke --apply plan.json --yes -f markdown -o receipt.md
  b10lint revoke --resume ~/.local/state/b10lint/revoke-20261121-120000-abc234.jsonl`,
		RunE: func(c *cobra.Command, prefixes []string) error {
			return o.answer.to(ui, func(w io.Writer) error { return o.run(c.Context(), env, ui, w, prefixes) })
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.names, "name", nil, "revoke the one key of this name; repeatable")
	f.StringVar(&o.from, "from", "", "revoke the keys of this saved JSON `REPORT` (- is standard input)")
	f.StringArrayVar(&o.rules, "rule", nil, "with --from and an audit's report: revoke the keys that this `RULE` reports; repeatable")
	f.StringVar(&o.team, "team", "", "with --rule: only keys of this team")
	f.StringVar(&o.owner, "owner", "", "with --rule: only personal keys of this member")
	f.Var(&o.unused, "unused", "revoke every key that was not used for so long: 90d")
	f.StringVar(&o.apply, "apply", "", "carry out the plan in `FILE`, if the inventory still agrees")
	f.StringVar(&o.resume, "resume", "", "finish what the run of this `JOURNAL` began; without one, list the journals that are not finished")
	f.Lookup("resume").NoOptDefVal = unfinished
	f.StringVar(&o.keys, "keys", "", "for --verify-dead: the keys themselves, one a line in `FILE` (- is standard input)")
	o.answer.formerly = []string{"text", "json", "markdown"}
	o.answer.register(c, "write the receipt, or with --dry-run the plan, in this form", "text", "json", "markdown")
	f.BoolVarP(&o.revocation.yes, "yes", "y", false, "revoke without being asked")
	o.revocation.register(c)
	o.api.register(c)
	return c
}

func (o *revokeOptions) run(ctx context.Context, env Env, ui *UI, w io.Writer, args []string) error {
	if o.resume == unfinished {
		if len(args) != 1 {
			return o.listUnfinished(env, w, args)
		}
		o.resume, args = args[0], nil
	}
	prefixes, err := prefixArguments(args...)
	if err != nil {
		return err
	}
	if err := o.check(env, prefixes); err != nil {
		return err
	}
	r, err := newRevocation(env, ui, &o.revocation, &o.api)
	if err != nil {
		return err
	}
	if o.keys != "" {
		if r.keys, err = o.readKeys(env); err != nil {
			return err
		}
	}
	var receipt *revoke.Receipt
	left := false
	if o.resume != "" {
		receipt, err = r.resume(ctx, o.resume)
	} else {
		var plan *revoke.Plan
		if plan, err = o.plan(ctx, env, r, prefixes); err != nil {
			return err
		}
		left = plan.Left()
		if o.revocation.dryRun {
			return errors.Join(r.receiptOfNone(plan, "dry run: nothing was sent"), o.dryRun(w, plan))
		}
		receipt, err = r.carryOut(ctx, plan)
	}
	if receipt != nil {
		err = errors.Join(err, writeReceipt(w, o.answer.format.value, receipt))
	}
	return r.status(ctx, receipt, left, err)
}

// unfinished is the value of --resume without a journal.
const unfinished = "list"

// listUnfinished names the journals that can be resumed.
func (o *revokeOptions) listUnfinished(env Env, w io.Writer, args []string) error {
	if len(args) > 0 {
		return usage("resume one after the other", "--resume takes one journal")
	}
	dir, err := journalFolder(env, o.revocation.journal)
	if err != nil {
		return err
	}
	pending, err := revoke.Unfinished(dir)
	if err != nil {
		return failed(err)
	}
	if len(pending) == 0 {
		fmt.Fprintf(w, "no run is unfinished in %s\n", report.Visible(dir))
		return nil
	}
	for _, p := range pending {
		fmt.Fprintf(w, "begun %s: %s\n", p.Begun.UTC().Format(time.RFC3339), report.Visible(p.Resume))
	}
	return silent(ExitIncomplete)
}

// check refuses combinations that say two things.
func (o *revokeOptions) check(env Env, prefixes []string) error {
	asked := count(len(prefixes) > 0 || len(o.names) > 0, o.from != "", o.unused.value > 0, o.apply != "", o.resume != "")
	readers := count(o.api.keyStdin, o.from == "-", o.keys == "-")
	switch {
	case asked == 0:
		return usage("name prefixes, or pass --name, --from, --unused, --apply or --resume", "nothing says which keys to revoke")
	case asked > 1 && (o.apply != "" || o.resume != ""):
		return usage("the plan or the journal names the keys", "--apply and --resume take no other keys beside")
	case o.revocation.dryRun && o.resume != "":
		return usage("read the journal: it is lines of JSON", "--dry-run has no use with --resume")
	case o.revocation.dryRun && o.answer.format.value == "markdown":
		return usage("write it as text or json", "a plan is not written as markdown")
	case o.revocation.plan != "" && (o.resume != "" || o.apply != ""):
		return usage("leave out --plan", "--plan saves a new plan, and there is one")
	case len(o.rules) > 0 && o.from == "", (o.team != "" || o.owner != "") && len(o.rules) == 0:
		return usage("they choose from the report of an audit: --from audit.json --rule key-never-used --team research",
			"--rule needs --from, and --team and --owner need --rule")
	case o.revocation.byPrefix && o.from == "":
		return usage("leave it out", "--by-prefix has no use without --from: a key that you name needs no proof")
	case (o.keys != "") != o.revocation.verifyDead:
		return usage("pass both: --verify-dead --keys FILE",
			"to ask Baseten with revoked keys takes the keys themselves, and the wish to")
	case readers > 1:
		return usage("put one of them into a file", "standard input can be read once")
	case o.resume != "":
		return nil // it was confirmed when it was begun
	}
	return o.revocation.check(env, readers > 0)
}

// plan makes the plan that was asked for, or reads it and checks that it holds.
func (o *revokeOptions) plan(ctx context.Context, env Env, r *revocation, prefixes []string) (*revoke.Plan, error) {
	if o.apply != "" {
		plan, err := revoke.LoadPlan(o.apply)
		if err != nil {
			return nil, usage("a plan is made with b10lint revoke --plan FILE", "%w", err)
		}
		if n := len(plan.Items); n > o.revocation.max {
			return nil, usage("raise --max if it is right",
				"nothing was revoked: the plan has %d keys, and at most %d are allowed", n, o.revocation.max)
		}
		survey, err := r.survey(ctx, "looking the keys up")
		if err != nil {
			return nil, err
		}
		if err := plan.Agree(survey); err != nil {
			return nil, failed(err, "nothing was revoked; make a new plan")
		}
		return plan, nil
	}
	request := o.revocation.request()
	request.Names, request.Unused = o.names, o.unused.value
	for _, prefix := range prefixes {
		request.Wanted = append(request.Wanted, revoke.Wanted{Prefix: prefix, Proof: revoke.ByName})
	}
	if o.from != "" {
		saved, err := readReport(env, "--from", o.from)
		if err != nil {
			return nil, err
		}
		if len(o.rules) > 0 || saved.Run.Command == "audit" {
			more, err := o.audited(r.ui, saved)
			if err != nil {
				return nil, err
			}
			request.Wanted = append(request.Wanted, more...)
		} else {
			for _, f := range saved.Findings {
				if w, ok := wantedOf(f, o.revocation.byPrefix); ok {
					request.Wanted = append(request.Wanted, w)
				}
			}
		}
	}
	return r.newPlan(ctx, request)
}

// audited are the keys of an audit's report that rules were named for.
func (o *revokeOptions) audited(ui *UI, saved finding.Report) (list []revoke.Wanted, err error) {
	if saved.Run.Command != "audit" || len(o.rules) == 0 {
		return nil, usage("choose by the rules of an audit: --from audit.json --rule key-never-used",
			"the report of an audit is revoked by --rule, and --rule takes the report of an audit")
	}
	at, unsure := saved.Run.Started, 0
	for _, f := range saved.Standing() {
		if f.Prefix == "" || f.Key == nil || !slices.Contains(o.rules, f.Rule) || o.team != "" && f.Key.Team != o.team || o.owner != "" && f.Key.Owner != o.owner {
			continue
		}
		if f.Rule == "key-unused" && f.Confidence < finding.HighConfidence {
			unsure++
			continue
		}
		w := revoke.Wanted{Prefix: f.Prefix, Proof: revoke.ByName}
		if f.Rule == "key-never-used" || f.Rule == "key-unused" {
			w.Proof, w.UnusedAt = revoke.ByUse, &at
		}
		list = append(list, w)
	}
	if unsure > 0 {
		ui.warn(fmt.Sprintf("%d %s left out: Baseten does not say when the key was last used", unsure, english.Plural(unsure, "finding of key-unused is", "findings of key-unused are")),
			"name such a key by its prefix if you know that it is unused")
	}
	if len(list) == 0 {
		return nil, usage("b10lint convert shows what is in it", "the report has no key of that rule, team and owner")
	}
	return list, nil
}

func (o *revokeOptions) dryRun(w io.Writer, plan *revoke.Plan) error {
	write := plan.WriteText
	if o.answer.format.value == "json" {
		write = plan.WriteJSON
	}
	if err := write(w); err != nil {
		return failed(fmt.Errorf("writing the plan: %w", err))
	}
	if plan.Left() {
		return silent(ExitIncomplete)
	}
	return nil
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
		if s.suspect.Confidence == finding.LowConfidence {
			return nil, usage("each line is a whole key", "--keys: %s is not a whole Baseten key", s.Prefix)
		}
		keys[s.Prefix] = s.suspect.Key
	}
	return keys, nil
}
