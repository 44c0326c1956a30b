package rules

import "github.com/b10lint/b10lint/finding"

// RemoteURLInsecure is the rule for a remote whose key would be sent in clear, or
// to somebody else.
func RemoteURLInsecure() finding.Rule {
	return finding.Rule{
		ID:       "remote-url-insecure",
		Title:    "A remote sends the key to an unsafe address",
		Severity: finding.Medium,
		Tags:     []string{"security", "workstation", "baseten"},
		Text: "The key of a remote goes to its remote_url with every request. An http address shows it to everyone on the way; a host that is not " +
			"below baseten.co shows it to whoever runs that host. Self-hosted installations and local proxies have such addresses on purpose.",
		Remedy: "Set `remote_url = https://app.baseten.co` (or the address of your own installation, with https). When the address was a mistake and was used, revoke the key.",
	}
}
