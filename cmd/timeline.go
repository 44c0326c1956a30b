package cmd

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/audit"
	"github.com/b10lint/b10lint/internal/baseten"
	"github.com/b10lint/b10lint/report"
)

// timelineOptions are the flags of timeline.
type timelineOptions struct {
	api    api
	answer answer
	leaks  leakSources
}

func newTimeline(env Env, ui *UI) *cobra.Command {
	o := &timelineOptions{}
	c := &cobra.Command{
		Use:   "timeline PREFIX",
		Short: "Tell the story of one key, for an incident",
		Long: `Timeline lists in order what is known about one key: when it was created and by whom,
where and since when scans found it and who could read it there, what it did according to the
audit log, which Model APIs it called on which day before and after the leak, and when it was
revoked. It ends with what could not be determined.

PREFIX is the part of the key before the dot. A whole key is refused: it does not
belong on a command line.`,
		Example: `  b10lint timeline b10_abcdefgh
  b10lint timeline b10_abcdefgh --scan-report scan.json
  b10lint timeline b10_abcdefgh --scan-report scan.json -f html -o incident.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.answer.to(ui, func(w io.Writer) error { return runTimeline(c.Context(), env, w, o, args[0]) })
		},
	}
	o.answer.register(c, "write text, json or html", report.TimelineFormats()...)
	o.leaks.register(c)
	o.api.register(c)
	return c
}

func runTimeline(ctx context.Context, env Env, w io.Writer, o *timelineOptions, prefix string) error {
	if prefix == "" || strings.ContainsAny(prefix, ". \t\n") {
		return usage("give the part before the dot, and if that was a whole key: it is in your shell's history now",
			"a timeline is asked for by the prefix, the part of the key before the dot")
	}
	account, err := o.api.open(env)
	if err != nil {
		return err
	}
	leaks, problems, err := o.leaks.read(ctx, env)
	if err != nil {
		return err
	}
	inventory, err := baseten.Gather(ctx, account.client, audit.Sources()...)
	if ctx.Err() != nil {
		return silent(ExitInterrupted)
	}
	if err != nil {
		return failed(err, "nothing was changed; run again when Baseten answers")
	}
	t := audit.Timeline(inventory, prefix, leaks)
	incomplete := len(t.Events) == 0 && t.State == finding.Unknown
	for _, p := range problems {
		t.Unknown = append(t.Unknown, p.Path+": "+p.Error+"; "+p.Hint)
		incomplete = true
	}
	for _, s := range inventory.Sources {
		incomplete = incomplete || s.Err != nil && !s.Denied() && s.Name != baseten.SourceGateway
	}
	if err := report.WriteTimeline(w, o.answer.format.value, t); err != nil {
		return failed(err)
	}
	if incomplete {
		return silent(ExitIncomplete)
	}
	return nil
}
