package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser is a real Chromium that keeps what it complains of.
type browser struct {
	ctx        context.Context
	mu         sync.Mutex
	complaints []string
	requests   []string
}

// newBrowser starts Chromium, or skips the test where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium here: the page is not tried in a browser (apt-get install chromium)")
	}
	profile, err := os.MkdirTemp("", "b10lint-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(profile),
		chromedp.WindowSize(1200, 900), chromedp.WSURLReadTimeout(90*time.Second))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	ctx, cancelTime := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for its end, so that nothing writes to the profile any more
		cancelTime()
		cancel()
		cancelAlloc()
		_ = os.RemoveAll(profile)
	})
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, b.hear)
	b.run(t, network.Enable(), cdplog.Enable(), runtime.Enable(), audits.Enable())
	return b
}

// hear keeps violations, errors, dialogs and requests.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		b.complaints = append(b.complaints, "log: "+e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console: "+string(e.Type))
	case *audits.EventIssueAdded:
		b.complaints = append(b.complaints, "issue: "+string(e.Issue.Code))
	case *page.EventJavascriptDialogOpening:
		b.complaints = append(b.complaints, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// open shows a page from a file and returns how long that took.
func (b *browser) open(t *testing.T, data []byte) time.Duration {
	t.Helper()
	name := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	b.complaints, b.requests = nil, nil
	b.mu.Unlock()
	start := time.Now()
	b.run(t, chromedp.Navigate("file://"+filepath.ToSlash(name)))
	return time.Since(start)
}

// quiet fails when the browser complained, or asked for anything but the page.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser complains: %s", c)
	}
	for _, r := range b.requests {
		if !strings.HasPrefix(r, "file://") && !strings.HasPrefix(r, "data:") {
			t.Errorf("the page asked for %s", r)
		}
	}
}

func (b *browser) number(t *testing.T, js string) (n float64) {
	t.Helper()
	b.run(t, chromedp.Evaluate(js, &n))
	return n
}

// click ticks a box or follows a link without the browser's pointer: that works
// with scripts switched off, too.
func (b *browser) click(t *testing.T, selector string) {
	t.Helper()
	b.run(t, chromedp.Evaluate("document.querySelector('"+selector+"').click()", nil))
}

// set gives a field a value as typing does, and waits until the page says how many
// entries are left.
func (b *browser) set(t *testing.T, selector, value, event string) {
	t.Helper()
	b.settle(t, fmt.Sprintf(`new Promise(done => {
		new MutationObserver(done).observe(document.getElementById('shown'), {childList: true});
		const e = document.querySelector(%q);
		e.value = %q;
		e.dispatchEvent(new Event(%q, {bubbles: true}));
	})`, selector, value, event))
}

// settle runs a script that returns a promise, and waits for that.
func (b *browser) settle(t *testing.T, js string) {
	t.Helper()
	b.run(t, chromedp.Evaluate(js, nil, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
}

func (b *browser) text(t *testing.T, js string) (s string) {
	t.Helper()
	b.run(t, chromedp.Evaluate(js, &s))
	return s
}

// visibleItems counts the entries that are on the page.
const visibleItems = `[...document.querySelectorAll('.cards .item')].filter(i => getComputedStyle(i).display !== 'none').length`

// tree returns the accessibility tree: "role: name" of every node that is not ignored.
func (b *browser) tree(t *testing.T) (nodes []string) {
	t.Helper()
	// After the domain is switched on, the tree is built as frames are.
	before := 0
	for range 50 { // cards out of sight come in later
		before = len(nodes)
		b.run(t, chromedp.ActionFunc(func(ctx context.Context) (err error) {
			nodes, err = fullTree(ctx)
			return err
		}))
		if len(nodes) > 100 && len(nodes) == before {
			break
		}
		b.settle(t, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`)
	}
	return nodes
}

// screenshot keeps a picture in the folder that B10LINT_SCREENSHOTS names, for
// people to look at.
func (b *browser) screenshot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("B10LINT_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.run(t, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func fullTree(ctx context.Context) (nodes []string, err error) {
	// Not the package's own types: they do not know every word of a newer browser.
	var all struct {
		Nodes []struct {
			Ignored bool    `json:"ignored"`
			Role    axValue `json:"role"`
			Name    axValue `json:"name"`
		} `json:"nodes"`
	}
	if err = cdp.Execute(ctx, "Accessibility.enable", nil, nil); err == nil {
		err = cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &all)
	}
	for _, n := range all.Nodes {
		if !n.Ignored && n.Role.Value != nil {
			name, _ := n.Name.Value.(string)
			nodes = append(nodes, fmt.Sprintf("%s: %s", n.Role.Value, name))
		}
	}
	return nodes, err
}

type axValue struct {
	Value any `json:"value"`
}
