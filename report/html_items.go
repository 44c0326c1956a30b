package report

import (
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// An htmlItem is one key, or one subject without a key, with all its findings.
type htmlItem struct {
	ID       string // of its element, for the table; empty for one that is not in it
	Title    string
	Name     string // of the key
	Severity string // of the worst finding; "none" without one
	Rules    string // IDs, for the filter, separated by spaces
	Facts    []htmlFact
	Next     string // what to do
	Findings []htmlFinding
	Line     *htmlLine
}

type htmlFinding struct {
	Rule, Severity, Message, Note, Advice string
	Places                                []htmlPlace
	More                                  int // places that are not listed
}

type htmlPlace struct {
	At, Particulars     string
	Before, Mark, After string // of the source line
}

// htmlPlaces bounds the places of one finding in the page.
const htmlPlaces = 20

// newItems groups the findings by key, in the order of their severity, and adds the
// keys of the inventory that have none.
func newItems(r finding.Report, opts Options, from, now time.Time) (items []htmlItem, quiet int) {
	inventory := r.Summary.Inventory
	known := map[string]*finding.InventoryKey{}
	for i := range inventory {
		known[inventory[i].Prefix] = &inventory[i]
	}
	var order []string
	groups := map[string][]finding.Finding{}
	for _, i := range bySeverity(r.Findings) {
		f := r.Findings[i]
		id := f.Prefix
		if id == "" {
			id = "\x00" + f.Fingerprint + f.Rule + subject(f)
		}
		if groups[id] == nil {
			order = append(order, id)
		}
		groups[id] = append(groups[id], f)
	}
	for _, id := range order {
		items = append(items, newItem(groups[id], known[id], opts, from, now))
	}
	for i := range inventory {
		if k := &inventory[i]; groups[k.Prefix] == nil {
			quiet++
			items = append(items, htmlItem{Title: visible(k.Prefix), Name: visible(k.Name), Severity: "none",
				Facts: itemFacts(&k.Key), Line: keyLine(k, nil, from, now)})
		}
	}
	return items, quiet
}

func newItem(group []finding.Finding, known *finding.InventoryKey, opts Options, from, now time.Time) htmlItem {
	first := group[0]
	it := htmlItem{Title: subject(first), Severity: first.Severity.String()}
	key := first.Key
	if known != nil {
		key = &known.Key
	}
	if first.Prefix != "" {
		it.Title = visible(first.Prefix)
		if key != nil {
			it.Name = visible(key.Name)
		}
	} else if len(first.Locations) > 0 {
		it.Title = place(arrange(first.Locations)[0])
	}
	if first.Suppression == nil {
		it.Next = visible(first.Advice)
	}
	var rules []string
	for _, f := range group {
		if !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
		it.Findings = append(it.Findings, newFinding(f, it.Next, opts))
	}
	it.Rules = visible(strings.Join(rules, " "))
	it.Facts = itemFacts(key)
	if l := liveness(first.Liveness); l != "" {
		it.Facts = append(it.Facts, htmlFact{"Works", l})
	}
	if o := outcome(first.Outcome); o != "" {
		it.Facts = append(it.Facts, htmlFact{"Outcome", o})
	}
	exposed, facts := exposure(group, now)
	it.Facts = append(it.Facts, facts...)
	if known == nil {
		known = &finding.InventoryKey{}
		if key != nil {
			known.Key = *key
		}
	}
	it.Line = keyLine(known, exposed, from, now)
	return it
}

func newFinding(f finding.Finding, next string, opts Options) htmlFinding {
	out := htmlFinding{Rule: visible(f.Rule), Severity: f.Severity.String(), Message: visible(f.Message)}
	var notes []string
	if f.Confidence < finding.HighConfidence {
		notes = append(notes, f.Confidence.String()+" confidence")
	}
	if f.Baseline != "" {
		notes = append(notes, visible(f.Baseline))
	}
	if s := suppression(f.Suppression); s != "" {
		notes = append(notes, "accepted: "+s)
	}
	out.Note = strings.Join(notes, "; ")
	if a := visible(f.Advice); a != next {
		out.Advice = a
	}
	places := arrange(f.Locations)
	out.More = max(0, len(places)-htmlPlaces)
	for _, l := range places[:len(places)-out.More] {
		l.Path = opts.repoPath("", l.Path)
		p := htmlPlace{At: place(l), Particulars: strings.Join(particulars(l), ", ")}
		p.Before, p.Mark, p.After = snippetParts(l)
		out.Places = append(out.Places, p)
	}
	return out
}

// itemFacts are the inventory's, each with the certainty that there is.
func itemFacts(k *finding.Key) (facts []htmlFact) {
	if k == nil {
		return nil
	}
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, htmlFact{label, cut(visible(value), longCell)})
		}
	}
	add("Type", k.Type)
	add("Team", k.Team)
	add("Owner", k.Owner)
	add("Group", k.Group)
	add("Models", strings.Join(k.ModelIDs, ", "))
	add("Made", strings.Trim(createdWords(k)+", by "+k.CreatedBy, ", by"))
	add("Use", usedWords(k))
	if d := day(k.RevokedAt); d != "" {
		add("Revoked", strings.TrimSuffix(d+", by "+k.RevokedBy, ", by "))
	}
	return facts
}

// exposure is since when the key stood in dated places, for how long, and
// whether it is still there.
func exposure(group []finding.Finding, now time.Time) (at []time.Time, facts []htmlFact) {
	head := false
	for _, f := range group {
		for _, l := range f.Locations {
			if d := saneTime(l.Date); d != nil && d.Year() > 1970 {
				at = append(at, *d)
			}
			head = head || l.AtHead
		}
	}
	if len(at) == 0 {
		return nil, nil
	}
	slices.SortFunc(at, time.Time.Compare)
	state := "no longer; history keeps it"
	if head {
		state = "still there"
	}
	return at, []htmlFact{
		{"First commit", at[0].Format(time.DateOnly)},
		{"Exposed for", count(int64(max(0, now.Sub(at[0])/(24*time.Hour))), "day")},
		{"At the head", state},
	}
}
