package baseten

import (
	"net/http"

	"github.com/b10lint/b10lint/secret"
)

// A Scheme is the first word of an Authorization header.
type Scheme string

// Baseten takes a key under either scheme; federated keys may need Api-Key.
const (
	Bearer Scheme = "Bearer"
	APIKey Scheme = "Api-Key"
)

// withAuth adds the credential to a clone of each request, and only when hosts
// allows its address. This is the only place where a key meets a request.
func withAuth(next http.RoundTripper, hosts Hosts, key secret.Secret, scheme Scheme) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := hosts.Allow(r.URL); err != nil {
			return nil, err
		}
		value := key.Reveal()
		for _, c := range []byte(value) {
			if c <= ' ' || c > '~' {
				// net/http would refuse it too, and might print it.
				return nil, &refusal{"the key holds a space or a control character and cannot be sent"}
			}
		}
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", string(scheme)+" "+value)
		return next.RoundTrip(r)
	})
}
