// Package hosts knows which hosts are Baseten's and which are this machine. The
// rules judge addresses by it, and internal/baseten where a key may be sent.
package hosts

import (
	"net/netip"
	"slices"
	"strings"
)

// api is the host below which every model has one of its own.
const api = "api.baseten.co"

// own are the hosts that Baseten's own tools send keys to, besides those right
// below api. The staging and development hosts are Baseten's too.
var own = []string{
	api, "inference.baseten.co", "app.baseten.co", "bridge.baseten.co",
	"app.staging.baseten.co", "api.staging.baseten.co", "inference.staging.baseten.co",
	"app.dev.baseten.co", "api.mc-dev.baseten.co", "inference.mc-dev.baseten.co",
}

// TakesKeys reports whether Baseten's own tools send keys to a host. Whole names
// are compared, without regard to case: xapi.baseten.co, a.b.api.baseten.co and
// api.baseten.co.example.com are not among them.
func TakesKeys(host string) bool {
	host = strings.ToLower(host)
	if slices.Contains(own, host) {
		return true
	}
	label, below := strings.CutSuffix(host, "."+api)
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
