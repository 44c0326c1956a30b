package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
	"github.com/b10lint/b10lint/rules"
	"github.com/b10lint/b10lint/scanner"
)

// find scans the targets and proves what was found. The report has no secret half, so a
// later run goes on from it.
func (x *incident) find(ctx context.Context) (err error) {
	if x.state.Found {
		x.report, err = readReport(x.env, "", x.file("report.json"))
		return err
	}
	scan := defaultScan()
	targets, args, err := scan.targets(x.env, x.state.Targets)
	if err != nil {
		return err
	}
	verifier, err := newVerifier(x.env, &x.api, byProof, "")
	if err != nil {
		return err
	}
	progress := &scanner.Progress{}
	stop := x.ui.progress(progress, false)
	defer stop()
	run := finding.Run{Tool: tool(), Command: "scan", Targets: args, Started: time.Now().UTC(), Rules: rules.Catalogue()}
	r, found, err := scan.read(ctx, run, targets, progress, nil)
	if err == nil && !r.Summary.Interrupted {
		x.look(ctx, r)
		found.Verify(ctx, &r, verifier)
	}
	settle(&r, targets, found, false, func(*scanTarget) bool { return false })
	stop()
	switch {
	case ctx.Err() != nil || r.Summary.Interrupted:
		return &exitError{code: ExitInterrupted, err: errors.New("interrupted: nothing was changed")}
	case err != nil:
		return failed(err, "nothing was changed")
	}
	for _, p := range r.Problems {
		if strings.HasPrefix(p.Error, "verification: ") && !p.Warning {
			return &exitError{code: ExitFailed, err: errors.New(p.Error), hints: []string{p.Hint, "nothing was changed: the keys are not proved yet"}}
		}
	}
	x.report = r
	if err := x.writeReport(); err != nil {
		return failed(err, "nothing was changed")
	}
	x.state.Found = true
	return x.save()
}

// writeReport writes the report in the forms that people and programs read.
func (x *incident) writeReport() error {
	for _, format := range []string{"json", "html"} {
		var b bytes.Buffer
		if err := report.Write(format, &b, x.report, report.Options{Rules: Catalogue()}); err != nil {
			return err
		}
		if err := x.write("report."+format, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// journals are those of the folder's runs of one kind, the newest last.
func (x *incident) journals(kind string) (paths []string, err error) {
	entries, err := os.ReadDir(x.file(journalsIn))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), kind+"-") && filepath.Ext(e.Name()) == ".jsonl" {
			paths = append(paths, filepath.Join(x.file(journalsIn), e.Name()))
		}
	}
	return paths, err
}

// makePlan makes the plan, or takes up the one that was agreed to and still holds.
func (x *incident) makePlan(ctx context.Context) error {
	if x.state.Confirmed != "" {
		plan, err := revoke.LoadPlan(x.file("plan.json"))
		if err == nil && plan.Digest == x.state.Confirmed {
			x.plan = plan
			begun, err := x.journals("revoke")
			if err != nil || len(begun) > 0 {
				return failed(err)
			}
			survey, err := x.survey(ctx, "looking the keys up")
			if err != nil {
				return err
			}
			if err = plan.Agree(survey); err == nil {
				return nil
			}
			x.ui.warn(err.Error(), "a new plan is made, and asked about")
		}
	}
	x.state.Confirmed = ""
	request := x.flags.request()
	for _, f := range x.report.Findings {
		if w, ok := wantedOf(f, false); ok {
			request.Wanted = append(request.Wanted, w)
		}
	}
	plan, err := x.newPlan(ctx, request)
	if err != nil {
		return err
	}
	x.plan = plan
	return failed(plan.WriteText(x.env.Stderr))
}

// question asks, unless it was answered by an earlier run or there is nothing to ask.
func (x *incident) question(ctx context.Context) error {
	if x.state.Confirmed != "" || len(x.plan.Items) == 0 {
		return nil
	}
	for _, it := range x.plan.Items {
		places, err := x.places(ctx, it)
		if err != nil {
			return err
		}
		for _, p := range places {
			fmt.Fprintf(x.env.Stderr, "rotate  %s: a successor goes into %s first\n", it.Prefix, p)
		}
	}
	plan, err := x.confirm(ctx, x.plan)
	if err != nil {
		return err
	}
	x.plan, x.state.Confirmed = plan, plan.Digest
	return x.save()
}

// rotate puts successors where leaked keys are kept on purpose, which revokes them. A key
// whose rotation fails is revoked all the same: that was agreed to, and it is leaked.
func (x *incident) rotate(ctx context.Context) error {
	if x.rotated = map[string]string{}; x.state.Left == nil {
		x.state.Left = map[string]string{}
	}
	pending, err := revoke.Unfinished(x.file(journalsIn))
	if err != nil {
		return failed(err)
	}
	begun, err := x.journals("rotate")
	if err != nil {
		return failed(err)
	}
	revoked, err := x.journals("revoke")
	if err != nil {
		return failed(err)
	}
	for i := range x.plan.Items {
		it := &x.plan.Items[i]
		path := x.file(filepath.Join(journalsIn, "rotate-"+url.PathEscape(it.Prefix)+".jsonl"))
		rotator := x.rotator()
		switch {
		case slices.ContainsFunc(pending, func(p revoke.Pending) bool { return p.Path == path }):
			rotator.resume = path
			err = rotator.resumeOne(ctx)
		case slices.Contains(begun, path):
			err = nil
		case len(revoked) > 0:
			continue
		default:
			var places []revoke.SinkSpec
			if places, err = x.places(ctx, *it); err == nil && len(places) == 0 {
				continue
			}
			if err == nil {
				err = rotator.one(ctx, x.file(journalsIn), it.Prefix)
			}
		}
		if ctx.Err() != nil {
			return &exitError{code: ExitInterrupted, err: errors.New("interrupted while keys were rotated")}
		}
		if err != nil && !errors.Is(err, errByHand) { // those places are in the report
			x.state.Left[it.Prefix] = "rotating " + it.Prefix + ": " + err.Error()
			x.ui.warn(x.state.Left[it.Prefix], "it is revoked nevertheless; where it was kept, something needs a new key")
			continue
		}
		if slices.ContainsFunc(pending, func(p revoke.Pending) bool { return p.Path == path }) {
			delete(x.state.Left, it.Prefix)
		}
		x.rotated[it.Prefix] = "its rotation revoked it; journal " + path
	}
	for _, prefix := range slices.Sorted(maps.Keys(x.state.Left)) {
		x.left = append(x.left, x.state.Left[prefix])
	}
	return x.save()
}

// places are where a successor of a key belongs, by the report and ~/.trussrc: what holds
// the key itself and what git does not see; with --everywhere also the stores behind kubectl,
// glab and gh. There is none for a key that is not to be rotated.
func (x *incident) places(ctx context.Context, it revoke.Item) ([]revoke.SinkSpec, error) {
	if x.noRotate || it.Self || it.Kind != revoke.AccountKey {
		return nil, nil
	}
	found, err := x.rotator().everywhere(ctx, it.Prefix)
	if err != nil {
		return nil, err
	}
	return found.specs(nil), nil
}

// rotator is what the rotate command works with, without questions.
func (x *incident) rotator() *rotator {
	o := &rotateOptions{api: x.incidentOptions.api, yes: true, force: true, sweep: everywhereFlags{on: true, report: x.file("report.json")}}
	if !x.everywhere || x.state.Drill {
		o.sweep.skip = []string{revoke.KindKubectl, revoke.KindGitLab, revoke.KindGitHub}
	}
	o.sink.register(&cobra.Command{})
	return &rotator{rotateOptions: o, account: x.account, env: x.env, ui: x.ui, out: x.env.Stderr}
}

// note keeps an error for TODO.md and goes on.
func (x *incident) note(ctx context.Context, doing string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	var e *exitError
	hints := []string{}
	if errors.As(err, &e) {
		hints = e.hints
	}
	x.ui.warn(doing+": "+err.Error(), hints...)
	x.left = append(x.left, doing+": "+strings.TrimSuffix(err.Error()+"; "+strings.Join(hints, "; "), "; "))
}

// revoke carries out the rest of the plan, or finishes what an earlier run began. Every
// key of the plan is in the receipt; those that were rotated are gone by then.
func (x *incident) revoke(ctx context.Context) error {
	begun, err := x.journals("revoke")
	switch {
	case err != nil:
		return failed(err)
	case len(begun) > 0:
		x.receipt, err = x.revocation.resume(ctx, begun[len(begun)-1])
	case len(x.plan.Items) == 0:
		x.receipt = x.plan.Receipt(x.name(), "", time.Now())
		err = x.saveReceipt(x.receipt)
	default:
		x.receipt, err = x.begin(ctx, x.plan)
	}
	if x.receipt != nil {
		var b bytes.Buffer
		err = errors.Join(err, x.receipt.WriteMarkdown(&b), x.write("receipt.md", b.Bytes()), x.receipt.WriteText(x.env.Stderr))
	}
	return x.status(ctx, x.receipt, false, err)
}

// timelines writes the story of each key that was found, planned or created by one.
func (x *incident) timelines(ctx context.Context) error {
	var prefixes []string
	for _, it := range x.plan.Items {
		prefixes = append(append(prefixes, it.Prefix), it.Made...)
	}
	for _, f := range x.report.Findings {
		if w, ok := wantedOf(f, false); ok && !w.Forged {
			prefixes = append(prefixes, f.Prefix)
		}
	}
	slices.Sort(prefixes)
	prefixes = slices.Compact(prefixes)
	if len(prefixes) == 0 {
		return nil
	}
	inventory, err := baseten.Gather(ctx, x.client, audit.Sources()...)
	switch {
	case ctx.Err() != nil:
		return &exitError{code: ExitInterrupted, err: errors.New("interrupted: the timelines are not written")}
	case err != nil:
		x.note(ctx, "the timelines, for which Baseten could not be asked", err)
		return nil
	}
	var leaks []audit.Leak
	for _, f := range x.report.Standing() {
		leaks = append(leaks, audit.Leak{Finding: f, From: "report.json"})
	}
	for _, prefix := range prefixes {
		t := audit.Timeline(inventory, prefix, leaks)
		for _, format := range []string{"json", "html"} {
			var b bytes.Buffer
			err := report.WriteTimeline(&b, format, t)
			if err == nil {
				err = x.write("timeline-"+url.PathEscape(prefix)+"."+format, b.Bytes())
			}
			if err != nil {
				return failed(err)
			}
		}
	}
	return nil
}
