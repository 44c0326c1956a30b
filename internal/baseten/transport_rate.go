package baseten

import (
	"net/http"

	"golang.org/x/time/rate"
)

// limited holds requests back so that no more than the limiter allows are sent.
// It sits below the retries, so that they count too.
func limited(next http.RoundTripper, limiter *rate.Limiter, clock Clock) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		now := clock.Now()
		wait := limiter.ReserveN(now, 1).DelayFrom(now)
		if wait > 0 {
			if err := clock.Sleep(r.Context(), wait); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(r)
	})
}
