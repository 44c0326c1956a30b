package remote

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/b10lint/b10lint/internal/httpc"
)

const dialTimeout = 20 * time.Second

// Limits bound one fetch. Zero fields stand for the defaults.
type Limits struct {
	Quiet  time.Duration // without a byte; 60 s
	Slow   time.Duration // the span over which Least bytes a second have to come of a pack; 60 s
	Least  int64         // 1,000 bytes a second
	Whole  time.Duration // 4 hours
	Pack   int64         // bytes of the pack; 64 GiB
	Listed int64         // bytes of the list of references; 256 MiB
}

func (l Limits) withDefaults() Limits {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&l.Quiet, 60*time.Second)
	or(&l.Slow, 60*time.Second)
	or(&l.Whole, 4*time.Hour)
	if l.Least == 0 {
		l.Least = 1000
	}
	if l.Pack == 0 {
		l.Pack = 64 << 30
	}
	if l.Listed == 0 {
		l.Listed = 256 << 20
	}
	return l
}

// A watch ends a conversation that stalls, trickles or goes on without end, by ending
// its context; the cause says which.
type watch struct {
	limits Limits
	cancel context.CancelCauseFunc
	whole  *time.Timer

	mu      sync.Mutex
	quiet   *time.Timer
	packing bool      // the pack is coming, and not what a server sends while it prepares one
	since   time.Time // when the span began
	bytes   int64     // that came in the span
	listing int64     // bytes that came before the pack
}

// errLimit is the cause of an end by the watch.
type errLimit struct{ text string }

func (e *errLimit) Error() string { return e.text }

func newWatch(ctx context.Context, l Limits) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{limits: l, cancel: cancel}
	w.whole = time.AfterFunc(l.Whole, func() { cancel(&errLimit{fmt.Sprintf("the fetch was not done within %s", l.Whole)}) })
	w.quiet = time.AfterFunc(l.Quiet, func() { cancel(&errLimit{fmt.Sprintf("the server sent nothing for %s", l.Quiet)}) })
	return ctx, w
}

// stop ends the watch and whatever is still open.
func (w *watch) stop() {
	w.whole.Stop()
	w.quiet.Stop()
	w.cancel(nil)
}

// heard notes bytes that came.
func (w *watch) heard(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == 0 {
		return
	}
	w.quiet.Reset(w.limits.Quiet)
	if !w.packing {
		if w.listing += int64(n); w.listing > w.limits.Listed {
			w.cancel(&errLimit{fmt.Sprintf("the list of references is larger than %d bytes", w.limits.Listed)})
		}
		return
	}
	w.bytes += int64(n)
	if span := time.Since(w.since); span >= w.limits.Slow {
		if float64(w.bytes) < float64(w.limits.Least)*span.Seconds() {
			w.cancel(&errLimit{fmt.Sprintf("the server sends less than %d bytes a second", w.limits.Least)})
		}
		w.since, w.bytes = time.Now(), 0
	}
}

// packComes says that the next bytes are those of a pack.
func (w *watch) packComes() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packing, w.since = true, time.Now()
}

// reader passes on what r reads, and notes it.
func (w *watch) reader(r io.Reader) io.Reader { return &heardReader{r, w} }

type heardReader struct {
	io.Reader
	w *watch
}

func (r *heardReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.w.heard(n)
	return n, err
}

// mostError bounds what is read of an answer that is not what was asked for.
const mostError = 64 << 10

// transport notes what comes in answers. An answer that is not what git sends is cut
// short: what is in a page is not read.
func (w *watch) transport(next http.RoundTripper) http.RoundTripper {
	return httpc.RoundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return res, err
		}
		w.heard(1)
		body := io.Reader(w.reader(res.Body))
		kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
		switch {
		case res.StatusCode/100 == 3: // a redirect; the client closes it
		case res.StatusCode/100 != 2:
			body = io.LimitReader(body, mostError)
		case !strings.HasPrefix(kind, "application/x-git-"):
			httpc.Close(res)
			return nil, &notGit{kind}
		}
		res.Body = struct {
			io.Reader
			io.Closer
		}{body, res.Body}
		return res, nil
	})
}

// notGit is the error of an answer of another kind.
type notGit struct{ kind string }

func (e *notGit) Error() string {
	if e.kind == "" {
		return "the address answers, and not as git"
	}
	return "the address answers with " + line(e.kind) + ", and not as git"
}
