package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/secret"
)

// notPlanned and the states of package revoke are what an outcome says.
const notPlanned = "not-planned"

// scanRevoke are the flags of scan that have to do with revocation.
type scanRevoke struct {
	on      bool
	rewrite string
	flags   revocationFlags
	set     func(name string) bool
}

func (s *scanRevoke) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&s.on, "revoke", false, "revoke the leaked keys that are live and ours; implies --verify")
	f.StringVar(&s.rewrite, "rewrite-script", "", "write a `FILE` for git filter-repo --replace-text that takes the found keys out of a history; it holds the keys")
	s.flags.register(c)
	s.set = f.Changed
}

// check refuses combinations that mean nothing.
func (s *scanRevoke) check(env Env, stdinTaken bool) error {
	if s.on {
		return s.flags.check(env, stdinTaken)
	}
	for _, name := range []string{"dry-run", "plan", "include-self", "force-active", "by-prefix", "children", "max", "journal", "receipt", "verify-dead"} {
		if s.set(name) {
			return usage("add --revoke, or leave it out", "--%s has no use without --revoke", name)
		}
	}
	return nil
}

// mode is the way to verify that revocation takes, for the one that was asked for.
func (s *scanRevoke) mode(asked string) (string, error) {
	switch {
	case !s.on:
		return asked, nil
	case s.flags.byPrefix:
		return cmp.Or(asked, byInventory), nil
	case asked == byInventory:
		return "", usage("leave --verify out, or add --by-prefix to revoke by the public prefixes alone",
			"--verify=inventory sends no found key, and --revoke has to: only this distinguishes a leaked key from a made-up one")
	case asked == "":
		return byProof, nil
	}
	return byProofAndProbe, nil
}

// finish does what the flags ask with the keys that were found, which are by
// fingerprint, and sets in r what became of each. What goes wrong does not cost the
// report: it makes the run incomplete, and a receipt of what was done is written.
func (s *scanRevoke) finish(ctx context.Context, env Env, x *revocation, r *finding.Report, found *scanner.Found) error {
	var errs []error
	if s.rewrite != "" {
		errs = append(errs, writeRewrite(env, s.rewrite, r.Standing(), found))
	}
	if x != nil && !r.Summary.Interrupted {
		if err := revokeFound(ctx, env, x, r, found); err != nil {
			p := finding.Problem{Error: "revocation: " + err.Error()}
			if e := (*exitError)(nil); errors.As(err, &e) && len(e.hints) > 0 {
				p.Hint = e.hints[0]
			}
			r.Problems = append(r.Problems, p)
			r.Summary.Complete = false
			errs = append(errs, err)
		}
	}
	err := errors.Join(errs...)
	if e := (*exitError)(nil); err == nil || errors.As(err, &e) {
		if e != nil && e.code == ExitUsage { // the scan was done: only the revocation was not
			e.code = ExitIncomplete
		}
		return err
	}
	return failed(fmt.Errorf("after the scan: %w", err))
}

// revokeFound plans, asks, revokes and sets the outcomes.
func revokeFound(ctx context.Context, env Env, x *revocation, r *finding.Report, found *scanner.Found) error {
	request := x.flags.request()
	x.keys = map[string]secret.Secret{}
	for _, f := range r.Findings {
		if w, ok := wantedOf(f, x.flags.byPrefix); ok {
			request.Wanted = append(request.Wanted, w)
			if _, have := x.keys[f.Prefix]; !w.Forged && (!have || w.Proof == revoke.ByProbe) {
				x.keys[f.Prefix] = found.Keys[f.Fingerprint].Secret
			}
		}
	}
	request.Kept = keptOn(r.Findings)
	if len(request.Wanted) == 0 {
		setOutcomes(r, nil, nil, "")
		none := &revoke.Plan{Made: time.Now().UTC(), Endpoint: x.options.Endpoints.Management.String(), Items: []revoke.Item{}, Kept: request.Kept}
		var err error
		if len(none.Kept) > 0 {
			err = none.WriteText(env.Stderr)
		}
		return errors.Join(err, x.receiptOfNone(none, ""))
	}
	plan, err := x.newPlan(ctx, request)
	if err != nil {
		setOutcomes(r, nil, nil, "there is no plan: "+err.Error())
		return err
	}
	if x.flags.dryRun {
		setOutcomes(r, plan, nil, "")
		return errors.Join(plan.WriteText(env.Stderr), x.receiptOfNone(plan, "dry run: nothing was sent"))
	}
	receipt, err := x.carryOut(ctx, plan)
	if receipt != nil {
		err = errors.Join(err, receipt.WriteText(env.Stderr))
	}
	setOutcomes(r, plan, receipt, "the plan was not carried out")
	return x.status(ctx, receipt, false, err)
}

// keptOn are the keys of findings that are not leaked, since they are where users are meant
// to keep them. A dead one needs no word.
func keptOn(findings []finding.Finding) (kept []revoke.Left) {
	for _, f := range findings {
		if f.Prefix == "" || f.Suppression != nil || leaks(f) || f.Liveness != nil && f.Liveness.State == finding.Dead {
			continue
		}
		l := revoke.Left{What: f.Prefix, Reason: "it is where keys are kept on purpose, so it is not leaked",
			Hint: "b10lint revoke " + f.Prefix + " revokes it, b10lint rotate " + f.Prefix + " --everywhere replaces it"}
		for _, at := range f.Locations {
			l.Places = append(l.Places, placeOf(at))
		}
		kept = append(kept, l)
	}
	return kept
}

// setOutcomes says of each finding what became of its key. otherwise is for keys
// that were to be revoked, without a receipt; empty: it was a dry run.
func setOutcomes(r *finding.Report, plan *revoke.Plan, receipt *revoke.Receipt, otherwise string) {
	known := map[string]*finding.Outcome{}
	if plan != nil {
		for _, l := range append(slices.Clone(plan.Refused), plan.Unmatched...) {
			detail := strings.TrimSuffix(l.Reason+": "+l.Hint, ": ")
			known[l.What] = &finding.Outcome{State: notPlanned, Detail: detail}
		}
	}
	if receipt != nil {
		for _, e := range receipt.Entries {
			known[e.Prefix] = outcomeOf(e, receipt.Resume)
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		w, wanted := wantedOf(*f, false)
		switch {
		case wanted && w.Forged:
			f.Outcome = &finding.Outcome{State: notPlanned, Detail: "Baseten does not accept this key: there is nothing to revoke"}
		case wanted && known[f.Prefix] != nil:
			f.Outcome = known[f.Prefix]
			if f.Outcome.Dead() { // its headline and severity are those of a revoked key
				one := finding.Report{Targets: r.Targets, Findings: []finding.Finding{*f}}
				rules.Derive(&one)
				*f = one.Findings[0]
			}
		case wanted && otherwise == "":
			f.Outcome = &finding.Outcome{State: "planned", Detail: "dry run: nothing was revoked"}
		case wanted:
			f.Outcome = &finding.Outcome{State: notPlanned, Detail: otherwise}
		case f.Prefix != "" && f.Liveness != nil && f.Liveness.State == finding.Dead:
			f.Outcome = &finding.Outcome{State: notPlanned, Detail: "Baseten does not accept this key: there is nothing to revoke"}
		case f.Prefix != "" && f.Suppression == nil:
			f.Outcome = &finding.Outcome{State: notPlanned, Detail: "it is where keys are kept on purpose; b10lint revoke " + f.Prefix +
				" revokes it, b10lint rotate replaces it"}
		}
	}
}

func outcomeOf(e revoke.Entry, resume string) *finding.Outcome {
	o := &finding.Outcome{State: e.State, At: e.At, Detail: strings.Join(e.Evidence, "; ")}
	if e.Error != "" || e.State == revoke.NotAttempted || e.State == revoke.Failed {
		o.State = revoke.Failed
		o.Detail = strings.TrimPrefix(e.Error+"; to finish: "+resume, "; ")
	}
	return o
}
