package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/itchyny/gojq"
	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/report"
)

// dataOutput is how commands that answer with data write it: with the flags of
// Baseten's own command, -o text|json|jsonl|none and -q EXPRESSION.
type dataOutput struct {
	format choice
	jq     string
	code   *gojq.Code // of jq; nil when there is none
	secret bool       // the answer holds a key: errors must not quote it
}

func (d *dataOutput) register(c *cobra.Command) {
	d.format = choice{"text", []string{"text", "json", "jsonl", "none"}}
	d.format.register(c, "output", "o", "write text, JSON, JSON on one line, or nothing")
	c.Flags().StringVarP(&d.jq, "jq", "q", "", "pass the JSON through this jq `EXPRESSION`; implies -o json")
}

// prepare checks the flags. It comes before anything is sent: an answer that
// cannot be written may be lost.
func (d *dataOutput) prepare(c *cobra.Command) error {
	if !c.Flags().Changed("jq") {
		return nil
	}
	if d.format.value == "none" || d.format.value == "text" && c.Flags().Changed("output") {
		return usage("leave out one of them", "--jq cannot be used with --output %s", d.format.value)
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
	default:
		err = d.query(ctx, &b, v)
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
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if d.format.value == "json" {
		e.SetIndent("", "  ")
	}
	return e.Encode(v)
}

// query writes every result of the jq expression. jq knows only JSON's own types.
func (d *dataOutput) query(ctx context.Context, w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return err
	}
	results := d.code.RunWithContext(ctx, plain)
	for {
		result, ok := results.Next()
		if !ok {
			return nil
		}
		if err, bad := result.(error); bad {
			if d.secret {
				return errors.New("jq: the expression does not fit the answer")
			}
			return fmt.Errorf("jq: %w", err)
		}
		if err := d.encode(w, result); err != nil {
			return err
		}
	}
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
