package baseten

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// buffered reads each answer whole, within timeout from the first byte sent and
// with at most limit bytes. What goes wrong while the body comes in (a stall, a
// reset, an early end) is thereby an error of the round trip, and retried like one.
func buffered(next http.RoundTripper, timeout time.Duration, limit int64) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), timeout, fmt.Errorf("no full answer within %s", timeout))
		defer cancel()
		res, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			return nil, causeOf(ctx, r.Context(), err)
		}
		defer closeBody(res)
		body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
		if err != nil {
			return nil, fmt.Errorf("reading the answer: %w", causeOf(ctx, r.Context(), err))
		}
		if int64(len(body)) > limit {
			return nil, &Error{Method: r.Method, Path: r.URL.Path, Status: res.StatusCode, NotJSON: true,
				Message: fmt.Sprintf("the answer is larger than %d bytes", limit)}
		}
		whole := *res
		whole.Body = rewound(body)
		whole.ContentLength = int64(len(body))
		whole.Request = r
		return &whole, nil
	})
}

// causeOf puts our own timeout's words in place of "context deadline exceeded",
// and leaves the caller's cancellation as it is.
func causeOf(ctx, caller context.Context, err error) error {
	if caller.Err() == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// rewound returns a body to be read from its start.
func rewound(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
