package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// An htmlLine is a key's timeline, drawn to a width of lineWidth.
type htmlLine struct {
	Words      string // what it shows, for those who do not see it
	From, To   string // dates of its ends
	Made       *int   // x of each mark
	Exposed    *int   // from there to the end
	LastUse    *int
	Revoked    *int
	Uses       string // a path with a tick for each day with a use
	Commits    []int
	ExposedFor int // width
}

const lineWidth = 600

// keyLine draws what is dated of a key; nil when that is nothing. The axis begins at from,
// so that the lines of a page can be compared; the zero time is the key's own first date.
func keyLine(k *finding.InventoryKey, exposed []time.Time, from, now time.Time) *htmlLine {
	var all []time.Time
	take := func(t *time.Time) *time.Time {
		if t = saneTime(t); t == nil || t.Year() < 1971 || t.After(now.Add(24*time.Hour)) {
			return nil
		}
		all = append(all, *t)
		return t
	}
	made, used, revoked, leaked := take(k.CreatedAt), take(k.LastUsedAt), take(k.RevokedAt), take(k.LeakedAt)
	for i := range exposed {
		t := take(&exposed[i])
		if t != nil && (leaked == nil || t.Before(*leaked)) {
			leaked = t
		}
	}
	var days []time.Time
	for _, a := range k.Activity {
		if t, err := time.Parse(time.DateOnly, a.Date); err == nil && take(&t) != nil {
			days = append(days, t)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if from.IsZero() {
		from = slices.MinFunc(all, time.Time.Compare)
	}
	span := now.Sub(from)
	x := func(t *time.Time) *int {
		if t == nil {
			return nil
		}
		at := lineWidth
		if span > 0 {
			at = int(float64(t.Sub(from)) / float64(span) * lineWidth)
		}
		at = min(max(at, 0), lineWidth)
		return &at
	}
	l := &htmlLine{
		Words: "Timeline: " + lineWords(k, made, leaked, used, revoked, len(days)),
		From:  from.Format(time.DateOnly), To: now.Format(time.DateOnly),
		Made: x(made), Exposed: x(leaked), LastUse: x(used), Revoked: x(revoked),
	}
	if l.Exposed != nil {
		l.ExposedFor = lineWidth - *l.Exposed
		if l.Revoked != nil {
			l.ExposedFor = max(0, *l.Revoked-*l.Exposed)
		}
	}
	start, end := -1, -1 // of a run of days, a pixel wide at least
	for i := range days {
		if at := *x(&days[i]); start < 0 || at > end+1 {
			l.Uses += useRun(start, end)
			start, end = at, at
		} else {
			end = at
		}
	}
	l.Uses += useRun(start, end)
	for i := range exposed {
		l.Commits = append(l.Commits, *x(&exposed[i]))
	}
	return l
}

// useRun is a piece of a path: a bar from one pixel to another.
func useRun(start, end int) string {
	if start < 0 {
		return ""
	}
	return fmt.Sprintf("M%d 19h%d", start, end-start+1)
}

func lineWords(k *finding.InventoryKey, made, leaked, used, revoked *time.Time, uses int) string {
	var parts []string
	add := func(word string, t *time.Time) {
		if t != nil {
			parts = append(parts, word+" "+day(t))
		}
	}
	add("made", made)
	add("exposed since", leaked)
	if uses > 0 {
		parts = append(parts, "used on "+count(int64(uses), "known day"))
	}
	word := "last used"
	if k.LastUsedBasis != "" && k.LastUsedBasis != "list" {
		word = "last known use"
	}
	add(word, used)
	if k.NeverUsed {
		parts = append(parts, "never used")
	}
	add("revoked", revoked)
	return strings.Join(parts, ", ")
}

// An htmlBars is one distribution.
type htmlBars struct {
	Title string
	Rows  []htmlBar
}

type htmlBar struct {
	Label    string
	N, Width int // Width out of 200
}

// distributions are the ages and the last uses of an inventory.
func distributions(keys []finding.InventoryKey, now time.Time) []htmlBars {
	if len(keys) == 0 {
		return nil
	}
	list := []htmlBars{
		bars("Age of the keys", "under 30 days", "30 to 89 days", "90 to 179 days", "180 to 364 days", "a year or more", "not known"),
		bars("Last use", "in the last 7 days", "8 to 30 days ago", "31 to 60 days ago", "more than 60 days ago", "never used",
			"no evidence of use", "not known"),
	}
	age, use := list[0].Rows, list[1].Rows
	for i := range keys {
		k := &keys[i].Key
		n, ok := daysSince(k.CreatedAt, now)
		if !ok { // the least age that is sure
			n, ok = daysSince(k.CreatedBefore, now)
		}
		if ok {
			age[row(n, 30, 90, 180, 365)].N++
		} else {
			age[5].N++
		}
		n, ok = daysSince(k.LastUsedAt, now)
		switch {
		case k.NeverUsed:
			use[4].N++
		case ok:
			use[row(n, 8, 31, 61)].N++
		case k.NoUseSince != nil:
			use[5].N++
		default:
			use[6].N++
		}
	}
	for _, rows := range [][]htmlBar{age, use} {
		most := 1
		for _, r := range rows {
			most = max(most, r.N)
		}
		for i := range rows {
			rows[i].Width = rows[i].N * 200 / most
		}
	}
	return list
}

func bars(title string, labels ...string) htmlBars {
	b := htmlBars{Title: title}
	for _, l := range labels {
		b.Rows = append(b.Rows, htmlBar{Label: l})
	}
	return b
}

func daysSince(t *time.Time, now time.Time) (int, bool) {
	if t = saneTime(t); t == nil {
		return 0, false
	}
	return int(now.Sub(*t) / (24 * time.Hour)), true
}

// row is the index of the first bound that n is below.
func row(n int, bounds ...int) int {
	i, _ := slices.BinarySearch(bounds, n+1)
	return i
}
