package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/atomicfile"
	"github.com/b10lint/b10lint/report"
)

// An answer is where a command that speaks for itself writes what it has to say, and
// in which form: -f FORMAT and -o FILE.
type answer struct {
	format   choice
	file     string
	formerly []string // the formats that -o named before -f did
	former   bool     // it was given one of them
}

// register adds the flags; the first of the words is the default.
func (a *answer) register(c *cobra.Command, usage string, words ...string) {
	a.format = choice{words[0], words}
	a.format.register(c, "format", "f", usage)
	c.Flags().VarP((*answerFile)(a), "output", "o", "write to `FILE` (default: standard output)")
}

// An answerFile is the value of -o FILE. A word that was a format is still taken for
// one; a file of such a name is ./json.
type answerFile answer

func (f *answerFile) Type() string   { return "FILE" }
func (f *answerFile) String() string { return f.file }
func (f *answerFile) Set(s string) error {
	if f.former = slices.Contains(f.formerly, s); f.former {
		return f.format.Set(s)
	}
	f.file = s
	return nil
}

// to calls write with where the answer goes to. Whether a file can be written is tried
// before, so that nothing is done whose answer is lost; it is replaced when write has
// written something, whatever else went wrong.
func (a *answer) to(ui *UI, write func(w io.Writer) error) error {
	if a.former {
		ui.warn("-o names a file now; for the form of the output write -f " + a.format.value)
	}
	if a.file == "" || a.file == "-" {
		return write(ui.env.Stdout)
	}
	mode := atomicfile.Mode{Perm: 0o644}
	f, err := atomicfile.Create(a.file, mode)
	if err != nil {
		return failed(err, "nothing was done; name a file that can be written")
	}
	_ = f.Abandon()
	var b bytes.Buffer
	err = write(&b)
	if b.Len() == 0 {
		return err
	}
	if writeErr := atomicfile.WriteFile(a.file, b.Bytes(), mode); writeErr != nil {
		return errors.Join(failed(writeErr), err)
	}
	return err
}

// dataOutput is how commands that answer with data write it: as text, JSON, JSON
// Lines, or what a jq expression makes of the JSON.
type dataOutput struct {
	answer
	jq     string
	code   *gojq.Code // of jq; nil when there is none
	secret bool       // the answer holds a key: errors must not quote it
}

// dataFormats are the words of Baseten's own command.
var dataFormats = []string{"text", "json", "jsonl", "none"}

const dataUsage = "write text, JSON, JSON on one line, or nothing"

// registerDialect adds the flags of Baseten's own command: -o FORMAT and -q EXPRESSION.
func (d *dataOutput) registerDialect(c *cobra.Command) {
	d.format = choice{dataFormats[0], dataFormats}
	d.format.register(c, "output", "o", dataUsage)
	c.Flags().StringVarP(&d.jq, "jq", "q", "", "pass the JSON through this jq `EXPRESSION`; implies -o json")
}

// prepare checks the flags. It comes before anything is sent: an answer that
// cannot be written may be lost. flag is the one that names the format.
func (d *dataOutput) prepare(c *cobra.Command, flag string) error {
	if d.jq == "" && !c.Flags().Changed("jq") {
		return nil
	}
	if d.format.value == "none" || d.format.value == "text" && c.Flags().Changed(flag) {
		return usage("leave out one of them", "--jq cannot be used with --%s %s", flag, d.format.value)
	}
	if d.format.value == "text" {
		d.format.value = "json"
	}
	query, err := gojq.Parse(d.jq)
	if err == nil {
		d.code, err = gojq.Compile(query)
	}
	if err != nil {
		return usage("an expression looks like '.keys[].prefix'", "invalid jq expression: %w", err)
	}
	return nil
}

// write writes an answer: v as JSON, or what text makes of it. Nothing is written
// when a part of it fails.
func (d *dataOutput) write(ctx context.Context, w io.Writer, v any, text func(io.Writer) error) error {
	var b bytes.Buffer
	var err error
	switch {
	case d.format.value == "none":
		return nil
	case d.format.value == "text":
		err = text(&b)
	case d.code == nil:
		err = d.encode(&b, v)
	default: // every result of the jq expression, which knows only JSON's own types
		var data []byte
		var plain any
		if data, err = json.Marshal(v); err == nil {
			err = json.Unmarshal(data, &plain)
		}
		results := d.code.RunWithContext(ctx, plain)
		for err == nil {
			result, more := results.Next()
			if !more {
				break
			}
			if bad, ok := result.(error); !ok {
				err = d.encode(&b, result)
			} else if d.secret {
				err = errors.New("jq: the expression does not fit the answer")
			} else {
				err = fmt.Errorf("jq: %w", bad)
			}
		}
	}
	if err == nil {
		_, err = w.Write(b.Bytes())
	}
	if err != nil {
		return failed(fmt.Errorf("writing the answer: %w", err))
	}
	return nil
}

func (d *dataOutput) encode(w io.Writer, v any) error {
	indent := ""
	if d.format.value == "json" {
		indent = "  "
	}
	return writeJSON(w, v, indent)
}

// writeJSON writes v as JSON and a line end; an empty indent puts it on one line.
func writeJSON(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(v)
}

// table writes rows below a header, if there is one, in columns. Cells come from a server: what
// could act on a terminal is shown and not done.
func table(w io.Writer, header []string, rows [][]string) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if header != nil {
		fmt.Fprintln(t, strings.Join(header, "\t"))
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = report.Visible(cell)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // into memory
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
