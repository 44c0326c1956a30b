package cmd

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/internal/shell"
	"github.com/b10lint/b10lint/report"
)

// An output is one -f FORMAT[=FILE].
type output struct{ format, file string }

// outputs are the reports that a command writes.
type outputs struct {
	list           []output
	verbose, quiet bool
	hook           string // what a git hook stops; empty for other runs
}

// register adds the flags that all reporting commands share.
func (o *outputs) register(c *cobra.Command) {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	c.Flags().VarP((*outputList)(&o.list), "format", "f", "report as FORMAT, to standard output or FILE; repeatable. The formats are "+strings.Join(names, ", "))
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "list every location and what was covered")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "one line for each finding, no summary, no progress")
	c.MarkFlagsMutuallyExclusive("verbose", "quiet")
	_ = c.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var described []string
		for _, f := range report.Formats() {
			described = append(described, f.Name+"\t"+f.Text)
		}
		return described, cobra.ShellCompDirectiveNoSpace
	})
}

// check refuses reports that would get in each other's way.
func (o *outputs) check() error {
	if len(o.list) == 0 {
		o.list = []output{{format: "text"}}
	}
	seen := map[string]bool{}
	for _, out := range o.list {
		where := "standard output"
		if !slices.Contains([]string{"", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}, out.file) {
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

// A reportWriter writes a run's reports. Its files exist from the start, so that
// nothing is done for which there would be no report.
type reportWriter struct {
	*outputs
	ui    *UI
	files []*atomicfile.File // of the list's outputs; nil for standard output
}

// open creates the files of the reports, beside those that they will replace.
func (o *outputs) open(ui *UI) (*reportWriter, error) {
	w := &reportWriter{outputs: o, ui: ui}
	for _, out := range o.list {
		var f *atomicfile.File
		if out.file != "" {
			var err error
			if f, err = atomicfile.Create(out.file, atomicfile.Mode{Perm: 0o644}); err != nil {
				w.abandon()
				if errors.Is(err, fs.ErrNotExist) {
					return nil, failed(err, "nothing was changed; make the folder first: mkdir -p "+shell.Quote(filepath.Dir(out.file)))
				}
				return nil, failed(err, "the report could not be started; nothing was changed")
			}
		}
		w.files = append(w.files, f)
	}
	return w, nil
}

// abandon takes away what open created, unless write has put it in place.
func (w *reportWriter) abandon() {
	for _, f := range w.files {
		if f != nil {
			_ = f.Abandon()
		}
	}
	w.files = nil
}

// write writes every report of a run that ended with the error run. It puts the files
// in place if there was no error and each was written, so that an old file survives a
// failed run; either way the writer is done with.
func (w *reportWriter) write(r finding.Report, opts report.Options, run error) error {
	opts.Hook, opts.Verbose, opts.Quiet, opts.Rules = w.hook, w.verbose, w.quiet, Catalogue()
	defer w.abandon()
	var errs []error
	for i, out := range w.list {
		if f := w.files[i]; f != nil {
			errs = append(errs, report.Write(out.format, f, r, opts))
			continue
		}
		stdout, each := w.ui.env.Stdout, opts
		each.Color, each.Width = w.ui.color(stdout), width(stdout)
		errs = append(errs, report.Write(out.format, stdout, r, each))
	}
	if err := errors.Join(append(errs, run)...); err != nil {
		return failed(err)
	}
	for _, f := range w.files {
		if f != nil {
			if err := f.Commit(); err != nil {
				return failed(err)
			}
		}
	}
	return nil
}

// readReport reads a saved JSON report; "-" is standard input. flag is the one that
// named it, for the error, and may be empty.
func readReport(env Env, flag, name string) (finding.Report, error) {
	if flag != "" {
		flag += ": "
	}
	in := env.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return finding.Report{}, usage("make one with -f json=FILE", "%s%w", flag, err)
		}
		defer f.Close()
		in = f
	}
	r, err := report.Read(bufio.NewReader(in))
	if err != nil {
		return r, usage("make one with -f json=FILE", "%s%s: %w", flag, name, err)
	}
	return r, nil
}

func width(w io.Writer) int {
	if in, ok := w.(interface{ Columns() int }); ok {
		return in.Columns()
	}
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
