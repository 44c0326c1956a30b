package revoke

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/b10lint/b10lint/internal/english"
)

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
	}
	writeLeft(b, "keep", p.Refused)
	writeLeft(b, "no match", p.Unmatched)
	for _, gap := range p.Gaps {
		fmt.Fprintf(b, "not known  %s\n", show(gap))
	}
	fmt.Fprintf(b, "%d %s to revoke at %s\n", len(p.Items), english.Plural(len(p.Items), "key", "keys"), show(p.Endpoint))
	_, err := io.WriteString(w, b.String())
	return err
}

func (it *Item) lastUsed(at time.Time) string {
	switch {
	case it.LastUsedAt != nil:
		return ago(at, *it.LastUsedAt)
	case it.NeverUsed:
		return "never"
	}
	return "not told"
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

// WriteJSON writes the plan as Save does.
func (p *Plan) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(p)
}
