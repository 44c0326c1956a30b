package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/b10lint/b10lint/finding"
)

// The policy names the very style and script that the page holds.
func TestHTMLPolicyMatchesPage(t *testing.T) {
	out := string(convert(t, read(t, "testdata/audit.json"), "html", Options{Rules: testRules()}))
	if strings.Contains(out, "<script>alert") || strings.Contains(out, " style=") || strings.Contains(out, " onclick") {
		t.Error("a name got through as markup, or there is an inline attribute that the policy forbids")
	}
	for _, tag := range []string{"style", "script"} {
		m := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(out, -1)
		if len(m) != 1 {
			t.Fatalf("%d elements %s", len(m), tag)
		}
		sum := sha256.Sum256([]byte(m[0][1]))
		if want := tag + "-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"; !strings.Contains(out, want) {
			t.Errorf("the policy has no %s", want)
		}
	}
}

// organisation renders a report on n keys.
func organisation(t *testing.T, n int, hostile string) []byte {
	t.Helper()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	r := finding.Report{Run: finding.Run{Tool: finding.Tool{Name: "b10lint", Version: "v1"}, Command: "audit", Started: now},
		Problems: []finding.Problem{{Error: "users may not be read" + hostile, Warning: true}}}
	s := finding.Summary{Complete: true, Keys: n, Sources: []finding.Source{{Name: "users", State: "denied", Detail: "members are not known"}}}
	names := []string{"leaked-key-live", "key-unused", "key-unnamed"}
	for i := range n {
		made, used, leaked := now.AddDate(0, 0, -400+i%300), now.AddDate(0, 0, -i%90), now.AddDate(0, 0, -i%60)
		k := finding.InventoryKey{Prefix: fmt.Sprintf("b10_Key%05d", i), Key: finding.Key{Name: fmt.Sprintf("ci-%d%s", i, hostile), Type: "WORKSPACE_INVOKE", CreatedAt: &made, LastUsedAt: &used,
			KeyEvidence: finding.KeyEvidence{CreatedBasis: "list", LastUsedBasis: "list"}}}
		for d := range 13 {
			k.Activity = append(k.Activity, finding.Activity{Date: now.AddDate(0, 0, -90+7*d).Format(time.DateOnly), Requests: 3})
		}
		if i%3 == 0 {
			k.LeakedAt = &leaked
		}
		s.Inventory = append(s.Inventory, k)
		if i%5 == 4 {
			continue
		}
		for j, rule := range names[i%3:] {
			f := finding.Finding{Rule: rule, Severity: []finding.Severity{finding.Critical, finding.Medium, finding.Low}[(i%3+j)%3], Confidence: finding.HighConfidence,
				Prefix: k.Prefix, Fingerprint: fmt.Sprint(i, j), Message: "key " + k.Prefix + " is at fault" + hostile, Advice: "revoke it with b10lint revoke " + k.Prefix, Key: &k.Key}
			if rule == "leaked-key-live" {
				f.Locations = []finding.Location{{Path: "src/app" + hostile + ".py", Line: 3, Commit: "c0ffee", Date: &leaked, AtHead: true, Snippet: "key = ****" + hostile, SnippetMark: &[2]int{6, 10}}}
			}
			r.Findings = append(r.Findings, f)
			s.Findings++
		}
	}
	r.Summary = s
	return written(t, r, "html", Options{Rules: testRules()})
}

const attack = `"><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>{{.}}</style>` + "\u202e"

func TestHTMLInBrowser(t *testing.T) {
	b := newBrowser(t)
	b.open(t, organisation(t, 30, attack))
	t.Run("filters", func(t *testing.T) {
		if n := b.number(t, visibleItems); n != 24 {
			t.Errorf("%v of 30 keys are shown, want the 24 with findings", n)
		}
		b.click(t, "#show-none")
		b.click(t, "#show-critical")
		if n := b.number(t, visibleItems); n != 22 {
			t.Errorf("without critical and with those without findings: %v, want 22", n)
		}
		b.click(t, "#show-critical")
		b.set(t, "#text", "ci-7\"", "input")
		if n, said := b.number(t, visibleItems), b.text(t, `document.getElementById('shown').textContent`); n != 1 || said != "1 of 30 shown" {
			t.Errorf("after a search: %v, %q", n, said)
		}
		b.set(t, "#text", "", "input")
		b.set(t, "#rule", "key-unnamed", "change")
		if n := b.number(t, visibleItems); n != 24 {
			t.Errorf("by rule: %v, want 24", n)
		}
	})
	t.Run("table", func(t *testing.T) {
		b.set(t, "#rule", "", "change")
		column := func(n int) string {
			return b.text(t, fmt.Sprintf(`[...document.querySelectorAll('#keys tbody tr')].map(r => r.cells[%d].textContent).join(' ')`, n))
		}
		if rows := strings.Fields(column(1)); len(rows) != 30 {
			t.Errorf("%d rows", len(rows))
		}
		for i, want := range []string{"b10_Key00000 b10_Key00001", "b10_Key00029 b10_Key00028"} {
			b.click(t, "#keys th:nth-child(2) button")
			if got := column(1); !strings.HasPrefix(got, want) || b.text(t, `document.querySelector('#keys [aria-sort]').textContent`) != "Key" {
				t.Errorf("sorted %d times: %.60s", i+1, got)
			}
		}
		b.click(t, "#keys th:first-child button")
		if got := column(0); !strings.HasPrefix(got, "critical critical") || !strings.HasSuffix(got, "none none") {
			t.Errorf("by severity: %s", got)
		}
		if n := b.number(t, `document.querySelectorAll('.groups .copy').length`); n == 0 {
			t.Error("no command can be copied")
		}
		b.run(t, chromedp.Evaluate(`document.querySelector('#keys a').click()`, nil))
		if got := b.text(t, `document.querySelector(':target h3 code').textContent`); got != b.text(t, `document.querySelector('#keys a').textContent`) {
			t.Errorf("the link leads to %s", got)
		}
	})
	t.Run("keyboard", func(t *testing.T) {
		b.run(t, chromedp.Evaluate(`document.activeElement.blur(); window.scrollTo(0,0); document.body.tabIndex=-1; document.body.focus()`, nil), chromedp.KeyEvent(kb.Tab))
		if got := b.text(t, `document.activeElement.className`); got != "skip" {
			t.Errorf("the first stop is %q", got)
		}
		b.run(t, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
		if got := b.text(t, `document.activeElement.id`); got != "show-critical" {
			t.Errorf("after skipping, the next stop is %q", got)
		}
		b.run(t, chromedp.KeyEvent(" "))
		if b.text(t, `String(document.getElementById('show-critical').checked)`) != "false" {
			t.Error("the space bar does not tick")
		}
	})
	t.Run("screen reader", func(t *testing.T) { checkTree(t, b.tree(t)) })
	b.quiet(t)
}

// checkTree looks for what a screen reader needs: landmarks, headings, names.
func checkTree(t *testing.T, tree []string) {
	t.Helper()
	for _, want := range []string{"main:", "banner:", "heading: Findings by severity", "heading: Keys, by risk", "table: Age of the keys", "table: Last use",
		"rowheader: 30 to 89 days", "columnheader: Keys", "heading: Show by worst severity", "checkbox: medium (", "combobox: Rule", "searchbox: Text",
		": Timeline: made 2025-10-", "heading: What could be asked", "DisclosureTriangle: key-unused"} {
		if !slices.ContainsFunc(tree, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("the accessibility tree has no %q", want)
		}
	}
	t.Logf("%d nodes", len(tree))
	for _, n := range tree {
		for _, role := range []string{"image", "checkbox", "combobox", "searchbox", "link", "heading", "table", "region"} {
			if n == role+": " {
				t.Errorf("there is a nameless %s", role)
			}
		}
	}
}

func TestHTMLThemesAndPrint(t *testing.T) {
	b := newBrowser(t)
	b.open(t, organisation(t, 30, ""))
	colors := map[string]string{}
	for _, theme := range []string{"light", "dark"} {
		b.run(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
		colors[theme] = b.text(t, `getComputedStyle(document.body).backgroundColor`)
		for what, ratio := range contrasts(t, b) {
			if ratio < 4.5 {
				t.Errorf("%s: the contrast of %s is %.2f", theme, what, ratio)
			}
		}
		b.screenshot(t, "audit-"+theme)
		b.run(t, chromedp.Evaluate(`document.querySelector('.cards .item').scrollIntoView()`, nil))
		b.screenshot(t, "audit-"+theme+"-keys")
		b.run(t, chromedp.Evaluate(`window.scrollTo(0,0)`, nil))
	}
	if colors["light"] == colors["dark"] {
		t.Errorf("both themes have the background %s", colors["light"])
	}
	b.run(t, emulation.SetEmulatedMedia().WithMedia("print"))
	if got := b.text(t, `getComputedStyle(document.getElementById('show-title')).display`); got != "none" {
		t.Errorf("the filters are printed: display %s", got)
	}
	var pdf []byte
	b.run(t, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPrintBackground(true).Do(ctx)
		return err
	}))
	if !bytes.HasPrefix(pdf, []byte("%PDF")) || bytes.Count(pdf, []byte("/Type /Page\n")) < 2 {
		t.Errorf("printed to %d bytes, %d pages", len(pdf), bytes.Count(pdf, []byte("/Type /Page\n")))
	}
	b.quiet(t)
}

// contrasts works out the contrast ratio of WCAG 2.2 for the kinds of text.
func contrasts(t *testing.T, b *browser) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	b.run(t, chromedp.Evaluate(`(() => {
		const rgb = c => c.match(/[\d.]+/g).slice(0,3).map(Number);
		const lum = c => { const [r,g,b] = rgb(c).map(v => { v /= 255; return v <= .03928 ? v/12.92 : Math.pow((v+.055)/1.055, 2.4); }); return .2126*r+.7152*g+.0722*b; };
		const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\)$/.test(c) && c !== 'transparent') return c; } return 'rgb(255,255,255)'; };
		const out = {};
		for (const s of ['body', '.lead', '.dim', 'dt', '.badge', '.count.critical', '.count.high', '.count.medium', '.count.low', '.count.none', '.next', '.sev', 'mark', 'thead th']) {
			const e = document.querySelector(s); if (!e) continue;
			const a = lum(getComputedStyle(e).color), z = lum(back(e));
			out[s] = (Math.max(a,z)+.05)/(Math.min(a,z)+.05);
		}
		return out; })()`, &out))
	if len(out) < 12 {
		t.Errorf("only %d kinds of text were found: %v", len(out), out)
	}
	return out
}

// Without a script everything can be read, and the filter by severity works.
func TestHTMLWithoutScript(t *testing.T) {
	b := newBrowser(t)
	b.run(t, emulation.SetScriptExecutionDisabled(true))
	b.open(t, organisation(t, 30, ""))
	if n, shown := b.number(t, visibleItems), b.text(t, `getComputedStyle(document.getElementById('scripted')).display`); n != 24 || shown != "none" {
		t.Errorf("%v keys, the script's own filters are %q", n, shown)
	}
	b.click(t, "#show-critical")
	if n := b.number(t, visibleItems); n != 16 {
		t.Errorf("without critical: %v, want 16", n)
	}
	b.quiet(t)
}

func TestHTMLOfFiveThousandKeys(t *testing.T) {
	b := newBrowser(t)
	data := organisation(t, 5000, "")
	took := b.open(t, data)
	if n := b.number(t, `document.querySelectorAll('.cards .item').length`); n != 5000 {
		t.Errorf("%v keys", n)
	}
	loaded := b.number(t, `performance.timing.loadEventEnd - performance.timing.navigationStart`)
	searched := b.number(t, `(() => { const start = performance.now(), e = document.getElementById('text'); e.value = 'ci-4998';
		e.dispatchEvent(new Event('change', {bubbles: true})); document.body.offsetHeight; return performance.now() - start; })()`)
	if said := b.text(t, `document.getElementById('shown').textContent`); said != "1 of 5000 shown" {
		t.Errorf("the search says %q", said)
	}
	t.Logf("%d kB, loaded in %v ms (%s as the driver sees it), searched in %v ms", len(data)/1000, loaded, took.Round(time.Millisecond), searched)
	b.quiet(t)
}

// The page of a scan shows since when a key was exposed.
func TestHTMLOfAScan(t *testing.T) {
	b := newBrowser(t)
	for _, name := range []string{"scan", "hostile", "incomplete", "clean"} {
		b.open(t, convert(t, read(t, "testdata/"+name+".json"), "html", Options{Rules: testRules()}))
		if b.text(t, `document.querySelector('h1').textContent`) == "" {
			t.Errorf("%s: no heading", name)
		}
		b.screenshot(t, name)
	}
	b.quiet(t)
}
