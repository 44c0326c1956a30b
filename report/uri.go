package report

import (
	"net/url"
	"strings"
)

// fileURI returns the URI reference (RFC 3986) for a slash separated path: a
// relative reference for a relative path, a file URI for an absolute one. Every
// byte that is not an unreserved character or a slash is percent-encoded, which
// covers bytes that are not UTF-8, and a colon, so that no segment can pass for a
// scheme.
func fileURI(p string) (uri string, absolute bool) {
	switch {
	case hasDrive(p) && strings.HasPrefix(p[2:], "/"):
		return "file:///" + p[:2] + percent(p[2:]), true
	case strings.HasPrefix(p, "/"):
		return "file:///" + percent(strings.TrimLeft(p, "/")), true
	}
	return percent(strings.TrimPrefix(p, "./")), false
}

func percent(p string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// PublicURL returns raw without what a URL should not be published with: a user
// name, a password, a query. The scp form of a git remote (user@host:path) becomes an
// ssh URL. It returns "" for what is neither.
func PublicURL(raw string) string {
	if !strings.Contains(raw, "://") {
		at, path, ok := strings.Cut(raw, ":")
		if !ok || strings.Contains(at, "/") || strings.HasPrefix(path, "/") && len(at) == 1 {
			return ""
		}
		raw = "ssh://" + at[strings.LastIndexByte(at, '@')+1:] + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
