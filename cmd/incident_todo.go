package cmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

// conclude writes the report with what became of each key, and TODO.md, and says what is
// in the folder.
func (x *incident) conclude(context.Context) error {
	setOutcomes(&x.report, x.plan, x.receipt, "the plan was not carried out")
	if err := x.writeReport(); err != nil {
		return failed(err)
	}
	todo, n := x.todo()
	if err := x.write("TODO.md", todo); err != nil {
		return failed(err)
	}
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return failed(err)
	}
	fmt.Fprintf(x.out, "%s: %s; %d %s left to be done by hand:\n", report.Visible(x.dir), x.receipt.Count(), n, english.Plural(n, "thing is", "things are"))
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != incidentFile {
			fmt.Fprintf(x.out, "  %s\n", report.Visible(e.Name()))
		}
	}
	if c := x.receipt.Chain; c != nil {
		fmt.Fprintf(x.out, "note in your ticket: the receipt's head %s\n", c.Head)
	}
	return nil
}

// A checklist is TODO.md being written.
type checklist struct {
	b       bytes.Buffer
	n       int
	heading string // of a section without an entry yet; one that stays so is not written
}

func (c *checklist) section(title, text string) { c.heading = "\n## " + title + "\n\n" + text }

func (c *checklist) add(format string, args ...any) {
	c.n++
	c.b.WriteString(c.heading)
	c.heading = ""
	c.b.WriteString("- [ ] " + strings.ReplaceAll(report.Visible(fmt.Sprintf(format, args...)), "\n", " ") + "\n")
}

// todo is what is left to be done by hand: a line with a box each.
func (x *incident) todo() ([]byte, int) {
	c := &checklist{}
	title := "# What is left to be done by hand"
	if x.state.Drill {
		title = "# DRILL: what would be left to be done by hand\n\nNothing here is real: keys, people and places are made up, or were read once and not touched."
	}
	fmt.Fprintf(&c.b, "%s\n\nIncident of %s. Report: report.html. Receipt: receipt.md. To go through it again: `b10lint incident --resume %s`\n",
		title, x.state.Begun.Format(time.RFC3339), shell.Quote(x.dir))
	x.todoKeys(c)
	x.todoDeeds(c)
	x.todoPlaces(c)
	c.section("To know, and to tell", "")
	for _, it := range x.plan.Items {
		if it.Type == "PERSONAL" && it.Owner != "" && !it.Self {
			c.add("Tell %s: their personal key `%s` is revoked", it.Owner, it.Prefix)
		}
		if it.LastUsedAt != nil {
			c.add("`%s` was in use (last %s): %s. See what stopped", it.Prefix, it.LastUsedAt.UTC().Format(time.DateOnly), it.Breaks)
		}
	}
	if x.receipt.Chain != nil {
		c.add("Note the receipt's head where this folder's keeper cannot change it: `%s`. Check it later: `b10lint receipt verify receipt.json --head …`", x.receipt.Chain.Head)
	}
	c.add("Ask Baseten for what it does not show: calls to dedicated deployments and chains, reads, the addresses that calls came from")
	if x.state.Drill {
		c.add("Delete the folder of the drill")
	}
	return c.b.Bytes(), c.n
}

// todoKeys is about the keys that live, or may.
func (x *incident) todoKeys(c *checklist) {
	c.section("Keys that live, or may", "")
	for _, e := range x.receipt.Entries {
		switch e.State {
		case revoke.Revoked, revoke.AlreadyGone:
		case revoke.Unconfirmed:
			c.add("`%s`: Baseten accepted the delete, and it is not confirmed: %s. `%s`", e.Prefix, e.Error, x.receipt.Resume)
		default:
			c.add("`%s` is NOT revoked: %s. `%s`", e.Prefix, e.Error, x.receipt.Resume)
		}
		if len(e.Made) > 0 {
			c.add("`%s` created keys that live. Find out whose they are, or: `b10lint revoke %s`", e.Prefix, strings.Join(e.Made, " "))
		}
	}
	for _, l := range slices.Concat(x.receipt.Refused, x.receipt.Unmatched) {
		if !l.Dead {
			c.add("`%s`: %s: %s", l.What, l.Reason, l.Hint)
		}
	}
	for _, l := range x.receipt.Forged {
		c.add("`%s`: %s. Find out who wrote it: %s", l.What, l.Reason, strings.Join(l.Places, ", "))
	}
	for _, text := range x.left {
		c.add("%s", text)
	}
	for _, p := range x.report.Problems {
		if !p.Warning {
			c.add("Not scanned, a key may be there: %s", report.ProblemText(p))
		}
	}
	for _, gap := range x.plan.Gaps {
		c.add("Not known: %s", gap)
	}
}

// todoDeeds is about what a leaked key did that outlives it.
func (x *incident) todoDeeds(c *checklist) {
	c.section("What the leaked keys did that outlives them", "Was it yours? If not, undo it: revoke a created key, replace a secret and a signing "+
		"secret, rebuild the machine of a certificate,\nwithdraw an invitation and a role, delete a deployment.\n\n")
	for _, e := range x.receipt.Entries {
		for _, deed := range e.Did {
			c.add("`%s`, %s", e.Prefix, deed)
		}
		if e.Type == "PERSONAL" {
			c.add("`%s` is a personal key: what it did is in the audit log under %s. Review it in Baseten's console", e.Prefix, e.Owner)
		}
	}
}

// todoPlaces is about the files that the keys are in.
func (x *incident) todoPlaces(c *checklist) {
	c.section("Where the keys were found", "")
	history := false
	for _, f := range x.report.Standing() {
		w, leaked := wantedOf(f, false)
		if !leaked || w.Forged {
			continue
		}
		for i, at := range f.Locations {
			if i == 20 {
				c.add("`%s`: %d more places, in report.html", f.Prefix, len(f.Locations)-i)
				break
			}
			if at.Exposure == finding.Ignored || at.Exposure == finding.Home {
				continue
			}
			history = history || at.Commit != ""
			if at.RemovedIn != "" && !at.AtHead {
				continue // it is only in the history
			}
			c.add("`%s`: take it out of %s", f.Prefix, placeOf(at))
		}
		if x.rotated[f.Prefix] == "" {
			c.add("`%s`: where something needs a key in its place, make one: `b10lint keys create`, and keep it where git does not see it", f.Prefix)
		}
	}
	if !x.incidentOptions.everywhere {
		c.add("Secrets of Kubernetes, GitLab and GitHub were not searched (`--everywhere`): where one of them holds a revoked key, replace it")
	}
	if history {
		c.add("The keys are still in the history, which forks, clones and caches have: revoked, they do no harm there. To remove them nevertheless: " +
			"`b10lint scan --rewrite-script ../replace.txt`, docs/incident.md")
	}
}
