package rules

import (
	"net/url"
	"strings"

	"github.com/b10lint/b10lint/finding"
	"github.com/b10lint/b10lint/internal/hosts"
)

// Who besides the owner may read a file.
const (
	Everyone = "everyone"
	itsGroup = "its group"
)

// Readers says who besides the owner may read a file with these permission bits:
// Everyone, "its group", or "" for no one.
func Readers(perm uint32) string {
	switch {
	case perm&0o004 != 0:
		return Everyone
	case perm&0o040 != 0:
		return itsGroup
	}
	return ""
}

// ReadableSeverity is how bad a readable key file is. reachable reports whether the
// folders above let others in at all.
func ReadableSeverity(readers string, reachable bool) finding.Severity {
	if readers == Everyone && reachable {
		return finding.Medium
	}
	return finding.Low
}

// InsecureURL says what is wrong with the address that a key would be sent to, and
// how bad that is. why is empty when nothing is. The text names the host at most,
// never the whole URL, which may hold a password.
func InsecureURL(address string) (why string, severity finding.Severity) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Hostname() == "" {
		return "is no URL with a host", finding.Low
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch local := hosts.IsLoopback(host); {
	case u.User != nil:
		return "carries a password for " + host, finding.High
	case u.Scheme != "https" && !local:
		return "is not https, so the key is sent unencrypted to " + host, finding.High
	case local:
		return "is this machine, so the key goes to whatever listens there", finding.Low
	case !hosts.IsBaseten(host):
		return "is not Baseten's but " + host, finding.Medium
	}
	return "", finding.Info
}

// TrackingSeverity is how bad it is that git has, or may take, a .trussrc; ok is
// false when it is not bad at all.
func TrackingSeverity(e finding.Exposure) (s finding.Severity, ok bool) {
	switch e {
	case finding.Committed:
		return finding.High, true
	case finding.Untracked:
		return finding.Medium, true
	}
	return finding.Info, false
}

// CredentialsFile reports whether a file is by its name one that holds credentials
// and that truss's built-in ignore list lets through. name is the last element.
func CredentialsFile(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case ".trussrc", ".netrc", "_netrc", ".git-credentials", ".npmrc", ".pypirc", ".envrc", "auth.json", ".mcp.json", "mcp.json",
		"credentials.json", "secrets.yaml", "secrets.yml", "secrets.json", ".bash_history", ".zsh_history":
		return true
	}
	if rest, ok := strings.CutPrefix(name, ".env."); ok {
		return !anyOf(rest, "example", "sample", "template", "dist", "defaults")
	}
	return name == ".env" || strings.HasSuffix(name, ".env") && name != "example.env" && name != "sample.env" || strings.Contains(name, ".tfstate")
}
