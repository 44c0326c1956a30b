package cmd

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/report"
)

// An output is one -f FORMAT[=FILE].
type output struct{ format, file string }

// outputs are the reports that a command writes.
type outputs struct {
	list           []output
	verbose, quiet bool
}

// register adds the flags that all reporting commands share.
func (o *outputs) register(c *cobra.Command) {
	c.Flags().VarP((*outputList)(&o.list), "format", "f", "report as FORMAT, to standard output or a file; repeatable")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "list every place, and what was covered")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "one line a finding, no summary, no progress")
	c.MarkFlagsMutuallyExclusive("verbose", "quiet")
	_ = c.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range report.Formats() {
			names = append(names, f.Name+"\t"+f.Text)
		}
		return names, cobra.ShellCompDirectiveNoSpace
	})
}

// toStdout reports whether a report goes to standard output, by whatever name.
func (o output) toStdout() bool {
	return slices.Contains([]string{"", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, o.file)
}

// check refuses reports that would get in each other's way.
func (o *outputs) check() error {
	if len(o.list) == 0 {
		o.list = []output{{format: "text"}}
	}
	seen := map[string]bool{}
	for _, out := range o.list {
		where := "standard output"
		if !out.toStdout() {
			where = out.file
			if abs, err := filepath.Abs(where); err == nil {
				where = abs
			}
		}
		if seen[where] {
			return usage("give each but one a file: -f text -f sarif=out.sarif", "two reports would be written to %s", where)
		}
		seen[where] = true
	}
	return nil
}

// open returns a handler that writes every report. finish must be called with the
// run's outcome: it puts the files in place if the reports are whole and takes them
// away if not, so that an old file survives a failed run.
func (o *outputs) open(ui *UI, opts report.Options) (h finding.Handler, finish func(error) error, err error) {
	opts.Verbose, opts.Quiet, opts.Rules = o.verbose, o.quiet, Catalogue()
	var handlers []finding.Handler
	var files []*atomicfile.File
	finish = func(err error) error {
		for _, f := range files {
			if err == nil {
				err = f.Commit()
			} else {
				_ = f.Abandon()
			}
		}
		return err
	}
	for _, out := range o.list {
		w, each := ui.env.Stdout, opts
		if out.file != "" {
			f, err := atomicfile.Create(out.file, atomicfile.Mode{Perm: 0o644})
			if err != nil {
				return nil, nil, finish(failed(err, "the report could not be started; nothing was changed"))
			}
			files = append(files, f)
			w = f
		} else {
			each.Color, each.Width = ui.color(w), width(w)
		}
		handler, err := report.New(out.format, w, each)
		if err != nil {
			return nil, nil, finish(err)
		}
		handlers = append(handlers, listed(handler, out.format, o.verbose))
	}
	return report.Tee(handlers...), finish, nil
}

// listed keeps accepted findings from the formats that count them only: json and
// jsonl, and text unless it is verbose.
func listed(h finding.Handler, format string, verbose bool) finding.Handler {
	if format == "json" || format == "jsonl" || format == "text" && !verbose {
		return unaccepted{h}
	}
	return h
}

type unaccepted struct{ finding.Handler }

func (u unaccepted) Finding(f finding.Finding) error {
	if f.Suppression != nil {
		return nil
	}
	return u.Handler.Finding(f)
}

func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
