package cmd

import (
	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/report"
)

func newConvert(env Env, ui *UI) *cobra.Command {
	var o outputs
	c := &cobra.Command{
		Use:   "convert REPORT",
		Short: "Turn a saved JSON report into any format",
		Long: `Convert reads a report that was written with -f json or -f jsonl and writes it in
other formats, as the run itself would have. REPORT is a file, or "-" for standard
input. Findings that were accepted are marked so, and text lists them with -v only.

The exit status is 0 whatever the report says.`,
		Example: `  b10lint convert -f sarif=out.sarif report.json
  b10lint convert -f text -f summary=summary.md report.json
  b10lint scan -f json | b10lint convert -f gitlab -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			w, err := o.open(ui)
			if err != nil {
				return err
			}
			defer w.abandon()
			r, err := readReport(env, "", args[0])
			if err != nil {
				return err
			}
			return w.write(r, report.Options{}, nil)
		},
	}
	o.register(c)
	return c
}
