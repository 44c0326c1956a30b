package baseten

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/b10lint/b10lint/internal/hosts"
	"github.com/b10lint/b10lint/internal/httpc"
)

// The environment variables that name other endpoints, as Baseten's own
// command line tool knows them.
const (
	EnvRemoteURL     = "BASETEN_REMOTE_URL"
	EnvManagementURL = "BASETEN_MANAGEMENT_API_URL_OVERRIDE"
	EnvInferenceURL  = "BASETEN_INFERENCE_BASE_URL_OVERRIDE"
)

// defaultRemote is the console's address, which all others are derived from.
const defaultRemote = "https://app.baseten.co"

// Endpoints are where requests go, with the rule that keeps keys from going
// anywhere else.
type Endpoints struct {
	Management *url.URL // https://api.baseten.co
	Inference  *url.URL // https://inference.baseten.co
	Hosts      Hosts
}

// A Lookup is os.LookupEnv, or a test's own.
type Lookup func(name string) (string, bool)

// ResolveEndpoints finds the endpoints. The first that is given wins: the
// remote URL of the command line; the two override variables, each for its own
// endpoint; fileRemote, the remote_url beside a credential in the user's own
// ~/.trussrc or CLI profile; BASETEN_REMOTE_URL, which goes with BASETEN_API_KEY
// as in Baseten's own tool; Baseten's production.
//
// The command line and the environment may name any host, which is then
// allowed to receive the key. fileRemote may not: it has to be Baseten's own.
func ResolveEndpoints(remoteURL, fileRemote string, env Lookup) (Endpoints, error) {
	var e Endpoints
	if remoteURL != "" {
		err := e.derive(remoteURL, "--remote-url", true)
		return e, err
	}
	remote, from, named := defaultRemote, "the default", false
	if fileRemote != "" {
		remote, from = fileRemote, "remote_url"
	} else if v, _ := env(EnvRemoteURL); v != "" {
		remote, from, named = v, EnvRemoteURL, true
	}
	management, _ := env(EnvManagementURL)
	inference, _ := env(EnvInferenceURL)
	if management == "" || inference == "" {
		if err := e.derive(remote, from, named); err != nil {
			return Endpoints{}, err
		}
	}
	for _, o := range []struct {
		to          **url.URL
		value, from string
	}{{&e.Management, management, EnvManagementURL}, {&e.Inference, inference, EnvInferenceURL}} {
		if o.value == "" {
			continue
		}
		u, err := parseRemote(o.value, o.from)
		if err != nil {
			return Endpoints{}, err
		}
		if err := e.Hosts.Name(u); err != nil {
			return Endpoints{}, fmt.Errorf("%s: %w", o.from, err)
		}
		*o.to = u
	}
	return e, nil
}

// derive sets both endpoints from the address of a console, as Baseten's tools do.
func (e *Endpoints) derive(remote, from string, named bool) error {
	u, err := parseRemote(remote, from)
	if err != nil {
		return err
	}
	e.Management, e.Inference = derived(u)
	for _, to := range []*url.URL{e.Management, e.Inference} {
		if isBaseten(to) {
			continue
		}
		if !named {
			return fmt.Errorf("remote_url %s is not Baseten's: a key is only sent where you say on the command line; "+
				"if the host is yours, pass --remote-url", address(u))
		}
		if err := e.Hosts.Name(to); err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	return nil
}

// derived maps a console's address to those of the two APIs. Baseten's own
// consoles have fixed counterparts; an API's own address and a bare IP address
// stand for themselves; any other host gets "api." and "inference." before it.
func derived(u *url.URL) (management, inference *url.URL) {
	at := func(host string) *url.URL {
		if port := u.Port(); port != "" {
			host += ":" + port
		}
		return &url.URL{Scheme: u.Scheme, Host: host, Path: u.Path}
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil {
		return u, u
	}
	if host == "baseten.co" {
		host = "app.baseten.co"
	}
	if management, inference, ok := hosts.APIs(host); ok {
		return at(management), at(inference)
	}
	if strings.HasPrefix(host, "api.") {
		return at(host), at("inference." + strings.TrimPrefix(host, "api."))
	}
	return at("api." + host), at("inference." + host)
}

// parseRemote reads an address. A host without a scheme is taken as https.
func parseRemote(value, from string) (*url.URL, error) {
	text := strings.TrimSpace(value)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("%s: %q is not an address: write it as https://HOST", from, clean(value))
	}
	if err := checkAddress(u); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
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
