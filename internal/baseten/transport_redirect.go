package baseten

import "net/http"

// refuseRedirects turns a redirect into an error. Baseten's API has none, and to
// follow one would carry the key to wherever the answer points.
func refuseRedirects(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil || res.StatusCode < 300 || res.StatusCode > 399 {
			return res, err
		}
		closeBody(res)
		host := "another address"
		if to, err := res.Location(); err == nil && to.Host != "" {
			host = to.Host
		}
		return nil, &Error{Method: r.Method, Path: r.URL.Path, Status: res.StatusCode, Redirect: clean(host),
			Message: "the answer points to " + clean(host) + "; redirects are not followed"}
	})
}
