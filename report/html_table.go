package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/shell"
)

// An htmlRow is one key in the table above the cards.
type htmlRow struct {
	ID, Severity, Prefix, Name, Type, Team, Owner, Made, Used, Rules string
	Rank, N                                                          int // of the worst severity; of findings
}

// newRows are the rows of the keys that the cards are about, in their order.
func newRows(items []htmlItem, inventory []finding.InventoryKey) (rows []htmlRow) {
	known := map[string]*finding.InventoryKey{}
	for i := range inventory {
		known[visible(inventory[i].Prefix)] = &inventory[i]
	}
	for i := range items {
		it := &items[i]
		k := known[it.Title]
		if k == nil {
			continue
		}
		it.ID = fmt.Sprintf("k%d", len(rows))
		row := htmlRow{ID: it.ID, Severity: it.Severity, Prefix: it.Title, Name: cut(visible(k.Name), shortCell), Type: visible(k.Type),
			Team: cut(visible(k.Team), shortCell), Owner: cut(visible(k.Owner), shortCell), Made: cmp.Or(day(k.CreatedAt), boundWords(k)), Used: day(k.LastUsedAt),
			Rules: it.Rules, N: len(it.Findings)}
		if k.NeverUsed {
			row.Used = "never"
		}
		var s finding.Severity
		if s.UnmarshalText([]byte(it.Severity)) == nil {
			row.Rank = int(s) + 1
		}
		rows = append(rows, row)
	}
	return rows
}

// shortCell is how long a name in the table may be.
const shortCell = 40

// boundWords say when a key was created of which only a bound is known.
func boundWords(k *finding.InventoryKey) string {
	if b := day(k.CreatedBefore); b != "" {
		return "before " + b
	}
	return ""
}

// An htmlRollup is the keys by what they have in common.
type htmlRollup struct {
	Title, Column string
	Rows          []htmlGroup
	More          int // groups that are not listed
}

// An htmlGroup is a row of a roll-up. Command plans the revocation of those keys of the
// group that can go as one; it is empty where there are none.
type htmlGroup struct {
	Label         string
	Keys, N, Gone int // keys with findings, findings, keys that the command is about
	Command       string
}

// mostGroups bounds a roll-up.
const mostGroups = 12

// retires are the rules whose keys can go, whatever else is known of them: the plan of a
// revocation still shows each, and holds back those in use.
var retires = []string{"key-leaked", "key-signs-of-theft", "key-made-by-leaked-key", "key-orphaned", "key-never-used", "key-unused"}

// unusedRules are those whose keys nobody misses.
var unusedRules = []string{"key-never-used", "key-unused"}

// rollups count keys and findings by rule, team and owner, the largest group first.
func rollups(r finding.Report) (list []htmlRollup) {
	type group struct {
		keys, gone map[string]bool
		n          int
	}
	by := []map[string]*group{{}, {}, {}}
	for _, f := range r.Standing() {
		if f.Key == nil || f.Prefix == "" {
			continue
		}
		for i, label := range []string{f.Rule, f.Key.Team, f.Key.Owner} {
			if label == "" {
				continue
			}
			g := by[i][label]
			if g == nil {
				g = &group{keys: map[string]bool{}, gone: map[string]bool{}}
				by[i][label] = g
			}
			g.n++
			g.keys[f.Prefix] = true
			sure := f.Rule != "key-unused" || f.Confidence == finding.HighConfidence
			if sure && (i == 0 && slices.Contains(retires, f.Rule) || i > 0 && slices.Contains(unusedRules, f.Rule)) {
				g.gone[f.Prefix] = true
			}
		}
	}
	for i, column := range []string{"Rule", "Team", "Owner"} {
		roll := htmlRollup{Title: "By " + strings.ToLower(column), Column: column}
		for label, g := range by[i] {
			row := htmlGroup{Label: cut(visible(label), shortCell), Keys: len(g.keys), N: g.n, Gone: len(g.gone)}
			if row.Gone > 0 && visible(label) == label {
				row.Command = retireCommand(column, label, row.Gone)
			}
			roll.Rows = append(roll.Rows, row)
		}
		slices.SortFunc(roll.Rows, func(a, b htmlGroup) int {
			return cmp.Or(cmp.Compare(b.Gone, a.Gone), cmp.Compare(b.Keys, a.Keys), cmp.Compare(a.Label, b.Label))
		})
		if roll.More = max(0, len(roll.Rows)-mostGroups); roll.More > 0 {
			roll.Rows = roll.Rows[:mostGroups]
		}
		if len(roll.Rows) > 0 {
			list = append(list, roll)
		}
	}
	return list
}

// retireCommand plans the revocation of a group by the report that the page was made from.
func retireCommand(column, label string, n int) string {
	command := "b10lint revoke --from audit.json"
	switch column {
	case "Rule":
		command += " --rule " + shell.Quote(label)
	default:
		for _, rule := range unusedRules {
			command += " --rule " + rule
		}
		command += " --" + strings.ToLower(column) + " " + shell.Quote(label)
	}
	if n > 25 { // what revoke allows by default
		command += fmt.Sprintf(" --max %d", n)
	}
	return command
}

// A textPart is a piece of a text: words, or a command that stood between backticks.
type textPart struct {
	Text string
	Code bool
}

// parts splits a text at its backticks.
func parts(text string) (list []textPart) {
	pieces := strings.Split(text, "`")
	if len(pieces)%2 == 0 { // one is not closed: it is no mark
		return []textPart{{Text: text}}
	}
	for i, p := range pieces {
		if p != "" {
			list = append(list, textPart{p, i%2 == 1})
		}
	}
	return list
}

// thousands writes a number with a narrow space between groups of three digits.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "\u202f" + text[i:]
	}
	return text
}

// axisFrom is where the time axis of all keys begins: the earliest date that any of them
// has, ten years before now at most.
func axisFrom(r finding.Report, now time.Time) time.Time {
	from := now
	take := func(t *time.Time) {
		if t = saneTime(t); t != nil && t.Before(from) && t.After(now.AddDate(-10, 0, 0)) {
			from = *t
		}
	}
	for i := range r.Summary.Inventory {
		k := &r.Summary.Inventory[i]
		take(k.CreatedAt)
		take(k.LastUsedAt)
		take(k.LeakedAt)
		if len(k.Activity) > 0 {
			if t, err := time.Parse(time.DateOnly, k.Activity[0].Date); err == nil {
				take(&t)
			}
		}
	}
	for i := range r.Findings {
		for j := range r.Findings[i].Locations {
			take(r.Findings[i].Locations[j].Date)
		}
	}
	return from
}
