package revoke

// The HTTP statuses that make a difference here. They are written out because
// one room alone imports net/http.
const (
	statusUnauthorized = 401
	statusForbidden    = 403
	statusNotFound     = 404
	statusServerFault  = 500 // and above
)
