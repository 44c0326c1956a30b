// Package hosts knows which hosts are Baseten's and which are this machine. The
// rules judge addresses by it, and internal/baseten where a key may be sent.
package hosts

import (
	"net/netip"
	"slices"
	"strings"
)

// installations are Baseten's production, staging and development: the console,
// the management API and the inference API of each.
var installations = [][3]string{
	{"app.baseten.co", "api.baseten.co", "inference.baseten.co"},
	{"app.staging.baseten.co", "api.staging.baseten.co", "inference.staging.baseten.co"},
	{"app.dev.baseten.co", "api.mc-dev.baseten.co", "inference.mc-dev.baseten.co"},
}

// APIs returns the hosts of the management and the inference API that belong to a
// console of Baseten's or to one of its APIs. ok is false for any other host.
func APIs(host string) (management, inference string, ok bool) {
	for _, i := range installations {
		if slices.Contains(i[:], strings.ToLower(host)) {
			return i[1], i[2], true
		}
	}
	return "", "", false
}

// TakesKeys reports whether Baseten's own tools send keys to a host: the consoles,
// the APIs, and every model's host right below the API's. Whole names are compared,
// without regard to case: xapi.baseten.co, a.b.api.baseten.co and
// api.baseten.co.example.com are not among them.
func TakesKeys(host string) bool {
	host = strings.ToLower(host)
	if _, _, ok := APIs(host); ok || host == "bridge.baseten.co" {
		return true
	}
	label, below := strings.CutSuffix(host, ".api.baseten.co")
	return below && label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-' &&
		strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// IsBaseten reports whether a host is baseten.co or below it, which says that it
// is Baseten's, and not that it takes keys.
func IsBaseten(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "baseten.co" || strings.HasSuffix(host, ".baseten.co")
}

// IsLoopback reports whether a host name or address is this machine's.
// RFC 6761, 6.3 gives localhost and all names below it to the loopback.
func IsLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
