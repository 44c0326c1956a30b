package revoke

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/b10lint/b10lint/internal/english"
)

// WriteJSON writes the plan as Save does.
func (p *Plan) WriteJSON(w io.Writer) error { return writeJSON(w, p) }

// WriteJSON writes the receipt as JSON, as VerifyReceipt reads it.
func (r *Receipt) WriteJSON(w io.Writer) error {
	r.Sum = r.sum()
	return writeJSON(w, r)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// line names a key on one line.
func (f Facts) line() string {
	parts := []string{show(f.Prefix)}
	if f.Name != "" {
		parts = append(parts, show(f.Name))
	}
	parts = append(parts, show(f.Type))
	switch {
	case f.Owner != "":
		parts = append(parts, "of "+show(f.Owner))
	case f.Team != "":
		parts = append(parts, "team "+show(f.Team))
	case f.Group != "":
		parts = append(parts, "gateway group "+show(cmp.Or(f.GroupName, f.Group)))
	}
	return strings.Join(parts, "  ")
}

// maxPlaces is how many places of a key are listed.
const maxPlaces = 5

// WriteText writes the plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	for i := range p.Items {
		it := &p.Items[i]
		fmt.Fprintf(b, "revoke  %s\n", it.line())
		row := func(name, text string) { fmt.Fprintf(b, "        %-10s %s\n", name, show(text)) }
		row("why", strings.Join(it.Why, ", "))
		row("proof", it.Proof.words())
		row("can", it.Can)
		row("last used", it.lastUsed(p.Made))
		row("breaks", it.Breaks)
		for n, place := range it.Places {
			if n == maxPlaces {
				row("", fmt.Sprintf("and %d more places", len(it.Places)-n))
				break
			}
			row([]string{"leaked in", ""}[min(n, 1)], place)
		}
		for _, warning := range it.Warnings {
			row("warning", warning)
		}
		if len(it.Made) > 0 {
			row("children", revokeMade(it.Made))
		}
		for n, deed := range it.Did {
			row([]string{"did", ""}[min(n, 1)], deed)
		}
	}
	writeLeft(b, "keep", p.Refused)
	writeLeft(b, "not leaked", p.Kept)
	writeLeft(b, "forged", p.Forged)
	writeLeft(b, "no match", p.Unmatched)
	for _, gap := range p.Gaps {
		fmt.Fprintf(b, "not known  %s\n", show(gap))
	}
	fmt.Fprintf(b, "%d %s to revoke at %s\n", len(p.Items), english.Plural(len(p.Items), "key", "keys"), show(p.Endpoint))
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Proof) words() string {
	switch p {
	case ByProbe:
		return "Baseten let the found key in"
	case ByName:
		return "none needed: it was named"
	case ByUse:
		return "none needed: no found key, chosen by its last use"
	case ByMaker:
		return "the audit log: a key of this plan created it, or a key that that one created"
	case ByPrefix:
		return "NONE: only its public prefix was compared, which anyone can write (--by-prefix)"
	}
	return "none known"
}

func (it *Item) lastUsed(at time.Time) string {
	switch {
	case it.LastUsedAt != nil:
		return ago(at, *it.LastUsedAt)
	case it.NeverUsed:
		return "never"
	}
	return "unknown"
}

func writeLeft(b *strings.Builder, verb string, left []Left) {
	for _, l := range left {
		fmt.Fprintf(b, "%s  %s: %s\n", verb, show(l.What), show(l.Reason))
		if l.Hint != "" {
			fmt.Fprintf(b, "        %s\n", show(l.Hint))
		}
		for i, place := range l.Places {
			if i == maxPlaces {
				break
			}
			fmt.Fprintf(b, "        found in   %s\n", show(place))
		}
	}
}

// WriteText writes the receipt for people.
func (r *Receipt) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	for _, e := range r.Entries {
		fmt.Fprintf(b, "%-13s %s\n", e.State, e.Facts.line())
		if e.At != nil {
			fmt.Fprintf(b, "              %s\n", e.At.UTC().Format(time.RFC3339))
		}
		for _, x := range e.Evidence {
			fmt.Fprintf(b, "              %s\n", show(x))
		}
		if len(e.Made) > 0 {
			fmt.Fprintf(b, "              %s\n", show(revokeMade(e.Made)))
		}
		for _, deed := range e.Did {
			fmt.Fprintf(b, "              did: %s\n", show(deed))
		}
		if by := e.otherCredential(r); by != "" {
			fmt.Fprintf(b, "              by %s\n", show(by))
		}
		if e.Error != "" {
			fmt.Fprintf(b, "              %s\n", show(e.Error))
		}
	}
	writeLeft(b, "kept", r.Refused)
	writeLeft(b, "not leaked", r.Kept)
	writeLeft(b, "forged", r.Forged)
	writeLeft(b, "not matched", r.Unmatched)
	fmt.Fprintf(b, "\n%s\ncredential: %s\n", r.Count(), show(r.Credential))
	if r.Journal != "" {
		fmt.Fprintf(b, "journal: %s\n", show(r.Journal))
	}
	if r.Chain != nil {
		fmt.Fprintf(b, "chain: %s\n", r.Chain)
	}
	if r.Resume != "" {
		fmt.Fprintf(b, "to finish the rest: %s\n", show(r.Resume))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// otherCredential is the credential that revoked a key where it is another one than the
// run that gives the receipt goes by.
func (e *Entry) otherCredential(r *Receipt) string {
	if e.Credential == r.Credential {
		return ""
	}
	return e.Credential
}

// Count says how many keys came to which end, in words.
func (r *Receipt) Count() string {
	var parts []string
	for _, state := range []string{Revoked, AlreadyGone, Unconfirmed, Failed, NotAttempted} {
		n := 0
		for _, e := range r.Entries {
			if e.State == state {
				n++
			}
		}
		if n > 0 {
			words := strings.ReplaceAll(state, "-", " ")
			if state == Unconfirmed {
				words = "accepted and not confirmed"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	if parts == nil {
		return "no key was to be revoked"
	}
	return strings.Join(parts, ", ")
}

// WriteMarkdown writes the receipt for a ticket.
func (r *Receipt) WriteMarkdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Revocation of Baseten API keys\n\n%s.\n\n", r.Count())
	fmt.Fprintf(b, "- Finished: %s\n- Endpoint: %s\n- Credential: %s\n", r.Finished.UTC().Format(time.RFC3339), cell(r.Endpoint), cell(r.Credential))
	for _, row := range [][2]string{{"Person", r.Person}, {"Tool", r.Tool}, {"Journal", r.Journal}} {
		if row[1] != "" {
			fmt.Fprintf(b, "- %s: %s\n", row[0], cell(row[1]))
		}
	}
	if r.Chain != nil {
		fmt.Fprintf(b, "- Chain: %s\n", r.Chain)
	}
	b.WriteString("\n")
	b.WriteString("| Key | Name | Type | Team or owner | State | When | Evidence |\n|---|---|---|---|---|---|---|\n")
	for _, e := range r.Entries {
		when := ""
		if e.At != nil {
			when = e.At.UTC().Format(time.RFC3339)
		}
		evidence := strings.Join(e.Evidence, "; ")
		if e.Error != "" {
			evidence = e.Error
		}
		if len(e.Made) > 0 {
			evidence += "; " + revokeMade(e.Made)
		}
		if by := e.otherCredential(r); by != "" {
			evidence += "; by " + by
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", cell(e.Prefix), cell(e.Name), cell(e.Type), cell(cmp.Or(e.Owner, e.Team)), e.State, when, cell(evidence))
	}
	for _, left := range [][]Left{r.Refused, r.Kept, r.Forged, r.Unmatched} {
		for _, l := range left {
			fmt.Fprintf(b, "| %s | | | | not planned | | %s |\n", cell(l.What), cell(l.Reason))
		}
	}
	if len(r.Entries) > 0 {
		b.WriteString("\nWhy, and where they were found:\n\n")
	}
	for _, e := range r.Entries {
		fmt.Fprintf(b, "- %s: %s; proof: %s", cell(e.Prefix), cell(strings.Join(e.Why, ", ")), cell(e.Proof.words()))
		for i, place := range e.Places {
			if i == maxPlaces {
				fmt.Fprintf(b, ", and %d more places", len(e.Places)-i)
				break
			}
			b.WriteString([]string{"; ", ", "}[min(i, 1)] + cell(place))
		}
		b.WriteString("\n")
	}
	for _, e := range r.Entries {
		if len(e.Did) > 0 {
			fmt.Fprintf(b, "\nWhat %s did that outlives it, by the audit log:\n\n", cell(e.Prefix))
		}
		for _, deed := range e.Did {
			fmt.Fprintf(b, "- %s\n", cell(deed))
		}
	}
	if r.Resume != "" {
		fmt.Fprintf(b, "\nTo finish the rest: `%s`\n", strings.ReplaceAll(show(r.Resume), "`", "'"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell makes a word fit for a Markdown table.
func cell(s string) string {
	var b strings.Builder
	for _, r := range show(s) {
		if strings.ContainsRune("\\|`*_<>[]#&~", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// show makes a word that came from elsewhere fit for a terminal: control and
// direction characters out, one line, of readable length.
func show(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 1000 {
		return string(r[:1000]) + "…"
	}
	return s
}
