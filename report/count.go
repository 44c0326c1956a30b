package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// count is a number with its noun, in the plural where it needs one.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// size is a number of bytes in decimal units.
func size(n int64) string {
	if n < 1000 {
		return count(n, "byte")
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		v /= 1000
		if v < 999.95 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// elapsed is a duration to a precision that people care for.
func elapsed(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// scanned says how much a run read, and for how long.
func scanned(s finding.Summary) string { return amount(s) + " in " + elapsed(s.Elapsed) }

func amount(s finding.Summary) string {
	var parts []string
	if s.Keys > 0 {
		parts = append(parts, count(int64(s.Keys), "key"))
	}
	if s.Files > 0 || s.Objects == 0 && s.Keys == 0 {
		parts = append(parts, count(s.Files, "file"))
	}
	if s.Objects > 0 {
		parts = append(parts, count(s.Objects, "git object"))
	}
	out := strings.Join(parts, " and ")
	if s.Bytes > 0 {
		out += ", " + size(s.Bytes)
	}
	return out
}

// tally counts findings by severity.
type tally [finding.Critical + 1]int

func (t *tally) add(s finding.Severity) {
	if s >= 0 && int(s) < len(t) {
		t[s]++
	}
}

// standing counts the findings that were not accepted.
func standing(findings []finding.Finding) (t tally, n int) {
	for _, f := range findings {
		if f.Suppression == nil {
			t.add(f.Severity)
			n++
		}
	}
	return t, n
}

// String is the counts that are not zero, worst first.
func (t tally) String() string {
	var parts []string
	for s := finding.Critical; s >= finding.Info; s-- {
		if t[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", t[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

// covered says what was read of each target, where there are several, and of each
// repository: what was not, and the rest where full says so.
func covered(r finding.Report, full bool) (lines []string) {
	if len(r.Targets) < 2 {
		for _, c := range r.Summary.Coverage {
			lines = append(lines, coverage(c, full)...)
		}
		return lines
	}
	for _, t := range r.Targets {
		s := t.Summary
		line := visible(t.Name) + ": " + count(int64(s.Findings), "finding") + "; scanned " + amount(s)
		if left := leftOut(s); left != "" {
			line += "; not listed: " + left
		}
		if !s.Complete || s.Interrupted {
			line += "; incomplete"
		}
		lines = append(lines, line)
		for _, c := range s.Coverage {
			if c.Repository != t.Name {
				c.Repository = t.Name + " (" + c.Repository + ")"
			}
			lines = append(lines, coverage(c, full)...)
		}
	}
	return lines
}

// leftOut says what was counted and not listed; "" for nothing.
func leftOut(s finding.Summary) string {
	var parts []string
	if s.Suppressed > 0 {
		parts = append(parts, fmt.Sprintf("%d accepted", s.Suppressed))
	}
	if s.BelowConfidence > 0 {
		parts = append(parts, fmt.Sprintf("%d below the confidence asked for (--min-confidence low)", s.BelowConfidence))
	}
	return strings.Join(parts, ", ")
}

// coverage describes one repository in one line, and its gaps one line each.
// full leaves out the first line unless it is set.
func coverage(c finding.Coverage, full bool) []string {
	name := visible(c.Repository)
	var out []string
	if c.FilesOnly {
		if full {
			out = append(out, "history not scanned: the target is a folder in the repository "+name+"; name that to scan its history")
		}
		return out
	}
	if full {
		out = append(out, name+": "+objects(c))
	}
	gap := func(format string, args ...any) { out = append(out, name+": "+fmt.Sprintf(format, args...)) }
	if c.Scope != "" {
		gap("only %s was scanned", visible(c.Scope))
	}
	if n := len(c.Shallow); n > 0 {
		gap("shallow clone: history ends at %s", count(int64(n), "commit"))
	}
	if n := len(c.Missing); n > 0 {
		gap("missing: %s, first %s", count(int64(n), "object"), visible(shortID(c.Missing[0])))
	}
	if n := len(c.Corrupt); n > 0 {
		gap("corrupt: %s, first %s", count(int64(n), "object"), visible(shortID(c.Corrupt[0])))
	}
	if c.Promised > 0 {
		first := ""
		if len(c.PromisedIDs) > 0 {
			first = ", first " + visible(shortID(c.PromisedIDs[0]))
		}
		gap("partial clone: %s left on the server%s", count(int64(c.Promised), "object"), first)
	}
	for _, m := range c.Submodules {
		if m.State != "scanned" || full {
			gap("submodule %s: %s", visible(m.Path), visible(m.State))
		}
	}
	return out
}

func objects(c finding.Coverage) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		n := c.Kinds[kind]
		part := fmt.Sprintf("%d of %s scanned", n.Scanned, count(int64(n.Seen), visible(kind)))
		var skipped []string
		for reason, n := range n.Skipped {
			skipped = append(skipped, fmt.Sprintf("%d %s", n, visible(reason)))
		}
		if slices.Sort(skipped); len(skipped) > 0 {
			part += " (skipped: " + strings.Join(skipped, ", ") + ")"
		}
		parts = append(parts, part)
	}
	parts = append(parts, count(int64(c.Packs), "pack"), fmt.Sprintf("%d loose", c.Loose), count(int64(c.Refs), "reference"))
	if c.Alternates > 0 {
		parts = append(parts, count(int64(c.Alternates), "alternate store"))
	}
	if c.Cached > 0 {
		parts = append(parts, fmt.Sprintf("%d known from an earlier run", c.Cached))
	}
	return strings.Join(parts, ", ")
}
