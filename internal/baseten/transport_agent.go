package baseten

import "net/http"

// withUserAgent names the program in each request, on a clone of it.
func withUserAgent(next http.RoundTripper, agent string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Accept", "application/json")
		return next.RoundTrip(r)
	})
}
