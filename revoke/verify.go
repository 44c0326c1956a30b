package revoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/b10lint/b10lint/internal/clock"
)

// A Chain ties a receipt to the journal that it was made from. Each record of a journal
// names the SHA-256 of the line before, so that the last one's stands for all of them.
type Chain struct {
	Records int    `json:"records"` // how many the journal had
	Head    string `json:"head"`    // the SHA-256 of the last one's line, without its end
}

// String names the head, to be noted where the files' keeper cannot change it.
func (c *Chain) String() string { return fmt.Sprintf("%d records, head %s", c.Records, c.Head) }

// A Verified is a receipt that holds, and what that rests on.
type Verified struct {
	Receipt     *Receipt
	First, Last time.Time // of the journal's records; zero where nothing was revoked
	Later       int       // records that were added after the receipt, by a run that resumed
}

// VerifyReceipt checks a receipt in JSON against its journal: that neither was changed
// since it was written, that the journal is whole as far as the receipt goes, and that
// every line of the receipt follows from it. The error names the line. journal is nil
// for a receipt that has none, since nothing was revoked.
//
// There is no secret in the chain. Whoever can write both files can make both anew; a
// head that was kept elsewhere shows that, and nothing here does.
func VerifyReceipt(receipt, journal []byte) (*Verified, error) {
	r, err := ParseReceipt(receipt)
	if err != nil {
		return nil, err
	}
	v := &Verified{Receipt: r}
	switch {
	case r.Chain == nil && len(r.Journal) > 0:
		return nil, errors.New("the receipt has no chain: an older version of b10lint wrote it, or it was taken out")
	case r.Chain != nil:
		if err := v.follows(receipt, journal); err != nil {
			return nil, err
		}
	}
	if sum := r.sum(); sum != r.Sum {
		return nil, errors.New("the receipt was changed after it was written: its own checksum does not fit")
	}
	return v, nil
}

// ParseReceipt reads a receipt as WriteJSON writes it. It checks nothing of what it says.
func ParseReceipt(data []byte) (*Receipt, error) {
	r := &Receipt{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(r)
	switch syntax := (*json.SyntaxError)(nil); {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("line %d: this is not JSON: %w", 1+bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n")), err)
	case err != nil:
		return nil, fmt.Errorf("not a receipt, or not a whole one: %w", err)
	case r.Version != 1:
		return nil, fmt.Errorf("not a receipt of a revocation that this version knows (b10lint_receipt is %d)", r.Version)
	case len(bytes.TrimSpace(data[d.InputOffset():])) > 0:
		return nil, fmt.Errorf("line %d: there is more behind the receipt", 1+bytes.Count(data[:d.InputOffset()], []byte("\n")))
	}
	return r, nil
}

// follows checks that the journal is the one that the receipt was made from, and that
// the receipt says what the journal does.
func (v *Verified) follows(receipt, lines []byte) error {
	r := v.Receipt
	records, _, err := parseJournal(lines)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	n := r.Chain.Records
	switch {
	case n < 1 || len(records) == 0:
		return errors.New("journal: it holds no record")
	case len(records) < n:
		return fmt.Errorf("journal: it ends at line %d with record %d, and the receipt was made from %d: the rest was cut off",
			records[len(records)-1].line, len(records), n)
	}
	v.Later, records = len(records)-n, records[:n]
	last := records[n-1]
	if last.sum != r.Chain.Head {
		return fmt.Errorf("journal: line %d is not the one that the receipt was made from: it, or a line before it, was changed", last.line)
	}
	v.First, v.Last = records[0].At, last.At
	for _, record := range records[1:] {
		if record.Prev == "" {
			return fmt.Errorf("journal: line %d does not name the line before: an older version of b10lint wrote it", record.line)
		}
	}
	var b begun
	if err := json.Unmarshal(records[0].Data, &b); err != nil || b.Plan == nil || records[0].Kind != kindRevoke {
		return errors.New("journal: line 1 is not the beginning of a revocation")
	}
	by := b.Credential
	for _, record := range records {
		if record.Step == stepResumed {
			by = record.Credential
		}
	}
	given := newExecution(b.Plan, &journal{records: records}, Options{Credential: by, Clock: clock.Clock{}.OrSystem()}, b.Credential)
	return given.receipt().differs(r, receipt)
}

// differs compares what the journal says with a receipt.
func (r *Receipt) differs(given *Receipt, text []byte) error {
	at := func(prefix string) int { // the line of the receipt that names a key
		i := bytes.Index(text, []byte(`"prefix": "`+prefix+`"`))
		return 1 + bytes.Count(text[:max(i, 0)], []byte("\n"))
	}
	if len(r.Entries) != len(given.Entries) {
		return fmt.Errorf("the receipt has %d keys, and the journal's plan %d", len(given.Entries), len(r.Entries))
	}
	for i, got := range given.Entries {
		want := r.Entries[i]
		if open := []string{Failed, NotAttempted, Unconfirmed}; slices.Contains(open, want.State) {
			if slices.Contains(open, got.State) {
				// Which of them it is, and why, may rest on an answer that no record has.
				want.State, want.Error = got.State, got.Error
			} else {
				want.State = "not done with"
			}
		}
		want.Self = got.Self // by the credential of the run, which its prefix may not be in the journal
		a, b := asJSON(want), asJSON(got)
		switch {
		case want.Prefix != got.Prefix:
			return fmt.Errorf("line %d: the receipt has %s where the journal's plan has %s", at(got.Prefix), show(got.Prefix), show(want.Prefix))
		case want.State != got.State:
			return fmt.Errorf("line %d: the receipt says that %s is %s, and by the journal it is %s", at(got.Prefix), show(got.Prefix), show(got.State), want.State)
		case !bytes.Equal(a, b):
			return fmt.Errorf("line %d: what the receipt says of %s is not what the journal says", at(got.Prefix), show(got.Prefix))
		}
	}
	for _, part := range []struct {
		name       string
		want, have any
	}{{"endpoint", r.Endpoint, given.Endpoint}, {"credential", r.Credential, given.Credential}, {"person", r.Person, given.Person}, {"planned", r.Planned, given.Planned},
		{"refused", r.Refused, given.Refused}, {"kept", r.Kept, given.Kept}, {"forged", r.Forged, given.Forged}, {"unmatched", r.Unmatched, given.Unmatched}} {
		if !bytes.Equal(asJSON(part.want), asJSON(part.have)) {
			i := bytes.Index(text, []byte(`"`+part.name+`": `))
			return fmt.Errorf("line %d: %q is not what the journal says", 1+bytes.Count(text[:max(i, 0)], []byte("\n")), part.name)
		}
	}
	return nil
}

func asJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("receipts are plain values: " + err.Error())
	}
	return data
}

// sum is the SHA-256 of the receipt without its Sum, as compact JSON.
func (r *Receipt) sum() string {
	plain := *r
	plain.Sum = ""
	return sumOf(asJSON(plain))
}
