package rules

import "github.com/b10lint/b10lint/finding"

// KeySharedBetweenRemotes is the rule for one key that serves several remotes or
// configuration files.
func KeySharedBetweenRemotes() finding.Rule {
	return finding.Rule{
		ID:       "key-shared-between-remotes",
		Title:    "One key serves several remotes",
		Severity: finding.Low,
		Tags:     []string{"hygiene", "workstation", "baseten"},
		Text: "The same key stands in several remotes or files. When one of them leaks, all have to change at once, the audit log cannot tell them apart, " +
			"and a remote for staging holds what opens production. An api_key under [DEFAULT] is given to every remote.",
		Remedy: "Make a key for each remote and purpose, with the least type that does, and write it into that remote alone. `b10lint rotate` replaces it in every place at once.",
	}
}
