package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/b10lint/b10lint/internal/english"
	"github.com/b10lint/b10lint/internal/regular"
	"github.com/b10lint/b10lint/report"
	"github.com/b10lint/b10lint/revoke"
)

func newReceipt(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:     "receipt",
		Short:   "Check the receipt of a revocation",
		Long:    `Receipt checks what revoke, scan --revoke and incident hand out when they are done.`,
		Example: "  b10lint receipt verify receipt.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var journal, head string
	verify := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a receipt against the journal of its revocation",
		Long: `Verify checks a receipt in JSON (--receipt FILE.json) against the journal that it names:
each record of a journal holds the SHA-256 of the line before, and the receipt that of
the last one. A line that was changed, removed or moved, a journal that was cut off, and a
receipt that does not say what its journal says are refused, with the line.

This proves that neither file was changed since the receipt was written, by accident or
by someone who can write one of them. Someone who can write both files can replace both,
since there is no secret in them, and the receipt proves nothing about Baseten, whose audit
log has each deletion. To prove more, note the head elsewhere (a ticket, a mail) when the
receipt is new, and compare it with --head.

The journal is read from where the receipt says it is, else from beside the receipt.

Exit status: 0 if the receipt holds, 1 if it does not, 2 if a file cannot be read.`,
		Example: `  b10lint receipt verify receipt.json
  b10lint receipt verify receipt.json --journal revoke-20261121-120000-abc234.jsonl
  b10lint receipt verify incident-20261121-120000/receipt.json --head 3f0c…`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return verifyReceipt(env.Stdout, args[0], journal, head) },
	}
	verify.Flags().StringVar(&journal, "journal", "", "the journal is in this `FILE`")
	verify.Flags().StringVar(&head, "head", "", "the head that was noted when the receipt was new, in `HEX`")
	c.AddCommand(verify)
	return c
}

// journalsIn is the folder beside a receipt in which incident keeps its journals.
const journalsIn = "journal"

// maxReceipt bounds a receipt and a journal that are read.
const maxReceipt = 64 << 20

func verifyReceipt(w io.Writer, path, journal, head string) error {
	text, err := regular.ReadFile(path, maxReceipt)
	if err != nil {
		return usage("a receipt is written with --receipt FILE.json", "%w", err)
	}
	broken := func(err error) error {
		return &exitError{code: ExitFindings, err: fmt.Errorf("%s does not hold: %w", report.Visible(path), err),
			hints: []string{"Baseten's audit log has each deletion: b10lint timeline PREFIX shows it"}}
	}
	r, err := revoke.ParseReceipt(text)
	if err != nil {
		return broken(err)
	}
	var lines []byte
	if r.Journal != "" {
		places := []string{journal}
		if journal == "" {
			name := filepath.Base(r.Journal)
			places = []string{r.Journal, filepath.Join(filepath.Dir(path), name), filepath.Join(filepath.Dir(path), journalsIn, name)}
		}
		for _, place := range places {
			journal = place
			if lines, err = regular.ReadFile(place, maxReceipt); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		if err != nil {
			return usage("name it with --journal FILE", "the journal of the receipt cannot be read: %w", err)
		}
	}
	v, err := revoke.VerifyReceipt(text, lines)
	if err != nil {
		return broken(err)
	}
	if head != "" && (r.Chain == nil || r.Chain.Head != head) {
		return broken(errors.New("its head is not the one that was given: both files were replaced, or it is another receipt"))
	}
	fmt.Fprintf(w, "%s holds: %d %s, %d not done\n", report.Visible(path), len(r.Entries), english.Plural(len(r.Entries), "key", "keys"), r.Open())
	if r.Chain == nil {
		fmt.Fprintln(w, "no journal: nothing was revoked; the receipt's own checksum fits")
		return nil
	}
	fmt.Fprintf(w, "journal: %s, %d records from %s to %s, unbroken\n", report.Visible(journal), r.Chain.Records,
		v.First.UTC().Format(time.RFC3339), v.Last.UTC().Format(time.RFC3339))
	if v.Later > 0 {
		fmt.Fprintf(w, "a later run added %d records: there is a newer receipt\n", v.Later)
	}
	fmt.Fprintf(w, "head: %s\n", r.Chain.Head)
	if head == "" {
		fmt.Fprintln(w, "not checked: whether both files were replaced together; --head compares with the head that you noted elsewhere")
	}
	return nil
}
