package rules

import "github.com/b10lint/b10lint/finding"

// OAuthTokenAtRest is the rule for an OAuth refresh token that is kept in a file.
func OAuthTokenAtRest() finding.Rule {
	return finding.Rule{
		ID:       "oauth-token-at-rest",
		Title:    "OAuth refresh token in a file",
		Severity: finding.Medium,
		Tags:     []string{"security", "workstation", "baseten"},
		Text: "truss and the baseten command keep OAuth tokens in the system's keyring, and in the file when there is none. The access token ends soon; " +
			"the refresh token makes new ones and is as good as the login.",
		Remedy: "Install a keyring (Secret Service, Keychain, Credential Manager), log in again, and log out of the old session. On a machine without one, use a key of the least type in `BASETEN_API_KEY`.",
	}
}
