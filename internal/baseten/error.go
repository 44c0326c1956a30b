package baseten

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/b10lint/b10lint/internal/httpc"
)

// maxMessage bounds what is kept of a server's own words, in characters.
const maxMessage = 300

// An Error is an answer that is not the one that was asked for: a status other
// than 2xx, a redirect, or something that is not JSON. Failures to get any
// answer at all are ordinary errors.
type Error struct {
	Method string
	Path   string // of the request, without host and query
	Status int
	// Message is the server's own words, cut to a readable length, with control
	// characters and anything shaped like a secret half taken out. It may be empty.
	Message string
	// RetryAfter is how long the server asked to wait; 0 when it did not say.
	RetryAfter time.Duration
	// NotJSON is set when the answer was not JSON: a captive portal, a firewall's
	// page, a proxy. Its status then says nothing of Baseten.
	NotJSON bool
	// Redirect is the host that the answer pointed to. It was not followed.
	Redirect string
}

// Error returns method, path, status and message on one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: HTTP %d", e.Method, e.Path, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %s)", e.RetryAfter.Round(time.Second))
	}
	return b.String()
}

// StatusOf returns the HTTP status of an Error in err's tree, or 0 when there is
// none or when the answer was not Baseten's (not JSON, or a redirect).
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) && !e.NotJSON && e.Redirect == "" {
		return e.Status
	}
	return 0
}

// newError reads an answer whose status is not 2xx, in every form in which Baseten's
// services are known to say what went wrong: an object with error, detail or message,
// each a string, an object or a list; a list of strings; a bare string. now is for a
// Retry-After that is a date.
func newError(res *http.Response, body []byte, now time.Time) *Error {
	e := &Error{Method: res.Request.Method, Path: res.Request.URL.Path, Status: res.StatusCode}
	var v any
	if err := json.Unmarshal(body, &v); err == nil {
		e.Message = clean(words(v, 0))
	} else if v = nil; !json.Valid(body) { // else it has a number that is too large
		e.NotJSON, e.Message = true, "the answer is labelled as JSON and is not"
	}
	if object, ok := v.(map[string]any); ok {
		switch wait := object["retry_after"].(type) {
		case float64:
			e.RetryAfter = httpc.Seconds(wait)
		case string:
			if f, err := strconv.ParseFloat(wait, 64); err == nil {
				e.RetryAfter = httpc.Seconds(f)
			}
		}
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = httpc.RetryAfter(res, now)
	}
	return e
}

// words finds the human part of a decoded error body. depth bounds hostile nesting.
func words(v any, depth int) string {
	if depth > 4 {
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var parts []string
		for _, item := range v[:min(len(v), 5)] {
			if w := words(item, depth+1); w != "" {
				parts = append(parts, w)
			}
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		for _, name := range []string{"error", "detail", "message", "msg"} {
			if w := words(v[name], depth+1); w != "" {
				return w
			}
		}
	}
	return ""
}

// keyShaped finds the part of a text that could be a secret half. A server may
// repeat what it was sent, and its words go to logs and reports.
var keyShaped = regexp.MustCompile(`\.[A-Za-z0-9_\-]{16,}|[A-Za-z0-9]{32,}`)

// clean makes a server's words fit to be printed.
func clean(s string) string {
	s = keyShaped.ReplaceAllStringFunc(s, func(m string) string {
		if m[0] == '.' {
			return ".****"
		}
		return "****"
	})
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > maxMessage {
		s = string(r[:maxMessage]) + "…"
	}
	return s
}

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

// badCertificate reports whether the other side could not show that it is the host.
func badCertificate(err error) bool {
	var failed *tls.CertificateVerificationError
	return errors.As(err, &failed)
}

// Explain says in a line for people what a failed call means and what to do, as
// far as the form of the answer shows, and nothing where the server's own words
// have to do.
func Explain(err error) string {
	var answer *Error
	if badCertificate(err) {
		return "the certificate does not hold: if your organisation has its own authority, pass it with --ca-file"
	}
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
