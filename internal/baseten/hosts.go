package baseten

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/b10lint/b10lint/internal/hosts"
	"github.com/b10lint/b10lint/internal/httpc"
)

// Hosts decides where a key may be sent. The zero Hosts allows Baseten's own
// hosts, over https on the usual port.
type Hosts struct{ named map[string]bool }

// Name adds the host of an address that the user gave on the command line or in
// the environment. Nothing read from a scanned file, and no remote_url of a
// configuration file, may come here. Plain http is allowed for this machine only.
func (h *Hosts) Name(u *url.URL) error {
	if err := checkAddress(u); err != nil {
		return err
	}
	if u.Scheme == "http" && !hosts.IsLoopback(u.Hostname()) {
		return fmt.Errorf("address %s is plain http: a key is only sent over https, or to this machine", address(u))
	}
	if h.named == nil {
		h.named = map[string]bool{}
	}
	h.named[address(u)] = true
	return nil
}

// Allow reports, as an error that says what to do, that no key may be sent to u.
func (h Hosts) Allow(u *url.URL) error {
	if err := checkAddress(u); err != nil {
		return err
	}
	if h.named[address(u)] || isBaseten(u) {
		return nil
	}
	return &httpc.Refusal{Why: fmt.Sprintf("host %q is not Baseten's and was not named by you: nothing was sent to it "+
		"(name it with --remote-url if it is yours)", u.Host)}
}

// checkAddress rejects addresses that can be read in two ways.
func checkAddress(u *url.URL) error {
	switch {
	case u == nil || u.Hostname() == "":
		return fmt.Errorf("address %q has no host: write it as https://HOST", u)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("address %s does not start with https://", address(u))
	case u.User != nil:
		return fmt.Errorf("address of host %q holds a user name or password: leave it out", u.Host)
	}
	return nil
}

// isBaseten reports whether u is one of Baseten's hosts that take keys.
func isBaseten(u *url.URL) bool {
	return u.Scheme == "https" && u.User == nil && (u.Port() == "" || u.Port() == "443") && hosts.TakesKeys(u.Hostname())
}

// address is scheme, host and port, in the one form that addresses are compared in.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
