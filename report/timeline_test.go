package report

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/b10lint/b10lint/finding"
)

func story() finding.Timeline {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 30, 0, 0, time.UTC) }
	leaked, made := day(5), day(1)
	return finding.Timeline{Prefix: "b10_Story001", At: day(20), State: finding.Live, Leaked: &leaked,
		Key: &finding.Key{Name: "ci", Type: "PERSONAL", CreatedAt: &made, KeyEvidence: finding.KeyEvidence{CreatedBasis: "list", NeverUsed: true}},
		Events: []finding.Event{{At: day(1), Kind: "created", Text: "key made", By: "dev@example.com", From: "list"},
			{At: day(5), Kind: "committed", Text: "commit c1 put it into a.py", From: "scan.json"},
			{At: day(7), Kind: "last-use", Text: "last day with calls", From: "usage", DayOnly: true}},
		Usage:   []finding.DailyUse{{Date: "2026-11-04", Model: "small", Requests: 3}, {Date: "2026-11-07", Model: "large", Requests: 900, AfterLeak: true}},
		Unknown: []string{"who called"}}
}

func TestTimelineFormats(t *testing.T) {
	wants := map[string][]string{
		"text": {"b10_Story001: live: listed by Baseten on 2026-11-20 09:30 UTC", "2026-11-05 09:30  ---------- the key is exposed",
			"2026-11-07        last day with calls (usage)", "large", "after the leak", "- who called"},
		"json": {`"schema": "b10lint/timeline/v1"`, `"after_leak": true`},
		"html": {"<code>b10_Story001</code>", `<span class="after">after the leak:</span> last day`, "exposed since 2026-11-05", "<li>who called</li>"},
	}
	for _, format := range TimelineFormats() {
		var b bytes.Buffer
		if err := WriteTimeline(&b, format, story()); err != nil {
			t.Fatal(err)
		}
		for _, w := range wants[format] {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: no %q in:\n%s", format, w, b.String())
			}
		}
		boom := errors.New("boom")
		if err := WriteTimeline(failing{boom}, format, story()); !errors.Is(err, boom) {
			t.Errorf("%s: a failing write gave %v", format, err)
		}
		var hostile finding.Timeline
		fill(reflect.ValueOf(&hostile).Elem(), "\x1b[31m<img src=x onerror=alert(1)>\n::error::x\u202e", 3, 2, 0)
		b.Reset()
		if err := WriteTimeline(&b, format, hostile); err != nil {
			t.Fatal(err)
		}
		harmless(t, format, b.Bytes())
	}
	if err := WriteTimeline(&bytes.Buffer{}, "xml", story()); err == nil || !strings.Contains(err.Error(), "text, json, html") {
		t.Errorf("got %v", err)
	}
}
