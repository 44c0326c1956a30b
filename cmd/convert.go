package cmd

import (
	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/report"
)

func newConvert(env Env, ui *UI) *cobra.Command {
	var o outputs
	c := &cobra.Command{
		Use:   "convert REPORT",
		Short: "Turn a saved JSON report into any format",
		Long: `Convert reads a report that was written with -f json or -f jsonl and writes it in
other formats, as the run itself would have. REPORT is a file, or "-" for standard
input. Findings that were accepted are not in a JSON report, only their number.

The exit status is 0 whatever the report says.`,
		Example: `  b10lint convert -f sarif=out.sarif report.json
  b10lint convert -f text -f summary=summary.md report.json
  b10lint scan -f json | b10lint convert -f gitlab -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			h, finish, err := o.open(ui, report.Options{})
			if err != nil {
				return err
			}
			broken := &writeErrors{Handler: h}
			err = replayFile(env, args[0], broken)
			if broken.err != nil {
				err = failed(broken.err)
			}
			return finish(err)
		},
	}
	o.register(c)
	return c
}

// writeErrors remembers what went wrong in writing, which is no fault of what was
// read. It gives the run the catalogue that a saved report does not hold.
type writeErrors struct {
	finding.Handler
	err error
}

func (w *writeErrors) keep(err error) error {
	if err != nil {
		w.err = err
	}
	return err
}

func (w *writeErrors) Start(r finding.Run) error {
	r.Rules = Catalogue()
	return w.keep(w.Handler.Start(r))
}
func (w *writeErrors) Finding(f finding.Finding) error { return w.keep(w.Handler.Finding(f)) }
func (w *writeErrors) Problem(p finding.Problem) error { return w.keep(w.Handler.Problem(p)) }
func (w *writeErrors) Finish(s finding.Summary) error  { return w.keep(w.Handler.Finish(s)) }
