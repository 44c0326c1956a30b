package baseten

import (
	"errors"
	"net/http"
)

// Refused reports whether Baseten itself turned a request down (a 4xx in its own
// form): nothing was done. Of any other failure that cannot be said.
func Refused(err error) bool {
	s := StatusOf(err)
	return s >= http.StatusBadRequest && s < http.StatusInternalServerError
}

// IsNotFound reports whether Baseten said that what was named is not there. What
// the caller may not see is not there either.
func IsNotFound(err error) bool { return StatusOf(err) == http.StatusNotFound }

// IsUnauthorized reports whether Baseten said that the caller's key is not accepted.
func IsUnauthorized(err error) bool { return StatusOf(err) == http.StatusUnauthorized }

// IsForbidden reports whether Baseten said that the caller may not do this.
func IsForbidden(err error) bool { return StatusOf(err) == http.StatusForbidden }

// Explain says in a line for people what a failed call means and what to do, as
// far as the form of the answer tells, and nothing where the server's own words
// have to do.
func Explain(err error) string {
	var answer *Error
	if !errors.As(err, &answer) {
		return "there was no usable answer: see that Baseten can be reached from here, and HTTPS_PROXY if a proxy is in the way"
	}
	if answer.Redirect != "" || answer.NotJSON {
		return "this is not an answer of Baseten's: a proxy, a firewall or a login page is in the way"
	}
	switch {
	case answer.Status == http.StatusUnauthorized:
		return "the key that Baseten was called with is not accepted: it was revoked, or is another organisation's"
	case answer.Status == http.StatusForbidden:
		return "the key that Baseten was called with may not do this: use an organisation admin's, or one that may manage API keys"
	case answer.Status == http.StatusTooManyRequests:
		return "too many requests with this key: wait and try again"
	case answer.Status >= http.StatusInternalServerError:
		return "Baseten is in trouble: try again later"
	}
	return ""
}
