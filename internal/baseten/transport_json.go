package baseten

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// onlyJSON turns an answer of any status that is not JSON into an error. Captive
// portals, firewalls and proxies answer in Baseten's place with HTML, often with
// status 200 or 403, and neither says anything about a key.
func onlyJSON(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return res, err
		}
		given := res.Header.Get("Content-Type")
		kind, _, err := mime.ParseMediaType(given)
		if err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json")) {
			return res, nil
		}
		closeBody(res)
		what := "without a content type"
		if given != "" {
			what = fmt.Sprintf("of type %q", clean(given))
		}
		return nil, &Error{Method: r.Method, Path: r.URL.Path, Status: res.StatusCode, NotJSON: true,
			Message: "the answer is " + what + ", not JSON: something other than Baseten's API seems to have sent it"}
	})
}
