package revoke

import (
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes the result as JSON.
func (r *Rotated) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes the plan for people.
func (p *RotationPlan) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	row := func(name, text string) { fmt.Fprintf(b, "        %-10s %s\n", name, show(text)) }
	fmt.Fprintf(b, "rotate  %s\n", p.Old.line())
	row("can", p.Old.can())
	row("last used", p.LastUsed)
	about := "of the type " + string(p.Type)
	if len(p.ModelIDs) > 0 {
		about += ", for models " + strings.Join(p.ModelIDs, ", ")
	}
	row("new key", about+", named "+p.Base+"-r…")
	for i, s := range p.Sinks {
		text := s.String()
		if len(p.Sinks) > 1 {
			text = fmt.Sprintf("%d  %s", i+1, text)
		}
		if s.ByName {
			text += " (by its name: its value cannot be read)"
		}
		row([]string{"goes to", ""}[min(i, 1)], text)
	}
	for i, text := range p.ByHand {
		row([]string{"by hand", ""}[min(i, 1)], text)
	}
	for _, text := range p.LeftAlone {
		row("left alone", text)
	}
	switch {
	case p.KeepOld:
		row("old key", "kept, until b10lint revoke "+p.Old.Prefix)
	case p.UntilIdle > 0:
		row("old key", "revoked when the new one is in place and works, and nothing has used the old one for "+p.UntilIdle.String())
	case p.Grace > 0:
		row("old key", "revoked "+p.Grace.String()+" after the new one is in place and works")
	default:
		row("old key", "revoked when the new one is in place and works")
	}
	for _, warning := range p.Warnings {
		row("warning", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText writes the result for people.
func (r *Rotated) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	row := func(format string, args ...any) { fmt.Fprintf(b, "            "+format+"\n", args...) }
	fmt.Fprintf(b, "%-11s %s\n", r.State, r.Old.line())
	if r.New != "" {
		row("new key %s  %s", show(r.New), show(r.Name))
	}
	for _, p := range r.Places {
		switch {
		case r.New == "":
		case p.State == "delivered":
			row("delivered to %s", p.Sink)
		case p.State == "unknown":
			row("it is not known whether it is in %s", p.Sink)
		default:
			row("NOT delivered to %s", p.Sink)
		}
	}
	switch {
	case r.OldGone:
		row("the old key is revoked")
	case r.OldSent:
		row("the delete of the old key was answered, and it is not confirmed that it is gone")
	default:
		row("the old key lives")
	}
	for i, text := range r.ByHand {
		row("%s %s", []string{"by hand:", "        "}[min(i, 1)], show(text))
	}
	if r.Next != "" {
		row("when the new one is in its place: %s", show(r.Next))
	}
	fmt.Fprintf(b, "journal: %s\n", show(r.Journal))
	if r.Resume != "" {
		fmt.Fprintf(b, "to go on: %s\n", show(r.Resume))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
