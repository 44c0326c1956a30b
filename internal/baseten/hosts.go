package baseten

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ownHosts are the hosts that Baseten's own tools send keys to, besides those
// right below api.baseten.co. The staging and development hosts are Baseten's too.
var ownHosts = [...]string{
	"api.baseten.co", "inference.baseten.co", "app.baseten.co", "bridge.baseten.co",
	"app.staging.baseten.co", "api.staging.baseten.co", "inference.staging.baseten.co",
	"app.dev.baseten.co", "api.mc-dev.baseten.co", "inference.mc-dev.baseten.co",
}

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
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
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
	return &refusal{fmt.Sprintf("host %q is not Baseten's and was not named by you: nothing was sent to it "+
		"(name it with --remote-url if it is yours)", u.Host)}
}

// A refusal says why nothing was sent. To try again would not help.
type refusal struct{ why string }

func (e *refusal) Error() string { return e.why }

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

// isBaseten reports whether u is one of Baseten's hosts. The comparison is of
// whole names: example.com/api.baseten.co, api.baseten.co.example.com,
// xapi.baseten.co and api.baseten.co@example.com are not.
func isBaseten(u *url.URL) bool {
	if u.Scheme != "https" || u.User != nil || (u.Port() != "" && u.Port() != "443") {
		return false
	}
	host := strings.ToLower(u.Hostname())
	for _, own := range ownHosts {
		if host == own {
			return true
		}
	}
	label, below := strings.CutSuffix(host, ".api.baseten.co")
	return below && isLabel(label)
}

// isLabel reports whether s is one DNS label of letters, digits and inner hyphens.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// isLoopback reports whether a host name or address is this machine's.
// RFC 6761, 6.3 gives localhost and all names below it to the loopback.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// address is scheme, host and port, in the one form that addresses are compared in.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
