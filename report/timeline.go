package report

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/b10lint/b10lint/finding"
)

// TimelineSchema names the form of a timeline in JSON.
const TimelineSchema = "b10lint/timeline/v1"

// TimelineFormats lists what [WriteTimeline] knows.
func TimelineFormats() []string { return []string{"text", "json", "html"} }

// WriteTimeline writes a key's story in one of the formats that TimelineFormats
// lists. Everything that comes from elsewhere is made harmless, as in reports.
func WriteTimeline(w io.Writer, format string, t finding.Timeline) error {
	var data []byte
	var err error
	switch format {
	case "text":
		data = timelineText(t)
	case "json":
		data, err = encode(struct {
			Schema string `json:"schema"`
			finding.Timeline
		}{TimelineSchema, t}, "  ")
	case "html":
		data, err = timelineHTML(t)
	default:
		return fmt.Errorf("timeline format %q is not one of %s", format, strings.Join(TimelineFormats(), ", "))
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err != nil {
		return fmt.Errorf("writing the timeline as %s: %w", format, err)
	}
	return nil
}

// commas writes a number with a comma between groups of three digits, for a terminal.
func commas(n int64) string { return strings.ReplaceAll(thousands(n), "\u202f", ",") }

func stateWords(t finding.Timeline) string {
	switch t.State {
	case finding.Live:
		return "live: listed by Baseten on " + t.At.UTC().Format("2006-01-02 15:04 UTC")
	case finding.Dead:
		return "revoked, by the audit log"
	}
	return "unknown: not among the keys that this credential sees"
}

func eventTime(e finding.Event) string {
	if e.DayOnly {
		return e.At.UTC().Format(time.DateOnly)
	}
	return e.At.UTC().Format("2006-01-02 15:04")
}

func timelineText(t finding.Timeline) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n", visible(t.Prefix), stateWords(t))
	for _, f := range itemFacts(t.Key) {
		fmt.Fprintf(&b, "     %-*s%s\n", labelWidth-5, strings.ToLower(f.Label)+":", f.Value)
	}
	if len(t.Events) > 0 {
		b.WriteString("\nWhat happened (UTC)\n")
	}
	leakTold := t.Leaked == nil
	for _, e := range t.Events {
		if !leakTold && !e.At.Before(*t.Leaked) {
			leakTold = true
			fmt.Fprintf(&b, "  %-16s  ---------- the key is exposed from here on ----------\n", t.Leaked.UTC().Format("2006-01-02 15:04"))
		}
		by := ""
		if e.By != "" {
			by = ", by " + visible(e.By)
		}
		fmt.Fprintf(&b, "  %-16s  %s%s (%s)\n", eventTime(e), visible(e.Text), by, visible(e.From))
	}
	if len(t.Usage) > 0 {
		b.WriteString("\nCalls to Model APIs, by day and model\n")
	}
	for _, u := range t.Usage {
		when := ""
		if u.AfterLeak {
			when = "  after the leak"
		}
		fmt.Fprintf(&b, "  %s  %-40s %8s requests %11s tokens in %11s out%s\n", visible(u.Date), visible(u.Model), commas(u.Requests), commas(u.InputTokens), commas(u.OutputTokens), when)
	}
	b.WriteString("\nWhat is not known\n")
	for _, u := range t.Unknown {
		fmt.Fprintf(&b, "  - %s\n", visible(u))
	}
	return b.Bytes()
}

// A timelinePage is what the template shows; it makes the texts of the timeline visible.
type timelinePage struct {
	htmlFrame
	finding.Timeline
	StateWords string
	Facts      []htmlFact
	Line       *htmlLine
	Days       *htmlDays
}

// htmlDays are the tokens of each day as bars, from the first day with a call to the last.
type htmlDays struct {
	Words string
	Width int
	Bars  []htmlDay
}

type htmlDay struct {
	Words   string
	X, Y, H int
	Late    bool // after the leak
}

// mostDays bounds the bars; usage is kept for 92 days.
const mostDays = 400

// tokensByDay draws a bar a day, days without a call left free; nil for one day or less.
func tokensByDay(usage []finding.DailyUse) *htmlDays {
	tokens, late := map[string]int64{}, map[string]bool{}
	first, last := "", ""
	for _, u := range usage {
		if _, err := time.Parse(time.DateOnly, u.Date); err != nil || u.InputTokens < 0 || u.OutputTokens < 0 {
			continue
		}
		tokens[u.Date] += u.InputTokens + u.OutputTokens
		late[u.Date] = u.AfterLeak
		if first == "" || u.Date < first {
			first = u.Date
		}
		last = max(last, u.Date)
	}
	from, _ := time.Parse(time.DateOnly, first)
	var most int64
	busiest := ""
	for _, date := range slices.Sorted(maps.Keys(tokens)) {
		if tokens[date] > most {
			most, busiest = tokens[date], date
		}
	}
	if most <= 0 || first == last {
		return nil
	}
	d := &htmlDays{Words: fmt.Sprintf("Tokens by day, in and out, from %s to %s; the most, %s, on %s", first, last, thousands(most), busiest)}
	for i := range mostDays {
		date := from.AddDate(0, 0, i).Format(time.DateOnly)
		if date > last {
			break
		}
		if n := tokens[date]; n > 0 {
			h := max(1, int(float64(n)/float64(most)*70))
			d.Bars = append(d.Bars, htmlDay{Words: date + ": " + thousands(n) + " tokens", X: 6 * i, Y: 72 - h, H: h, Late: late[date]})
		}
		d.Width = 6*i + 6
	}
	return d
}

// After reports whether an event is one after the leak.
func (p timelinePage) After(e finding.Event) bool {
	return p.Leaked != nil && e.Kind != "committed" && e.Kind != "revoked" && e.At.After(*p.Leaked)
}

// When is the time of an event.
func (p timelinePage) When(e finding.Event) string { return eventTime(e) }

func timelineHTML(t finding.Timeline) ([]byte, error) {
	k := finding.InventoryKey{Prefix: t.Prefix, LeakedAt: t.Leaked}
	if t.Key != nil {
		k.Key = *t.Key
	}
	for _, u := range t.Usage {
		if n := len(k.Activity); n == 0 || k.Activity[n-1].Date != u.Date {
			k.Activity = append(k.Activity, finding.Activity{Date: u.Date})
		}
	}
	return render("timeline.tmpl", timelinePage{
		htmlFrame: frame("b10lint timeline of " + visible(t.Prefix)), Timeline: t,
		StateWords: stateWords(t), Facts: itemFacts(t.Key), Line: keyLine(&k, nil, time.Time{}, t.At), Days: tokensByDay(t.Usage),
	})
}
