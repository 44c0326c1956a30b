package cmd

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/rules"
)

func newConvert(env Env, ui *UI) *cobra.Command {
	var o outputs
	c := &cobra.Command{
		Use:   "convert REPORT...",
		Short: "Turn saved JSON reports into any format",
		Long: `Convert reads a report that was written with -f json or -f jsonl and writes it in
other formats, as the run itself would have. REPORT is a file, or "-" for standard
input. Of several reports it makes one: what they say of a key is joined, and each
location names the repository that it is in. Findings that were accepted are marked so, and text lists them with -v only.

The exit status is 0 whatever the report says.`,
		Example: `  b10lint convert -f sarif=out.sarif report.json
  b10lint convert -f text -f summary=summary.md report.json
  b10lint convert -f html=all.html report.json last.json
  b10lint scan -f json | b10lint convert -f gitlab -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			w, err := o.open(ui)
			if err != nil {
				return err
			}
			defer w.abandon()
			var reports []finding.Report
			if i := slices.Index(args, "-"); i >= 0 && slices.Contains(args[i+1:], "-") {
				return usage("put one of them into a file", "standard input can be read once")
			}
			for _, name := range args {
				r, err := readReport(env, "", name)
				if err != nil {
					return err
				}
				reports = append(reports, r)
			}
			r := reports[0]
			if len(reports) > 1 {
				r = finding.Merge(reports...)
				rules.Derive(&r)
			}
			return w.write(r, report.Options{}, nil)
		},
	}
	o.register(c)
	return c
}
