package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
	"github.com/b10lint/b10lint/secret"
)

// notPlanned and the states of package revoke are what an outcome says.
const notPlanned = "not-planned"

// scanRevoke are the flags of scan that have to do with revocation, and what a
// scan has found for it.
type scanRevoke struct {
	on      bool
	rewrite string
	yes     *bool // --yes, which scan --home has, too
	flags   revocationFlags
	found   map[string]secret.Secret // by fingerprint
	set     func(name string) bool
}

func (s *scanRevoke) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&s.on, "revoke", false, "revoke the leaked keys that are live and ours; implies --verify")
	f.StringVar(&s.rewrite, "rewrite-script", "", "write a `FILE` for git filter-repo --replace-text that takes the found keys out of a history; it holds the keys")
	s.flags.register(c)
	s.set = f.Changed
}

// prepare checks the flags, and has the keys verified if they are to be revoked.
func (s *scanRevoke) prepare(env Env, verify *verifyFlags, targets []string) error {
	if !s.on {
		for _, name := range []string{"dry-run", "plan", "include-self", "force-active", "max", "journal", "receipt", "verify-dead"} {
			if s.set(name) {
				return usage("add --revoke, or leave it out", "--%s has no use without --revoke", name)
			}
		}
		return nil
	}
	s.flags.yes = *s.yes
	if verify.mode.value == "" {
		verify.mode.value = byInventory
	}
	return s.flags.check(env, slices.Contains(targets, "-") || verify.api.keyStdin)
}

// keep remembers the found keys, which the findings do not hold.
func (s *scanRevoke) keep() func(finding.Finding, secret.Secret) {
	if !s.on && s.rewrite == "" {
		return nil
	}
	s.found = map[string]secret.Secret{}
	return func(f finding.Finding, k secret.Secret) { s.found[f.Fingerprint] = k }
}

// handler returns what stands between the scanner and the reports, and a function
// that has the last word on how the scan ends. Without --revoke and
// --rewrite-script that is nothing.
func (s *scanRevoke) handler(ctx context.Context, env Env, ui *UI, a *api, to finding.Handler) (finding.Handler, func(error) error, error) {
	if !s.on && s.rewrite == "" {
		return to, func(scan error) error { return scan }, nil
	}
	r := &revoker{ctx: ctx, env: env, to: to, s: s}
	if s.on {
		var err error
		if r.revocation, err = newRevocation(env, ui, &s.flags, a); err != nil {
			return nil, nil, err
		}
	}
	return r, r.result, nil
}

// A revoker holds a run's events back until the keys that were found have been
// revoked, so that every report tells what became of each.
type revoker struct {
	ctx        context.Context
	env        Env
	to         finding.Handler
	s          *scanRevoke
	revocation *revocation // nil: nothing is revoked
	run        finding.Run
	findings   []finding.Finding
	problems   []finding.Problem
	err        error // of the revocation
}

// Start implements finding.Handler.
func (r *revoker) Start(run finding.Run) error {
	r.run = run
	return nil
}

// Finding implements finding.Handler.
func (r *revoker) Finding(f finding.Finding) error {
	r.findings = append(r.findings, f)
	return nil
}

// Problem implements finding.Handler.
func (r *revoker) Problem(p finding.Problem) error {
	r.problems = append(r.problems, p)
	return nil
}

// Finish revokes, and then hands everything on. What goes wrong with the
// revocation does not cost the report.
func (r *revoker) Finish(s finding.Summary) error {
	if r.s.rewrite != "" {
		r.err = r.s.writeRewrite(r.env, r.findings)
	}
	if r.revocation != nil && !s.Interrupted {
		if err := r.revoke(); err != nil {
			r.err = errors.Join(r.err, err)
			s.Complete = false
		}
	}
	if err := r.to.Start(r.run); err != nil {
		return err
	}
	for _, f := range r.findings {
		if err := r.to.Finding(f); err != nil {
			return err
		}
	}
	for _, p := range r.problems {
		if err := r.to.Problem(p); err != nil {
			return err
		}
	}
	return r.to.Finish(s)
}

// revoke plans, asks, revokes and sets the outcomes.
func (r *revoker) revoke() error {
	x := r.revocation
	request := x.flags.request()
	x.keys = map[string]secret.Secret{}
	for _, f := range r.findings {
		if w, ok := wantedOf(f); ok {
			request.Wanted = append(request.Wanted, w)
			x.keys[f.Prefix] = r.s.found[f.Fingerprint]
		}
	}
	if len(request.Wanted) == 0 {
		r.outcomes(nil, nil, "")
		return nil
	}
	plan, err := x.newPlan(r.ctx, request)
	if err != nil {
		r.outcomes(nil, nil, "there is no plan: "+err.Error())
		return r.problem(err)
	}
	if x.flags.dryRun {
		r.outcomes(plan, nil, "dry run: it would be revoked")
		return plan.WriteText(r.env.Stderr)
	}
	receipt, err := x.carryOut(r.ctx, plan)
	if receipt != nil {
		err = errors.Join(err, receipt.WriteText(r.env.Stderr))
	}
	r.outcomes(plan, receipt, "the plan was not carried out")
	return r.problem(x.status(r.ctx, receipt, false, err))
}

// problem puts an error of the revocation into the report, too.
func (r *revoker) problem(err error) error {
	if err == nil {
		return nil
	}
	p := finding.Problem{Error: "revocation: " + err.Error()}
	if e := (*exitError)(nil); errors.As(err, &e) && len(e.hints) > 0 {
		p.Hint = e.hints[0]
	}
	r.problems = append(r.problems, p)
	return err
}

// outcomes says of each finding what became of its key. otherwise is for keys
// that were to be revoked, without a receipt.
func (r *revoker) outcomes(plan *revoke.Plan, receipt *revoke.Receipt, otherwise string) {
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
	for i := range r.findings {
		f := &r.findings[i]
		_, wanted := wantedOf(*f)
		switch {
		case wanted && known[f.Prefix] != nil:
			f.Outcome = known[f.Prefix]
			if s := f.Outcome.State; s == revoke.Revoked || s == revoke.AlreadyGone {
				rules.Revoked(f)
			}
		case wanted:
			f.Outcome = &finding.Outcome{State: notPlanned, Detail: otherwise}
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

// options adds to a scan's options what revoking and rewriting need.
func (s *scanRevoke) options(o scanner.Options) scanner.Options {
	o.Keys = s.keep()
	return o
}

// result returns the exit status of the scan, unless the revocation has a worse
// one: a key that should be dead and is not outranks findings.
func (r *revoker) result(scan error) error {
	if r.err == nil {
		return scan
	}
	if e := (*exitError)(nil); errors.As(r.err, &e) {
		return r.err
	}
	return failed(fmt.Errorf("after the scan: %w", r.err))
}
