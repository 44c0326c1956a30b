package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// inCheckout reports whether a place can be opened in the work tree: it is a
// file there, or the same blob is at the head of the branch.
func inCheckout(l finding.Location) bool {
	return l.Path != "" && (l.Commit == "" && l.Blob == "" || l.AtHead)
}

// arrange returns the locations of f with the one to show first in front. Of those that
// let the key get as far as the first did, that is a plain file in the checkout, else a
// member of one, else the first.
func arrange(locations []finding.Location) []finding.Location {
	best, rank := 0, 0
	for i, l := range locations {
		r := 0
		if inCheckout(l) && l.Exposure == locations[0].Exposure {
			r = 1
			if l.Member == "" {
				r = 2
			}
		}
		if r > rank {
			best, rank = i, r
		}
	}
	if best == 0 {
		return locations
	}
	return slices.Concat(locations[best:best+1], locations[:best], locations[best+1:])
}

// subject names what a finding without a place is about.
func subject(f finding.Finding) string {
	var name string
	if f.Key != nil {
		name = f.Key.Name
	}
	if f.Prefix != "" && name != "" {
		return visible(f.Prefix) + " (" + visible(name) + ")"
	}
	return visible(cmp.Or(f.Prefix, name, "(no place)"))
}

// place is the one-line form of a location that an editor can open:
// path!member:line:column.
func place(l finding.Location) string {
	b := visible(cmp.Or(l.Path, "(no path)"))
	if note := l.NoteOn(); note != "" {
		b = "note on commit " + shortID(note)
	} else if l.Path == "" && l.Object != "" {
		b = visible(l.Object + " " + shortID(cmp.Or(l.Commit, l.Blob)))
		if l.Repository != "" && l.Repository != "." {
			b += " of " + visible(l.Repository)
		}
	}
	if l.Member != "" {
		b += "!" + visible(l.Member)
	}
	if l.Line > 0 {
		b += ":" + strconv.Itoa(l.Line)
		if l.Column > 0 {
			b += ":" + strconv.Itoa(l.Column)
		}
	}
	return b
}

// targets names what a finding is in, in a report of several targets.
func targets(f finding.Finding) string {
	var names []string
	for _, l := range f.Locations {
		if name := visible(l.Target); l.Target != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// particulars are the facts about a location that place omits.
func particulars(l finding.Location) []string {
	var out []string
	if l.Target != "" {
		out = append(out, "in "+visible(l.Target))
	}
	if l.Cell != nil {
		cell := fmt.Sprintf("cell %d, %s", l.Cell.Index, visible(l.Cell.Part))
		if l.Cell.Output != "" && l.Cell.Output != l.Cell.Part {
			cell += " (" + visible(l.Cell.Output) + ")"
		}
		out = append(out, cell)
	}
	if len(l.Decoded) > 0 {
		out = append(out, "in "+visible(strings.Join(l.Decoded, ", then ")))
	}
	if l.Exposure == finding.Staged { // the rest is how git keeps it
		return append(out, "staged")
	}
	if l.Object != "" && l.Object != "blob" {
		out = append(out, "in a git "+visible(l.Object))
	}
	if l.Commit != "" {
		s := "commit " + visible(shortID(l.Commit))
		if l.Author != "" {
			s += " by " + visible(l.Author)
		}
		if d := day(l.Date); d != "" {
			s += " on " + d
		}
		out = append(out, s)
	} else if l.Blob != "" {
		out = append(out, "object "+visible(shortID(l.Blob)))
	}
	if l.RemovedIn != "" {
		out = append(out, "removed in "+visible(shortID(l.RemovedIn)))
	}
	if l.AtHead {
		out = append(out, "still at the head")
	}
	if l.Unreachable {
		out = append(out, "no reference leads to it")
	}
	if l.Exposure != "" && l.Exposure != finding.Plain { // a plain file has nothing particular
		out = append(out, visible(string(l.Exposure)))
	}
	if l.Readable {
		out = append(out, "readable by everyone")
	}
	return out
}

// described is a location with its particulars, without the author, between open and end.
func described(l finding.Location, open, end string) string {
	p := strings.Join(particulars(l), ", ")
	if p == "" {
		return place(l)
	}
	return place(l) + open + p + end
}

// snippetParts splits a source line at its key.
func snippetParts(l finding.Location) (before, mark, after string) {
	r := []rune(l.Snippet)
	if l.SnippetMark == nil {
		return visible(l.Snippet), "", ""
	}
	from := min(max(l.SnippetMark[0], 0), len(r))
	to := min(max(l.SnippetMark[1], from), len(r))
	return visible(string(r[:from])), visible(string(r[from:to])), visible(string(r[to:]))
}

// liveness is the sentence on whether the key works; "" when Baseten was not asked.
func liveness(l *finding.Liveness) string {
	if l == nil || l.State == finding.Unchecked || l.State == "" {
		return ""
	}
	s, how := visible(string(l.State)), minute(l.At)
	if l.By != "" {
		how = strings.TrimSuffix("by "+visible(l.By)+", "+how, ", ")
	}
	if how != "" {
		s += " (" + how + ")"
	}
	if l.Detail != "" {
		s += ": " + visible(l.Detail)
	}
	return s
}

// keyFacts is what the inventory says of a key, as one line; "" for nothing.
func keyFacts(k *finding.Key) string {
	if k == nil {
		return ""
	}
	var out []string
	add := func(label, value string) {
		if value != "" {
			out = append(out, strings.TrimSpace(label+" "+visible(value)))
		}
	}
	if k.Name != "" {
		add("", strconv.Quote(k.Name))
	}
	add("", k.Type)
	add("team", k.Team)
	add("owner", k.Owner)
	add("group", k.Group)
	add("models", strings.Join(k.ModelIDs, " "))
	if k.CreatedBasis == "" {
		add("created", day(k.CreatedAt))
	} else {
		add("created", createdWords(k))
	}
	add("created by", k.CreatedBy)
	add("", usedWords(k))
	add("revoked", day(k.RevokedAt))
	add("revoked by", k.RevokedBy)
	return strings.Join(out, ", ")
}

func suppression(s *finding.Suppression) string {
	if s == nil {
		return ""
	}
	out := visible(s.Kind)
	if s.Reason != "" {
		out += ": " + visible(s.Reason)
	}
	if s.Owner != "" {
		out += ", owner " + visible(s.Owner)
	}
	if s.Until != "" {
		out += ", until " + visible(s.Until)
	}
	if s.Where != "" {
		out += " (" + visible(s.Where) + ")"
	}
	return out
}

func outcome(o *finding.Outcome) string {
	if o == nil {
		return ""
	}
	out := visible(o.State)
	if d := minute(o.At); d != "" {
		out += " at " + d
	}
	if o.Detail != "" {
		out += ": " + visible(o.Detail)
	}
	return out
}

// ProblemText is a problem as one line, without its hint.
func ProblemText(p finding.Problem) string {
	s := visible(p.Path)
	if p.Path != "" && p.Member != "" {
		s += "!"
	}
	s += visible(p.Member)
	if p.Object != "" {
		s = strings.TrimSpace(s + " object " + visible(shortID(p.Object)))
	}
	if s != "" {
		s += ": "
	}
	s += visible(cmp.Or(p.Error, "no reason given"))
	if p.Target != "" {
		s += " (in " + visible(p.Target) + ")"
	}
	return s
}

func shortID(id string) string { return id[:min(len(id), 12)] }

func day(t *time.Time) string {
	if t = saneTime(t); t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func minute(t *time.Time) string {
	if t = saneTime(t); t == nil {
		return ""
	}
	return t.Format("2006-01-02 15:04 UTC")
}

// saneTime returns t in UTC, or nil for a time that RFC 3339 cannot write: a
// commit may claim any year.
func saneTime(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	u := t.UTC()
	if y := u.Year(); y < 1 || y > 9999 {
		return nil
	}
	return &u
}

// sentence ends s with a full stop unless it has an end.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// createdWords says when a key was made, and how sure that is.
func createdWords(k *finding.Key) string {
	switch {
	case day(k.CreatedAt) != "":
		return strings.TrimSuffix(day(k.CreatedAt)+" ("+basis(k.CreatedBasis)+")", " ()")
	case day(k.CreatedBefore) != "":
		return "before " + day(k.CreatedBefore) + " (" + cmp.Or(basis(k.CreatedBasis), "bound") + ")"
	case day(k.CreatedAfter) != "":
		return "after " + day(k.CreatedAfter) + " (" + cmp.Or(basis(k.CreatedBasis), "bound") + ")"
	}
	return ""
}

// usedWords says when a key was last used. What rests on a part of the uses does
// not sound as if it were all of them.
func usedWords(k *finding.Key) string {
	switch {
	case k.NeverUsed:
		return "never used"
	case day(k.LastUsedAt) != "" && (k.LastUsedBasis == "usage" || k.LastUsedBasis == "audit-log"):
		return "last known " + day(k.LastUsedAt) + " (" + basis(k.LastUsedBasis) + "; other uses are unknown)"
	case day(k.LastUsedAt) != "":
		return "last used " + day(k.LastUsedAt)
	case day(k.NoUseSince) != "":
		return "no evidence of use since " + day(k.NoUseSince)
	case k.CreatedBasis != "":
		return "not known"
	}
	return ""
}

func basis(b string) string {
	switch b {
	case "list":
		return "list of keys"
	case "audit-log":
		return "audit log"
	case "usage":
		return "Model API usage"
	case "format":
		return "by its format"
	case "activity":
		return "first known use"
	}
	return visible(b)
}

// acceptURL is where it is documented how to accept a finding. Every report for people has it.
const acceptURL = HomeURL + "/blob/main/docs/config.md#accept-a-finding"

// acceptable returns the findings of a scan that someone may want to accept: keys, unless the
// run revoked them or they are known to work, which are reported whatever was accepted.
func acceptable(r finding.Report) (keys []finding.Finding) {
	for _, f := range r.Standing() {
		if f.Format != "" && r.Run.Command == "scan" && !f.Outcome.Dead() && !works(f.Liveness) {
			keys = append(keys, f)
		}
	}
	return keys
}

// works reports whether a key is known to work.
func works(l *finding.Liveness) bool {
	return l != nil && (l.State == finding.Live || l.State == finding.Restricted)
}

// ruleURL is where a rule is documented. A rule's ID comes from a report and may
// be anything.
func ruleURL(id string) string { return HomeURL + "/blob/main/docs/rules.md#" + percent(id) }

// sarifLevel maps severities to the levels of SARIF and of GitHub's annotations.
func sarifLevel(s finding.Severity) string {
	switch {
	case s >= finding.High:
		return "error"
	case s == finding.Medium:
		return "warning"
	}
	return "note"
}

// bySeverity returns the indices of the findings, the most severe first, and behind them
// those that an earlier report or a baseline knew.
func bySeverity(findings []finding.Finding) []int {
	order := make([]int, len(findings))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := findings[a], findings[b]
		if known := x.Baseline == unchanged; known != (y.Baseline == unchanged) {
			if known {
				return 1
			}
			return -1
		}
		return cmp.Compare(y.Severity, x.Severity)
	})
	return order
}

// unchanged is what finding.Finding.Baseline says of one that was known.
const unchanged = "unchanged"

// gitlabTime is a time without a zone, which the schema takes for UTC.
func gitlabTime(t time.Time) string {
	if u := saneTime(&t); u != nil {
		return u.Format("2006-01-02T15:04:05")
	}
	return "1970-01-01T00:00:00"
}
